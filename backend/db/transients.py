"""Transient failures, which pass by themselves: the whole transaction is tried again, and no sale is blamed."""

import contextlib
import logging
import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

from backend.observability import counters

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

ATTEMPTS_MAX = 6
BACKOFF_BASE_S = 0.02
# The longest time of a transaction that stamps its changes. Change cursors rely on it.
TRANSACTION_S_MAX = 60

# Lock wait, row lock refused (MySQL's NOWAIT), dead-lock, snapshot changed meanwhile (MariaDB 11.6+).
CONTENTION = {1205: "lock_wait", 3572: "lock_wait", 1213: "deadlock", 1020: "snapshot_changed"}
# Shutdown, killed, no server, gone away, lost during a query, reset, idle for too long.
DISCONNECTION = {1053, 1927, 2002, 2003, 2006, 2013, 2055, 4031}
# Disk full, too many sessions, interrupted by an operator, table full, read-only (as after a fail-over). These hit
# every sale: if they were not transient, each sale of a night would fail and wait for a person.
DISTRESS = {1021, 1040, 1317, 1114, 1290, 1836}
REASONS = (*dict.fromkeys(CONTENTION.values()), "disconnected", "distress", "sqlite_busy", "too_long")
counters.register_values("caisse_retries_total", REASONS)
SQLITE_WORDS = ("database is locked", "database table is locked", "database or disk is full", "disk I/O error")


class TookTooLong(OperationalError):
    """A transaction lasted longer than TRANSACTION_S_MAX. It is rolled back and tried again with a new time."""


@contextlib.contextmanager
def bounded_time() -> Iterator[None]:
    """Bound the time of a transaction, by wrapping all of its work inside `atomic()`. Raises TookTooLong.

    A change carries the time at which its transaction began. Change cursors step back by more than any transaction
    lasts, so they miss no change that commits late (docs/decisions).
    """
    began = time.monotonic()
    yield
    if time.monotonic() - began > TRANSACTION_S_MAX:
        raise TookTooLong(f"the transaction lasted longer than {TRANSACTION_S_MAX} s")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and its causes: the first cause is often hidden behind a failed roll-back."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [current.__cause__, current.__context__]


def _codes(error: BaseException) -> set[int]:
    return {e.args[0] for e in _chain(error) if e.args and isinstance(e.args[0], int)}


def is_disconnection(error: BaseException) -> bool:
    """Return whether the session is gone. Then close the connection: Django would keep the broken one."""
    return isinstance(error, InterfaceError) or bool(_codes(error) & DISCONNECTION)


def is_transient(error: BaseException) -> bool:
    """Return whether the whole transaction should be tried again after `error`, an exception of the database driver."""
    if not any(isinstance(e, OperationalError | InterfaceError) for e in _chain(error)):
        return False
    if any(isinstance(e, TookTooLong) for e in _chain(error)):
        return True
    if is_disconnection(error) or _codes(error) & (CONTENTION.keys() | DISTRESS):
        return True
    return any(words in str(e) for e in _chain(error) for words in SQLITE_WORDS)


def reason_of(error: BaseException) -> str:
    """Return the label under which a transient fault is counted."""
    if any(isinstance(e, TookTooLong) for e in _chain(error)):
        return "too_long"
    if is_disconnection(error):
        return "disconnected"
    codes = _codes(error)
    if codes & DISTRESS:
        return "distress"
    return next((reason for code, reason in CONTENTION.items() if code in codes), "sqlite_busy")


def pause_before_retry(attempt: int) -> None:
    """Sleep a random time that grows with `attempt` (from 0), so that two rivals do not collide again."""
    time.sleep(random.random() * BACKOFF_BASE_S * 2**attempt)


def retrying(operation: Callable[[], Result], *, name: str) -> Result:
    """Run `operation`, one whole transaction, and run it again after each transient fault; the last fault is raised.

    If the answer to COMMIT is lost, it is unknown whether it was done: `operation` must check the rows before it acts.
    """
    for attempt in range(ATTEMPTS_MAX):
        try:
            return operation()
        except Exception as error:
            if is_disconnection(error):
                connection.close()
            if attempt + 1 == ATTEMPTS_MAX or not is_transient(error):
                raise
            counters.count("caisse_retries_total", reason=reason_of(error))
            logger.warning("transient", extra={"operation": name, "attempt": attempt + 1, "error": str(error)})
            pause_before_retry(attempt)
    raise AssertionError("unreachable: the last attempt returns or raises")
