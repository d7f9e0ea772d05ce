"""The transaction of a change to stock or catalogue: its own, retried, or the one that is already open."""

from collections.abc import Callable
from typing import TypeVar

from django.db import connection, transaction

from backend.db.transients import bounded_time, retrying

Result = TypeVar("Result")


def in_transaction(operation: Callable[[], Result], *, name: str) -> Result:
    """Run `operation` in bounded time, in a transaction of its own, and retry it after transient faults.

    Inside an open transaction it joins and is not retried: a deadlock has also undone what came before, so only the
    code that opened the transaction can retry.
    `operation` may find that an earlier attempt was committed, because only the answer to its COMMIT was lost.
    """

    def attempt() -> Result:
        with transaction.atomic(), bounded_time():
            return operation()

    if connection.in_atomic_block:
        return attempt()
    return retrying(attempt, name=name)
