"""Adds what this process counted to the rows of `ops.Tally`, about once a second and only if something was counted.

What cannot be written stays in memory and goes in later. A process that is killed takes its last second with it
(docs/decisions/0010).
"""

import atexit
import contextlib
import threading
from collections.abc import Mapping

import structlog
from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

from backend.db import dialect
from backend.observability import counters
from backend.observability.counters import Series

log = structlog.get_logger("caisse.tallies")

FLUSH_EVERY_S = 1.0
# While the database is away every process would ask it every second, and say so in its log.
FLUSH_AFTER_FAILURE_S = 5.0
FLUSH_AT_END_S_MAX = 2.0


def flush() -> bool:
    """Write down what was counted; return whether nothing is left. One attempt: the next one comes in a moment."""
    counted = counters.take()
    if not counted:
        return True
    try:
        # They are no sale of a till: a power cut may take the last second.
        with dialect.relaxed_commits(connection):
            _add(counted)
    except Error as error:
        # Also what does not pass by itself, such as a table that is not there yet.
        counters.put_back(counted)
        log.warning("tallies_kept", error=type(error).__name__)
        return False
    return True


def _add(counted: Mapping[Series, float]) -> None:
    """Add in one transaction, in the order of the keys, so that two processes wait for each other and never in a ring.

    When the answer to COMMIT is lost, nobody knows whether it was done; then the counts are dropped: a counter may miss
    a second, and never counts one twice.
    """
    is_committing = False
    try:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            for series, amount in sorted(counted.items()):
                # The row is nearly always there, and an INSERT would use up an id a second and lock more than the row.
                cursor.execute(
                    "UPDATE ops_tally SET value = value + %s WHERE name = %s AND labels = %s", [amount, *series]
                )
                if not cursor.rowcount:
                    _insert(cursor, series, amount)
            is_committing = True
    except (OperationalError, InterfaceError) as error:
        if not is_committing:
            raise
        log.warning("tallies_uncertain", error=type(error).__name__)


def _insert(cursor: CursorWrapper, series: Series, amount: float) -> None:
    """Insert a row, or add to the one that another process has inserted meanwhile."""
    cursor.execute(
        "INSERT INTO ops_tally (name, labels, value) VALUES (%s, %s, %s) "
        f"{dialect.on_conflict_update(connection, key='name, labels')} "
        f"value = ops_tally.value + {dialect.offered(connection, 'value')}",
        [*series, amount],
    )


class _Flusher:
    """The thread of this process that writes down what it counted."""

    def __init__(self) -> None:
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tallies", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        """Write down the rest, unless the database takes too long: nobody's end is held up for a count."""
        self._end.set()
        self._thread.join(FLUSH_AT_END_S_MAX)

    def _run(self) -> None:
        pause_s = FLUSH_EVERY_S
        while not self._end.wait(pause_s):
            pause_s = FLUSH_EVERY_S if self._flush() else FLUSH_AFTER_FAILURE_S
        self._flush()

    def _flush(self) -> bool:
        try:
            return flush()
        finally:
            # The server cuts sessions that are idle for a few seconds, and some processes count once an hour.
            with contextlib.suppress(Error):
                connection.close()


class _Beginning:
    """Starts this process's flusher at its first count. A child that was forked has none: threads are not forked."""

    def __init__(self) -> None:
        self._flusher: _Flusher | None = None

    def begin(self) -> None:
        self._flusher = _Flusher()
        self._flusher.start()

    def finish(self) -> None:
        if self._flusher is not None:
            self._flusher.finish()


_beginning = _Beginning()


def begin_in_serving_processes() -> None:
    """Have counts written down in processes that serve. A command's counts are nobody's, and tests write their own."""
    if settings.ROLE in counters.ROLES:
        counters.at_first_count(_beginning.begin)
        atexit.register(finish)


def finish() -> None:
    """Write down the last counts at a polite end. Repeated it does nothing."""
    _beginning.finish()
