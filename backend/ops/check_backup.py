"""`deploy/backup/check`: restores the newest backup into a private server, which is thrown away afterwards."""

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
# Variables that name the real server. They are removed, so that nothing here can reach it.
REAL_SERVER_VARIABLES = ("DATABASE_HOST", "DATABASE_PORT", "MYSQL_UNIX_PORT", "ROOT_USER", "ROOT_PASSWORD",
                      "ROOT_PASSWORD_FILE", "DATABASE_URL_FILE", "BROKER_URL_FILE")  # fmt: skip


class NoFreshBackup(Exception):
    """There is no backup, or the newest is too old."""


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Return the exit code: that of `restore`, or 1 after printing a sentence."""
    try:
        backup = newest_backup(environment)
        return try_backup(backup, environment)
    except (NoFreshBackup, ProcessFailed) as failure:
        sys.stderr.write(f"check: {failure}\n")
        return 1


def newest_backup(environment: Mapping[str, str]) -> Path:
    """Return the newest backup by its name. Raises NoFreshBackup if it is older than BACKUP_AGE_HOURS_MAX."""
    folder, name = environment.get("BACKUP_DIR", ""), environment.get("DATABASE_NAME", "caisse")
    if not folder:
        raise NoFreshBackup("BACKUP_DIR is not set")
    backups = sorted(Path(folder).glob(f"{name}-????????T??????Z.sql.gz"))
    if not backups:
        raise NoFreshBackup(f"{folder} has no backup")
    age_hours = (time.time() - backups[-1].stat().st_mtime) / 3600
    age_hours_max = float(environment.get("BACKUP_AGE_HOURS_MAX", BACKUP_AGE_HOURS_MAX))
    if age_hours > age_hours_max:
        raise NoFreshBackup(f"the newest backup, {backups[-1].name}, is {age_hours:.0f} hours old")
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
            kept = {key: value for key, value in environment.items() if key not in REAL_SERVER_VARIABLES}
            options = [] if environment.get("BINLOG_DIR") else ["--without-binlogs"]
            command: list[str | Path] = [PROJECT_FOLDER / "deploy" / "backup" / "restore", *options, backup]
            return subprocess.run(command, env={**kept, **ours}, check=False).returncode  # noqa: S603 - ours


if __name__ == "__main__":
    sys.exit(main())
