"""What the till's file knows of each document it ever wrote: what was sold, what followed, what the server lacks.

The journal keeps what the server has, so that a sale of last week can be void, returned or paid with no network.
Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from backend.example_till.amounts import read_json
from backend.example_till.book import Book
from backend.example_till.queue import KEPT, TO_CORRECT

# Kept by the server and still to take effect. Under any other code the server has refused it: that counts for nothing.
CODES_STILL_TO_COME = (None, "origine_inconnue", "echec_interne")
# What was never accepted, because nothing could read it: only this till has it.
CODES_NEVER_ACCEPTED = ("json_invalide", "lot_trop_grand")

# What a document made elsewhere may raise when its amounts are looked at: nobody could read it, the server neither.
UNREADABLE = (ArithmeticError, AttributeError, KeyError, TypeError, ValueError)

# The newest word on each document: where it stands in the queue, else what the journal says of it.
DOCUMENTS = """
SELECT documents.number, documents.day, coalesce(queue.content, journal.content), queue.state, queue.code,
       journal.status, journal.registration_number, journal.amount,
       queue.number IS NOT NULL AND queue.state != 'garder' AND batches.receipt IS NULL
FROM documents LEFT JOIN queue USING (number) LEFT JOIN journal USING (number)
     LEFT JOIN batches ON batches.id = queue.batch
"""


class Records:
    """Reads the book; writes nothing."""

    def __init__(self, book: Book) -> None:
        self.book, self.file = book, book.file

    def find(self, number: str) -> Record | None:
        return next(self._read("WHERE documents.number = ?", number), None)

    def find_registered(self, registration_number: str) -> Record | None:
        return next(self._read("WHERE journal.registration_number = ?", registration_number), None)

    def followers_of(self, record: Record) -> list[Record]:
        """What followed this sale from this till, by either of its names, oldest first."""
        names = [record.number, record.registration_number or record.number]
        return list(self._read("WHERE documents.origin IN (?, ?) ORDER BY documents.rowid", *names))

    def of_day(self, day: str) -> list[Record]:
        """Every document of the till's day, in the order in which they were written."""
        return list(self._read("WHERE documents.day = ? ORDER BY documents.rowid", day))

    def held(self) -> list[Record]:
        """What the server has not accepted yet: it cannot know that these exist."""
        return [record for record in self._read("WHERE queue.number IS NOT NULL ORDER BY queue.id") if record.is_held]

    def _read(self, condition: str, *values: str) -> Iterator[Record]:
        for row in self.file.execute(f"{DOCUMENTS} {condition}", values):
            yield Record(*(*row[:-1], bool(row[-1])))


@dataclass(frozen=True)
class Record:
    """One document: its text, and where it stands. `state` while it is in the queue, `status` once it left."""

    number: str
    day: str
    content: str
    state: str | None
    code: str | None
    status: str | None
    registration_number: str | None
    server_amount: str | None  # what the server said that it comes to
    was_never_accepted: bool

    @cached_property
    def document(self) -> dict[str, Any]:
        return read_json(self.content)

    @property
    def kind(self) -> str:
        return self.document.get("type") or "vente"

    @property
    def is_held(self) -> bool:
        """Only this till has it."""
        return self.was_never_accepted and (self.state != TO_CORRECT or self.code in CODES_NEVER_ACCEPTED)

    @property
    def counts(self) -> bool:
        """It has taken effect, or will: nobody has refused it or set it aside."""
        if self.state == TO_CORRECT or self.status == "set_aside":
            return False
        return self.state != KEPT or self.code in CODES_STILL_TO_COME
