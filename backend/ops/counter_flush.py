"""Adds what this process counted to the rows of `ops.Tally`, about once a second and only if something was counted.

Counts that cannot be written stay in memory and are written later. A killed process loses its last second
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
# While the database is away, a shorter pause would have every process ask it and log a failure each second.
FLUSH_AFTER_FAILURE_S = 5.0
FLUSH_AT_END_S_MAX = 2.0


def flush() -> bool:
    """Write what was counted in one attempt; return whether nothing is left. The next attempt follows in a moment."""
    counted = counters.take()
    if not counted:
        return True
    try:
        # Counts, unlike sales, need not survive a power cut.
        with dialect.relaxed_commits(connection):
            _add(counted)
    except Error as error:
        # Kept after lasting failures too, such as a table that does not exist yet.
        counters.put_back(counted)
        log.warning("tallies_kept", error=type(error).__name__)
        return False
    return True


def _add(counted: Mapping[Series, float]) -> None:
    """Add in one transaction, in the order of the keys, so that two processes cannot dead-lock.

    When the answer to COMMIT is lost, the counts are dropped, because they may have been written: a counter may miss a
    second, but never counts it twice.
    """
    is_committing = False
    try:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            for series, amount in sorted(counted.items()):
                # The row nearly always exists. An INSERT would use up an id a second and lock more than the row.
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
    """Insert the row, or add to it if another process has inserted it meanwhile."""
    cursor.execute(
        "INSERT INTO ops_tally (name, labels, value) VALUES (%s, %s, %s) "
        f"{dialect.on_conflict_update(connection, key='name, labels')} "
        f"value = ops_tally.value + {dialect.offered(connection, 'value')}",
        [*series, amount],
    )


class _Flusher:
    """The thread that writes this process's counts."""

    def __init__(self) -> None:
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tallies", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        """Write the rest, unless the database takes too long: the process must not end late because of a count."""
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
            # The server cuts idle sessions after a few seconds, and some processes count once an hour.
            with contextlib.suppress(Error):
                connection.close()


class _LazyFlusher:
    """Starts a flusher at the first count of each process: a forked child does not inherit its parent's threads."""

    def __init__(self) -> None:
        self._flusher: _Flusher | None = None

    def start(self) -> None:
        self._flusher = _Flusher()
        self._flusher.start()

    def finish(self) -> None:
        if self._flusher is not None:
            self._flusher.finish()


_flusher = _LazyFlusher()


def start_in_serving_processes() -> None:
    """Write counts in the processes that serve. A command's counts are dropped, and tests call `flush` themselves."""
    if settings.ROLE in counters.ROLES:
        counters.at_first_count(_flusher.start)
        atexit.register(finish)


def finish() -> None:
    """Write the last counts when the process ends in good order. A second call does nothing."""
    _flusher.finish()
