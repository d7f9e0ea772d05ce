"""`deploy/backup/check`: restores the newest backup into a server of its own, which is thrown away afterwards."""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from backend.localrun.processes import PROJECT_FOLDER, ProcessFailed
from backend.localrun.servers import PrivateMariaDB

BACKUP_AGE_HOURS_MAX = 26
# They name the real server, which is nobody's business here.
OF_THE_REAL_SERVER = ("DATABASE_HOST", "DATABASE_PORT", "MYSQL_UNIX_PORT", "ROOT_USER", "ROOT_PASSWORD",
                      "ROOT_PASSWORD_FILE", "DATABASE_URL_FILE", "BROKER_URL_FILE")  # fmt: skip


class NothingToTry(Exception):
    """There is no backup, or only one that is too old."""


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Return the exit code: that of `restore`, or 1 with a sentence."""
    try:
        backup = newest_backup(environment)
        return try_backup(backup, environment)
    except (NothingToTry, ProcessFailed) as failure:
        sys.stderr.write(f"check: {failure}\n")
        return 1


def newest_backup(environment: Mapping[str, str]) -> Path:
    """Return the newest backup by its name. Raises NothingToTry if it is older than backups should ever be."""
    folder, name = environment.get("BACKUP_DIR", ""), environment.get("DATABASE_NAME", "caisse")
    if not folder:
        raise NothingToTry("BACKUP_DIR is not set")
    backups = sorted(Path(folder).glob(f"{name}-????????T??????Z.sql.gz"))
    if not backups:
        raise NothingToTry(f"{folder} has no backup")
    age_hours = (time.time() - backups[-1].stat().st_mtime) / 3600
    age_hours_max = float(environment.get("BACKUP_AGE_HOURS_MAX", BACKUP_AGE_HOURS_MAX))
    if age_hours > age_hours_max:
        raise NothingToTry(f"the newest backup, {backups[-1].name}, is {age_hours:.0f} hours old")
    return backups[-1].absolute()


def try_backup(backup: Path, environment: Mapping[str, str]) -> int:
    with tempfile.TemporaryDirectory(prefix="caisse-check-") as temporary:
        folder = Path(temporary)
        name = environment.get("DATABASE_NAME", "caisse")
        with PrivateMariaDB(folder / "mariadb") as server:
            ours = {
                "CLIENTS": "mariadb",
                "DATABASE_SOCKET": str(server.socket),
                "DATABASE_URL": server.url(name),
                "BROKER_URL": "",
                "PYTHON": sys.executable,
                "SECRET_KEY": secrets.token_hex(32),
                "VAR_DIR": str(folder),
            }
            kept = {key: value for key, value in environment.items() if key not in OF_THE_REAL_SERVER}
            options = [] if environment.get("BINLOG_DIR") else ["--without-binlogs"]
            command: list[str | Path] = [PROJECT_FOLDER / "deploy" / "backup" / "restore", *options, backup]
            return subprocess.run(command, env={**kept, **ours}, check=False).returncode  # noqa: S603 - ours


if __name__ == "__main__":
    sys.exit(main())
