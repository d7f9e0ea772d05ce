"""The differences between MariaDB, MySQL and SQLite, in one file.

Text keys, uuids, row locks, the invoice sequence and the triggers that make history append-only. No other module asks
which database it runs on.
"""

import contextlib
import re
import unicodedata
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import overload

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import F, Q
from django.db.models.functions import Collate
from django.db.models.lookups import IContains

# Tables whose rows are written once (promise P6). The database itself refuses changes, not only the code.
APPEND_ONLY_TABLES = (
    "sales_batchbody",
    "inventory_stockmovement",
    "sales_outcomehistory",
    "sales_moneymovement",
    "shops_exchangerate",
)
REFUSED_VERBS = ("update", "delete")
# On MySQL: a function that lists the triggers for accounts that may not see them. It runs with the rights of the
# account that migrates.
TELLING_FUNCTION = "append_only_triggers"


def is_sqlite(connection: BaseDatabaseWrapper) -> bool:
    return connection.vendor == "sqlite"


def _is_mariadb(connection: BaseDatabaseWrapper) -> bool:
    """Return whether the server is MariaDB and not MySQL. Only for Django's MySQL backend."""
    return connection.mysql_is_mariadb  # type: ignore[attr-defined]  # only the MySQL backend has it


def exact_collation(connection: BaseDatabaseWrapper) -> str | None:
    """Return the collation under which `FAC-1`, `fac-1`, `FAC-1 ` and `FÁC-1` are four different keys.

    No collation exists on all of them: the defaults of MariaDB and MySQL see these four as one key, and `utf8mb4_bin`,
    which both have, still ignores trailing spaces on MariaDB. SQLite compares bytes by default.
    """
    if is_sqlite(connection):
        return None
    return "utf8mb4_nopad_bin" if _is_mariadb(connection) else "utf8mb4_0900_bin"


class KeyField(models.CharField):
    """Text that identifies something: compared byte for byte on every database."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, str | None]:
        return super().db_parameters(connection) | {"collation": exact_collation(connection)}


# Ignores case and accents, and is the one such collation that both MariaDB and MySQL have.
FOLDING_COLLATION = "utf8mb4_unicode_520_ci"


def contains_folded(connection: BaseDatabaseWrapper, field: str, text: str) -> Q:
    """Return the condition that a key contains `text`, whatever the case and the accents of either: for search only.

    SQLite has no such collation, and its LIKE folds the case of ASCII only; there, each letter is sought with its
    variants.
    """
    # Without marks also where the collation ignores them: LIKE compares letter by letter, and some are sent as two.
    plain = _without_marks(text)
    if is_sqlite(connection):
        return Q(**{f"{field}__iregex": "".join(map(_any_variant, plain))})
    return Q(IContains(Collate(F(field), FOLDING_COLLATION), plain))


def _without_marks(text: str) -> str:
    parts = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(part for part in parts if not unicodedata.combining(part)))


# The letters of Latin-1 and Latin Extended, by the letter that they are without their marks.
_VARIANTS: dict[str, str] = {}
for _letter in map(chr, range(0xC0, 0x250)):
    if (_plain := _without_marks(_letter)) != _letter:
        _VARIANTS[_plain] = _VARIANTS.get(_plain, "") + _letter


def _any_variant(letter: str) -> str:
    variants = _VARIANTS.get(letter.lower(), "") + _VARIANTS.get(letter.upper(), "")
    return f"[{letter}{variants}]" if variants else re.escape(letter)


def skip_locked(connection: BaseDatabaseWrapper) -> str:
    """Return the end of a SELECT that locks rows and skips locked ones. SQLite locks the database at BEGIN instead."""
    return "" if is_sqlite(connection) else " FOR UPDATE SKIP LOCKED"


def for_update(connection: BaseDatabaseWrapper) -> str:
    """Return the end of a SELECT that waits for its rows and locks them."""
    return "" if is_sqlite(connection) else " FOR UPDATE"


def insert_ignore(connection: BaseDatabaseWrapper) -> str:
    """Return the verb that inserts a row unless its key exists already."""
    return "INSERT OR IGNORE" if is_sqlite(connection) else "INSERT IGNORE"


def increment_returning(
    cursor: CursorWrapper, *, table: str, column: str, where: str, parameters: list[int]
) -> int | None:
    """Add one to `column` of the row that `where` selects, keep its lock, and return the new value; None without a row.

    LAST_INSERT_ID(expression) returns the value with the UPDATE itself. Reading it from an INSERT … ON DUPLICATE KEY
    was tried and gives 0 for the first number of a month, and 4 for the first of the second.
    """
    connection = cursor.db
    if is_sqlite(connection):
        cursor.execute(f"UPDATE {table} SET {column} = {column} + 1 WHERE {where} RETURNING {column}", parameters)
        row = cursor.fetchone()
        return row[0] if row else None
    cursor.execute(f"UPDATE {table} SET {column} = LAST_INSERT_ID({column} + 1) WHERE {where}", parameters)
    return cursor.lastrowid if cursor.rowcount else None


def on_conflict_update(connection: BaseDatabaseWrapper, *, key: str) -> str:
    """Return the text between an INSERT's values and the assignments for a row whose unique key exists already."""
    return f"ON CONFLICT ({key}) DO UPDATE SET" if is_sqlite(connection) else "ON DUPLICATE KEY UPDATE"


