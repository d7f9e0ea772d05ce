"""Turns DATABASE_URL into Django's DATABASES entry, with the session settings that the promises need."""

from pathlib import Path
from urllib.parse import quote

import environ

# How long an idle session may keep its locks before the server cuts it and rolls back.
SESSION_WAIT_TIMEOUT_S = 5
LOCK_WAIT_TIMEOUT_S = 5

MYSQL_OPTIONS = {
    "charset": "utf8mb4",
    "isolation_level": "read committed",
    "connect_timeout": 2,
    # Longer than the lock wait, so that a lock is reported as a lock; shorter than a task's soft time limit, so that a
    # dead server is noticed.
    "read_timeout": 15,
    "write_timeout": 15,
    "init_command": (
        "SET SESSION sql_mode='TRADITIONAL', "
        f"innodb_lock_wait_timeout={LOCK_WAIT_TIMEOUT_S}, wait_timeout={SESSION_WAIT_TIMEOUT_S}, time_zone='+00:00'"
    ),
}

SQLITE_OPTIONS = {
    # A transaction takes the write lock when it begins: readers that become writers would dead-lock.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # FULL, because a 202 means durable: in WAL mode, NORMAL may lose the last commits in a power cut.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
}


def of_sqlite(path: Path) -> str:
    """Return the DATABASE_URL of this file. Its path may contain any character, as in `c++` or `#1`."""
    return f"sqlite:///{quote(str(path))}"


def of_mysql(name: str, *, user: str, password: str, host: str, port: int) -> str:
    """Return the DATABASE_URL of a database on MariaDB or MySQL. The password may hold any character."""
    return f"mysql://{quote(user, safe='')}:{quote(password, safe='')}@{host}:{port}/{name}"


def from_url(url: str, *, test_name: str = "") -> dict[str, object]:
    """Return the DATABASES entry of `url`: `sqlite:///path` or `mysql://user:password@host:port/name`.

    Raises ValueError for any other kind: the posting's statements are written and tested for these only.
    """
    entry = environ.Env.db_url_config(url)
    engine = str(entry["ENGINE"])
    if engine.endswith("sqlite3"):
        options = SQLITE_OPTIONS
    elif engine.endswith("mysql"):
        options = MYSQL_OPTIONS
    else:
        raise ValueError(f"DATABASE_URL must name SQLite, MariaDB or MySQL, not {engine}")
    entry["OPTIONS"] = {**options, **entry.get("OPTIONS", {})}
    # Kept for a minute and checked before each request: the server cuts idle sessions after SESSION_WAIT_TIMEOUT_S.
    entry["CONN_MAX_AGE"] = 60
    entry["CONN_HEALTH_CHECKS"] = True
    if test_name:
        entry["TEST"] = {"NAME": test_name}
    return entry
