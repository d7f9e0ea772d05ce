"""DATABASE_URL to Django's DATABASES entry, with the session settings that the promises need."""

from pathlib import Path
from urllib.parse import quote

import environ

# How long a session that says nothing may keep what it locked before the server cuts it and rolls back.
SESSION_WAIT_TIMEOUT_S = 5
LOCK_WAIT_TIMEOUT_S = 5

MYSQL_OPTIONS = {
    "charset": "utf8mb4",
    "isolation_level": "read committed",
    "connect_timeout": 2,
    # Above the lock wait, so that a lock is reported as a lock; below the soft limit, so that a dead server is noticed.
    "read_timeout": 15,
    "write_timeout": 15,
    "init_command": (
        "SET SESSION sql_mode='TRADITIONAL', "
        f"innodb_lock_wait_timeout={LOCK_WAIT_TIMEOUT_S}, wait_timeout={SESSION_WAIT_TIMEOUT_S}, time_zone='+00:00'"
    ),
}

SQLITE_OPTIONS = {
    # A transaction takes the write lock when it begins: readers that turn writers would dead-lock.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # FULL, because a 202 means durable: in WAL mode NORMAL may lose the last commits when the power goes.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
}


def of_sqlite(path: Path) -> str:
    """Return the DATABASE_URL of this file, wherever it lies: a folder may be called `c++` or `#1`."""
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
    # Kept a minute and looked at before each request: the server cuts idle sessions after SESSION_WAIT_TIMEOUT_S.
    entry["CONN_MAX_AGE"] = 60
    entry["CONN_HEALTH_CHECKS"] = True
    if test_name:
        entry["TEST"] = {"NAME": test_name}
    return entry
