"""Reads from the till's file each document that it ever wrote: what was sold, what followed, what the server lacks.

The journal keeps recorded sales, so that a sale of last week can be voided, returned or paid without a network.
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

# Codes of sales that the server keeps and that may still take effect. With any other code the server has refused it.
CODES_STILL_TO_COME = (None, "origine_inconnue", "echec_interne", "echec_processus")
# Codes of sales that the server could not read and so never accepted: only this till has them.
CODES_NEVER_ACCEPTED = ("json_invalide", "lot_trop_grand")

# What computing the amounts of a document made elsewhere may raise. The server could not read such a document either.
UNREADABLE = (ArithmeticError, AttributeError, KeyError, TypeError, ValueError)

# The latest state of each document: from the queue, else from the journal.
DOCUMENTS = """
SELECT documents.number, documents.day, coalesce(queue.content, journal.content), queue.state, queue.code,
       journal.status, journal.registration_number, journal.amount, journal.money,
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
        """This till's documents that follow this sale, under either of its numbers, oldest first."""
        names = [record.number, record.registration_number or record.number]
        return list(self._read("WHERE documents.origin IN (?, ?) ORDER BY documents.rowid", *names))

    def of_day(self, day: str) -> list[Record]:
        """Every document of the till's day, in the order in which they were written."""
        return list(self._read("WHERE documents.day = ? ORDER BY documents.rowid", day))

    def held(self) -> list[Record]:
        """The documents that the server has not accepted yet."""
        return [record for record in self._read("WHERE queue.number IS NOT NULL ORDER BY queue.id") if record.is_held]

    def _read(self, condition: str, *values: str) -> Iterator[Record]:
        for row in self.file.execute(f"{DOCUMENTS} {condition}", values):
            yield Record(*(*row[:-1], bool(row[-1])))


@dataclass(frozen=True)
class Record:
    """One document and its state: `state` while it is in the queue, `status` once it is in the journal."""

    number: str
    day: str
    content: str
    state: str | None
    code: str | None
    status: str | None
    registration_number: str | None
    server_amount: str | None  # its amount, as the server computed it
    server_money: str | None  # the money that it moved, as the server said: JSON
    was_never_accepted: bool

    @cached_property
    def document(self) -> dict[str, Any]:
        return read_json(self.content)

    @property
    def kind(self) -> str:
        return self.document.get("type") or "vente"

    @property
    def is_held(self) -> bool:
        """Whether only this till has it."""
        return self.was_never_accepted and (self.state != TO_CORRECT or self.code in CODES_NEVER_ACCEPTED)

    @property
    def counts(self) -> bool:
        """Whether it has taken effect or may still: it was not refused or set aside."""
        if self.state == TO_CORRECT or self.status == "set_aside":
            return False
        return self.state != KEPT or self.code in CODES_STILL_TO_COME
