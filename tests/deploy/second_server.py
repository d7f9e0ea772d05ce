"""A second database server, which a test may destroy with its data, and a context in which this process uses it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from django.db import connections

from backend.db import database_url
from backend.localrun.processes import PROJECT_FOLDER
from backend.localrun.servers import PrivateMariaDB

DEPLOY = PROJECT_FOLDER / "deploy"
NAME = "caisse"
# Passwords with characters that a parser of options, a shell, SQL or a URL would misread.
PASSWORDS = {"APP": "-x a:b@c/d?#%41;&+", "MIGRATIONS": """--help 'q' "q" `x` $HOME""", "BACKUP": "-p\\ \\n $(x) é%s'"}


class MariaDBWithBinlogsApart(PrivateMariaDB):
    """As in server.cnf: the binlogs are outside the data folder, as if on another disk."""

    @property
    def binlogs(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}-binlogs")

    def start(self) -> "MariaDBWithBinlogsApart":
        self.binlogs.mkdir(exist_ok=True)
        return super().start()

    def _command(self) -> list[str | Path]:
        return [*super()._command(), f"--log-bin={self.binlogs / 'binlog'}", "--binlog-format=ROW"]


class Site:
    """A server, its three accounts, and the scripts of deploy/ run against it, as an operator runs them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.server = MariaDBWithBinlogsApart(folder / "mariadb", keeps_data=True)
        self.passwords = PASSWORDS

    def __enter__(self) -> "Site":
        self.server.__enter__()
        self.run("database/create-users", environment={f"{n}_PASSWORD": word for n, word in self.passwords.items()})
        return self

    def __exit__(self, *exception: object) -> None:
        self.server.stop()

    def url(self, account: str = "caisse") -> str:
        """The DATABASE_URL of one of the accounts."""
        if account == "root":
            return self.server.url(NAME)
        of_account = {"caisse": "APP", "caisse_migrations": "MIGRATIONS", "caisse_backup": "BACKUP"}[account]
        password = self.passwords[of_account]
        return database_url.of_mysql(NAME, user=account, password=password, host="127.0.0.1", port=self.server.port)

    def environment(self, account: str = "caisse_migrations") -> dict[str, str]:
        """The environment of scripts and `manage.py`, with this account."""
        return {
            **os.environ,
            "PYTHON": sys.executable,
            "DATABASE_NAME": NAME,
            "DATABASE_SOCKET": str(self.server.socket),
            "DATABASE_URL": self.url(account),
            "BACKUP_PASSWORD": self.passwords["BACKUP"],
            "BROKER_URL": "",
            "LOG_LEVEL": "WARNING",
        }

    def run(
        self, script: str, *arguments: str | Path, environment: Mapping[str, str] | None = None, expects: int = 0
    ) -> str:
        """Run a script of deploy/ to its end and return what it printed."""
        return self._run([DEPLOY / script, *arguments], self.environment() | dict(environment or {}), expects)

    def manage(self, *arguments: str, account: str = "caisse", expects: int = 0) -> str:
        return self._run([sys.executable, PROJECT_FOLDER / "manage.py", *arguments], self.environment(account), expects)

    def _run(self, command: list[str | Path], environment: Mapping[str, str], expects: int) -> str:
        done = subprocess.run(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=300,
            check=False,
            cwd=PROJECT_FOLDER,
        )
        assert done.returncode == expects, f"{command[0]} ended with {done.returncode}\n{done.stdout}"
        return done.stdout


@contextmanager
def looking_into(url: str) -> Iterator[None]:
    """Let this process's models, services and commands use that database, with its account's rights."""
    ours = connections["default"]
    entry = database_url.from_url(url)
    there = {**ours.settings_dict, **{key: entry[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}}
    connections["default"] = type(ours)(there, "default")
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = ours
