"""The database settings that the promises need, for the system checks and the doctor."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

from backend.db.database_url import LOCK_WAIT_TIMEOUT_S, SESSION_WAIT_TIMEOUT_S
from backend.db.dialect import is_sqlite

# Room for one packet with the largest batch, if it cannot be compressed, and the rest of its statement.
PACKET_BYTES_MIN = 16 * 1024 * 1024
STRICT_MODES = {"STRICT_TRANS_TABLES", "STRICT_ALL_TABLES"}
# MariaDB called it tx_isolation until 11.1, MySQL renamed it in 8.0.
ISOLATION_NAMES = ("transaction_isolation", "tx_isolation")


@dataclass(frozen=True, slots=True)
class WrongSetting:
    """A setting that breaks a promise. `wanted`: the right value, as in a configuration file."""

    name: str
    found: str
    wanted: str


def wrong_durability(connection: BaseDatabaseWrapper) -> Iterator[WrongSetting]:
    """Yield the settings with which a machine's crash may lose a batch that was answered with 202 (P1)."""
    if is_sqlite(connection):
        yield from _wrong_pragmas(connection, {"journal_mode": ("wal", {"wal"}), "synchronous": ("FULL", {"2", "3"})})
        return
    found = read_variables(connection, "innodb_flush_log_at_trx_commit", "sync_binlog", "log_bin")
    if found["innodb_flush_log_at_trx_commit"] != "1":
        yield WrongSetting("innodb_flush_log_at_trx_commit", found["innodb_flush_log_at_trx_commit"], "1")
    if found.get("log_bin") != "OFF" and found.get("sync_binlog") != "1":
        yield WrongSetting("sync_binlog", found.get("sync_binlog", ""), "1")


def wrong_packet(connection: BaseDatabaseWrapper) -> Iterator[WrongSetting]:
    """Yield max_allowed_packet if it is so small that a large batch looks like a lost connection."""
    if is_sqlite(connection):
        return
    found = read_variables(connection, "max_allowed_packet")["max_allowed_packet"]
    if int(found) < PACKET_BYTES_MIN:
        yield WrongSetting("max_allowed_packet", found, f"{PACKET_BYTES_MIN}")


def wrong_session(connection: BaseDatabaseWrapper) -> Iterator[WrongSetting]:
    """Yield the session settings that should have been set when the session connected, and were not."""
    if is_sqlite(connection):
        yield from _wrong_pragmas(connection, {"foreign_keys": ("ON", {"1"})})
        mode = connection.settings_dict["OPTIONS"].get("transaction_mode") or "DEFERRED"
        if mode != "IMMEDIATE":
            yield WrongSetting("transaction_mode", mode, "IMMEDIATE")
        return
    found = read_variables(connection, *ISOLATION_NAMES, "sql_mode", "character_set_connection", "time_zone")
    isolation = next(found[name] for name in ISOLATION_NAMES if name in found)
    if isolation != "READ-COMMITTED":
        yield WrongSetting("transaction_isolation", isolation, "READ-COMMITTED")
    if not STRICT_MODES & set(found["sql_mode"].split(",")):
        yield WrongSetting("sql_mode", found["sql_mode"], "TRADITIONAL")
    if found["character_set_connection"] != "utf8mb4":
        yield WrongSetting("character_set_connection", found["character_set_connection"], "utf8mb4")
    if found["time_zone"] != "+00:00":
        yield WrongSetting("time_zone", found["time_zone"], "+00:00")


def wrong_patience(connection: BaseDatabaseWrapper) -> Iterator[WrongSetting]:
    """Yield the settings that let a frozen process keep its locks, or a poster wait for them, for too long (P10)."""
    if is_sqlite(connection):
        return
    found = _read_new_session(connection, "wait_timeout", "innodb_lock_wait_timeout")
    limits = {"wait_timeout": SESSION_WAIT_TIMEOUT_S, "innodb_lock_wait_timeout": LOCK_WAIT_TIMEOUT_S}
    for name, most in limits.items():
        if int(found[name]) > most:
            yield WrongSetting(name, found[name], f"{most}")
    read_timeout = connection.settings_dict["OPTIONS"].get("read_timeout")
    # If it is shorter than the lock wait, a lock looks like a dead server. If it is not set, a query waits for a dead
    # server without end.
    if not read_timeout or int(read_timeout) <= LOCK_WAIT_TIMEOUT_S:
        yield WrongSetting("read_timeout", f"{read_timeout}", f"> {LOCK_WAIT_TIMEOUT_S}")


def read_variables(connection: BaseDatabaseWrapper, *names: str) -> dict[str, str]:
    """Return this session's values of these variables, for those that the server has."""
    with connection.cursor() as cursor:
        cursor.execute(_show(names), names)
        return dict(cursor.fetchall())


def _read_new_session(connection: BaseDatabaseWrapper, *names: str) -> dict[str, str]:
    """Return the values of these variables in a new session, because a long command changes its own session's."""
    with closing(connection.get_new_connection(connection.get_connection_params())) as session:
        cursor = session.cursor()
        cursor.execute(_show(names), names)
        return dict(cursor.fetchall())


def _show(names: tuple[str, ...]) -> str:
    return f"SHOW SESSION VARIABLES WHERE Variable_name IN ({', '.join(['%s'] * len(names))})"


def _wrong_pragmas(connection: BaseDatabaseWrapper, wanted: dict[str, tuple[str, set[str]]]) -> Iterator[WrongSetting]:
    with connection.cursor() as cursor:
        for name, (text, right) in wanted.items():
            cursor.execute(f"PRAGMA {name}")
            (found,) = cursor.fetchone()
            if str(found).lower() not in right:
                yield WrongSetting(name, str(found), text)
