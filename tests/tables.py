"""What the tables hold before and after a test: nothing, or the cast that many tests share."""

import contextlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from backend.db import dialect
from backend.testing import Cast

# What migrations fill and no test changes.
KEPT_TABLES = frozenset({"django_migrations", "django_content_type", "auth_permission"})
# A table that somebody still uses cannot be emptied; on a machine at its limit the server needs a while to roll back.
METADATA_LOCK_WAIT_S = 60


@dataclass
class StandingCast:
    """The cast, committed once a process, of which each test in a transaction gets a copy: making it takes 50 queries.

    Everything else wants empty tables: `leave` then takes it away, and the next test that wants it makes it anew.
    """

    cast: Cast | None = None
    made_on: frozenset[date] = frozenset()

    def enter(self) -> None:
        """See to it that the cast is there, made today by everybody's calendar."""
        today = frozenset(datetime.now(zone).date() for zone in (UTC, ZoneInfo("Africa/Kinshasa")))
        if self.cast is None or self.made_on != today:
            self.leave()
            self.cast, self.made_on = Cast(), today

    def leave(self) -> None:
        if self.cast is not None:
            empty_tables(connection)


STANDING = StandingCast()


def empty_tables(connection: BaseDatabaseWrapper) -> None:
    """Remove every row that a test committed, and start the automatic ids from 1 again."""
    STANDING.cast = None
    tables = sorted(set(connection.introspection.table_names()) - KEPT_TABLES)
    with connection.cursor() as cursor:
        filled = _filled(cursor, tables)
        if not filled:
            return
        if dialect.is_sqlite(connection):
            _delete_rows(connection, filled)
        else:
            _truncate(connection, filled)


def _filled(cursor: CursorWrapper, tables: list[str]) -> list[str]:
    """Return the tables that have rows, asked for all at once: this is done after every test that commits."""
    cursor.execute(" UNION ALL ".join(f"SELECT '{one}' WHERE EXISTS (SELECT 1 FROM `{one}`)" for one in tables))
    return [name for (name,) in cursor.fetchall()]


def _truncate(connection: BaseDatabaseWrapper, tables: list[str]) -> None:
    """TRUNCATE fires no DELETE trigger, so the append-only tables can be emptied with their triggers in place."""
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        _end_other_sessions(cursor)
        cursor.execute(f"SET SESSION lock_wait_timeout = {METADATA_LOCK_WAIT_S}")
        for table in tables:
            cursor.execute(f"TRUNCATE TABLE `{table}`")


def _end_other_sessions(cursor: object) -> None:
    """Cut what killed processes left behind: their sessions live on in the server until it has finished with them."""
    cursor.execute("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()")
    for (session,) in cursor.fetchall():
        with contextlib.suppress(OperationalError):  # gone meanwhile
            cursor.execute(f"KILL {session}")


def _delete_rows(connection: BaseDatabaseWrapper, tables: list[str]) -> None:
    """SQLite has no TRUNCATE: the triggers are taken away for the moment and put back."""
    dialect.drop_triggers(connection)
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"DELETE FROM `{table}`")
        cursor.execute("DELETE FROM sqlite_sequence")
    dialect.install_triggers(connection)
