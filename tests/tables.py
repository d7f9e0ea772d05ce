"""What the tables hold before and after a test: nothing, or the cast that many tests share."""

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.test import override_settings

from backend.db import dialect
from backend.testing import Cast

NEVER = datetime.min.replace(tzinfo=UTC)
# By which tests ask what today is: the server's, and a shop's.
CALENDARS = (UTC, ZoneInfo("Africa/Kinshasa"))
# What migrations fill and no test changes.
KEPT_TABLES = frozenset({"django_migrations", "django_content_type", "auth_permission"})
# A table that somebody still uses cannot be emptied; on a machine at its limit the server needs a while to roll back.
METADATA_LOCK_WAIT_S = 60


@dataclass
class SharedCast:
    """The cast, committed once a process, of which each test in a transaction gets a copy: making it takes 50 queries.

    With a day of sales it takes a thousand. Every other test needs empty tables: `leave` then removes it all, and the
    next test that needs the cast makes it anew.
    """

    cast: Cast | None = None
    has_day: bool = False
    made_at: datetime = NEVER

    def enter(self, *, has_day: bool) -> None:
        """See to it that the cast is there, with or without its day, made so lately that it could be the test's own."""
        if self.cast is None or self.has_day != has_day or self._is_old():
            self.leave()
            self.has_day, self.made_at = has_day, datetime.now(UTC)
            self.cast = Cast()
            if has_day:
                from tests.doctor.planted_faults import busy_day

                with override_settings(BROKER_URL=""):
                    busy_day(self.cast)

    def leave(self) -> None:
        if self.cast is not None:
            empty_tables(connection)

    def _is_old(self) -> bool:
        """Whether it is another day somewhere, or a sale has been waiting for half a minute."""
        now = datetime.now(UTC)
        is_another_day = any(self.made_at.astimezone(zone).date() != now.astimezone(zone).date() for zone in CALENDARS)
        return is_another_day or (self.has_day and now - self.made_at > timedelta(seconds=30))


SHARED_CAST = SharedCast()


def empty_tables(connection: BaseDatabaseWrapper) -> None:
    """Remove every row that a test committed, and start the automatic ids from 1 again."""
    SHARED_CAST.cast = None
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