def offered(connection: BaseDatabaseWrapper, column: str) -> str:
    """Return the expression that, after `on_conflict_update`, means the value that the INSERT offered."""
    return f"excluded.{column}" if is_sqlite(connection) else f"VALUES({column})"


def trigger_name(table: str, verb: str) -> str:
    return f"{table}_no_{verb}"


def missing_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of the missing append-only triggers, for the tables that exist."""
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        if is_sqlite(connection):
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute("SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()")
        present = {name for (name,) in cursor.fetchall()} or _told_triggers(cursor)
    expected = [trigger_name(table, verb) for table in APPEND_ONLY_TABLES if table in tables for verb in REFUSED_VERBS]
    return [name for name in expected if name not in present]


def _told_triggers(cursor: CursorWrapper) -> set[str]:
    """Return the triggers that TELLING_FUNCTION lists: MySQL shows them only to accounts that may also drop them."""
    if is_sqlite(cursor.db) or _is_mariadb(cursor.db):
        return set()
    cursor.execute(
        "SELECT 1 FROM information_schema.routines WHERE routine_schema = DATABASE() AND routine_name = %s",
        [TELLING_FUNCTION],
    )
    if not cursor.fetchone():
        return set()
    cursor.execute(f"SELECT {TELLING_FUNCTION}()")
    return set((cursor.fetchone()[0] or "").split(","))


def install_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    """Create the append-only triggers that are missing and return their names.

    Run after every migration: SQLite rebuilds a table to alter it, and silently drops its triggers.
    """
    missing = missing_triggers(connection)
    if is_sqlite(connection):
        body = "BEGIN SELECT RAISE(ABORT, 'append-only: rows of this table never change'); END"
    else:
        body = "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'append-only: rows of this table never change'"
    with connection.cursor() as cursor:
        for table in APPEND_ONLY_TABLES:
            for verb in REFUSED_VERBS:
                name = trigger_name(table, verb)
                if name in missing:
                    cursor.execute(f"CREATE TRIGGER {name} BEFORE {verb.upper()} ON {table} FOR EACH ROW {body}")
        if not is_sqlite(connection) and not _is_mariadb(connection):
            cursor.execute(
                f"CREATE FUNCTION IF NOT EXISTS {TELLING_FUNCTION}() RETURNS text READS SQL DATA SQL SECURITY DEFINER"
                " RETURN (SELECT GROUP_CONCAT(trigger_name) FROM information_schema.triggers"
                " WHERE trigger_schema = DATABASE())"
            )
    return missing


def drop_triggers(connection: BaseDatabaseWrapper) -> None:
    """Remove the append-only triggers: for a migration that fills a column, and for tests that have no TRUNCATE."""
    with connection.cursor() as cursor:
        for table in APPEND_ONLY_TABLES:
            for verb in REFUSED_VERBS:
                cursor.execute(f"DROP TRIGGER IF EXISTS {trigger_name(table, verb)}")


@contextlib.contextmanager
def relaxed_commits(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """On SQLite, do not wait for the disk at commits in this block: for data that can be made again, never for sales.

    A power cut may lose the last of these transactions, each as a whole. It breaks nothing, because the write-ahead log
    stays in order. The first commit after the block waits for all of them.
    """
    if not is_sqlite(connection):
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        (before,) = cursor.fetchone()
        cursor.execute("PRAGMA synchronous = NORMAL")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA synchronous = {before:d}")


def naive_utc(moment: datetime) -> str:
    """Return an aware instant as a parameter of a hand-written statement: UTC, no offset, microseconds."""
    # Twice as fast as strftime, and a posting needs nine of them.
    # Django writes it the same way: on SQLite, which compares the text, a full second has no microseconds.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ")


@overload
def read_instant(value: datetime | str) -> datetime: ...
@overload
def read_instant(value: datetime | str | None) -> datetime | None: ...
def read_instant(value: datetime | str | None) -> datetime | None:
    """Return the aware instant for a value that a hand-written SELECT reads: naive UTC, as text on SQLite."""
    if value is None:
        return None
    return (datetime.fromisoformat(value) if isinstance(value, str) else value).replace(tzinfo=UTC)


def read_decimal(value: Decimal | float, *, places: int) -> Decimal:
    """Return the exact decimal for a value that a hand-written SELECT reads: SQLite has a float that prints alike."""
    return value if isinstance(value, Decimal) else Decimal(str(value)).quantize(Decimal(1).scaleb(-places))


def read_uuid(value: uuid.UUID | str) -> uuid.UUID:
    """Return the uuid for a value that a hand-written SELECT reads: with dashes on MariaDB, 32 digits on the others."""
    return value if isinstance(value, uuid.UUID) else uuid.UUID(value)
