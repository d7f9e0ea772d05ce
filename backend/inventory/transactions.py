"""The transaction of a change to stock or catalogue: one's own, tried again, or the one that is open already."""

from collections.abc import Callable
from typing import TypeVar

from django.db import connection, transaction

from backend.db.transients import bounded_time, retrying

Result = TypeVar("Result")


def in_transaction(operation: Callable[[], Result], *, name: str) -> Result:
    """Run `operation` in bounded time: in a transaction of its own, again after each transient fault.

    Inside an open transaction it joins, and is not tried again: a dead-lock has undone what came before it too, so only
    who opened the transaction can begin anew.
    `operation` may find that an earlier attempt stands after all, because only the answer to its COMMIT was lost.
    """

    def attempt() -> Result:
        with transaction.atomic(), bounded_time():
            return operation()

    if connection.in_atomic_block:
        return attempt()
    return retrying(attempt, name=name)
