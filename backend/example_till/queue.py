"""The sales that a till still holds, the batches they are sent in, and the journal of recorded sales.

They are in the till's file (`book.py`), whose triggers keep a sale from being edited or lost. Standard library only.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from backend.example_till.amounts import exact_json
from backend.example_till.book import Book

BATCH_BYTES_MAX = 1024 * 1024

# The states of a sale in the queue, and what moves it on.
TO_SEND = "envoyer"  # just sold, or the server said `renvoyer`: the next batch takes it
WAITING = "attendre"  # in a batch, until the batch's receipt moves it on
KEPT = "garder"  # the server has it, and the shop corrects it there: each `sync` asks about it; never resent
TO_CORRECT = "corriger"  # will never be recorded as it is: a person at this till has to correct it


class Queue:
    """The sales in the book. Every method is one transaction; `Book.transaction` combines several."""

    def __init__(self, book: Book) -> None:
        self.book, self.file = book, book.file

    # --- Sales ---

    def append(self, document: dict[str, Any], *, day: str) -> str:
        """Write a document of the till's day `day`, and return its number. Raises NumberTaken if the file has ever had
        that number: only the text written here is ever sent under it."""
        number, content = str(document["numero_facture"]), exact_json(document)
        if self.knows(number):
            raise NumberTaken(number)
        named = document.get("origine") or {}
        origin = named.get("numero_facture") or named.get("numero_enregistrement")
        with self.book.transaction():
            self.file.execute("INSERT INTO queue (number, content) VALUES (?, ?)", [number, content])
            self.file.execute("INSERT INTO documents (number, day, origin) VALUES (?, ?, ?)", [number, day, origin])
        return number

    def next_number(self, day: str) -> str:
        """FAC-20241104-001, then -002: a number that this file has never had."""
        while True:
            number = f"{day}-{self.book.count(day):03d}"
            if not self.knows(number):
                return number

    def knows(self, number: str) -> bool:
        return self.book.exists("documents WHERE number = ?", number)

    def restore(self, numbers: Iterable[str]) -> int:
        """Queue again the sales that the server says it does not have; return how many there were.

        From the journal too: the server may have been restored from a backup. The text is the same, so a sale that the
        server has after all comes back as a duplicate. Sales that wait for a receipt, or for a person, stay where they
        are.
        """
        restored = 0
        with self.book.transaction():
            for number in numbers:
                restored += self.file.execute(
                    "INSERT INTO queue (number, content) SELECT number, content FROM journal WHERE number = ?", [number]
                ).rowcount
                self.file.execute("DELETE FROM journal WHERE number = ?", [number])
                restored += self.file.execute(
                    "UPDATE queue SET state = 'envoyer', code = NULL, sentence = NULL"
                    " WHERE number = ? AND state = 'garder'",
                    [number],
                ).rowcount
        return restored

    def sales(self) -> list[QueuedSale]:
        rows = self.file.execute("SELECT number, state, code, sentence, content FROM queue ORDER BY id")
        return [QueuedSale(*row) for row in rows]

    def journal(self, *, after: int = 0) -> list[RecordedSale]:
        rows = self.file.execute(
            "SELECT number, status, server_id, registration_number FROM journal WHERE id > ? ORDER BY id", [after]
        )
        return [RecordedSale(*row) for row in rows]

    def journal_end(self) -> int:
        return self.file.execute("SELECT coalesce(max(id), 0) FROM journal").fetchone()[0]

    # --- Batches ---

    def batch_to_send(self, *, sales_max: int) -> Batch | None:
        """The oldest batch without a receipt; else a new batch, which is in the file before it is posted."""
        with self.book.transaction():
            if not self.book.exists("batches WHERE receipt IS NULL"):
                self._make_batch(self._oldest_sales_to_send(sales_max))
            return self._oldest_batch("receipt IS NULL")

    def batch_to_poll(self) -> Batch | None:
        return self._oldest_batch("receipt IS NOT NULL")

    def has_work(self) -> bool:
        return self.book.exists("queue WHERE state IN ('envoyer', 'attendre')")

    def has_something_to_send(self) -> bool:
        return self.book.exists("queue WHERE state = 'envoyer'") or self.book.exists("batches WHERE receipt IS NULL")

    def numbers_waiting(self, batch: Batch) -> list[str]:
        rows = self.file.execute("SELECT number FROM queue WHERE batch = ? ORDER BY id", [batch.id])
        return [number for (number,) in rows]

    def accept(self, batch: Batch, *, receipt: str) -> None:
        self.file.execute("UPDATE batches SET receipt = ?, etag = NULL WHERE id = ?", [receipt, batch.id])

    def settle(
        self, entries: list[dict[str, Any]], *, batch: Batch | None, etag: str | None = None
    ) -> list[QueuedSale | RecordedSale]:
        """Do what the server says for each sale of `batch` (of the kept sales, if None); return those that moved.

        The ETag is stored in the same transaction, so a later 304 proves that all of the answer has been acted on.
        """
        moved: list[QueuedSale | RecordedSale] = []
        with self.book.transaction():
            for entry in entries:
                number, action = entry["numero_facture"], entry.get("action")
                sale_id = self._sale_id(number, batch)
                if sale_id is None or (batch is None and action == KEPT):
                    continue  # not one of these sales, or nothing new about it
                if action == "purger":
                    moved.append(self._purge(sale_id, number, entry))
                elif action in (KEPT, TO_CORRECT, "renvoyer"):
                    state = TO_SEND if action == "renvoyer" else action
                    moved.append(self._move(sale_id, state, code=entry.get("code"), sentence=entry.get("erreur")))
                # After `attendre`, or an action that this till does not know, the sale stays where it is.
            if batch is not None:
                self.file.execute("UPDATE batches SET etag = coalesce(?, etag) WHERE id = ?", [etag, batch.id])
            self._drop_empty_batches()
        return moved

    def halve(self, batch: Batch, *, code: str, sentence: str) -> None:
        """Split a batch that was refused as a whole into two. A sale refused alone is left to a person, so that a sale
        that the server cannot read does not hold back those behind it."""
        with self.book.transaction():
            sales = self._take_apart(batch)
            if len(sales) == 1:
                self._move(sales[0][0], TO_CORRECT, code=code, sentence=sentence)
            else:
                self._make_batch(sales[: len(sales) // 2])
                self._make_batch(sales[len(sales) // 2 :])

    def rekey(self, batch: Batch) -> None:
        """Put the same sales into a new batch with a new key."""
        with self.book.transaction():
            self._make_batch(self._take_apart(batch))

    # --- Inside a transaction ---

    def _oldest_sales_to_send(self, sales_max: int) -> list[tuple[int, str]]:
        rows = self.file.execute(
            "SELECT id, content FROM queue WHERE state = 'envoyer' ORDER BY id LIMIT ?", [sales_max]
        ).fetchall()
        size_bytes = 0
        for count, (_, content) in enumerate(rows):
            size_bytes += len(content.encode())
            if size_bytes > BATCH_BYTES_MAX and count > 0:
                return rows[:count]
        return rows

    def _make_batch(self, sales: list[tuple[int, str]]) -> None:
        """Store the exact bytes that will be posted: the sales as they were written, as a JSON array."""
        if not sales:
            return
        body = "[" + ",\n".join(content for _, content in sales) + "]"
        batch_id = self.file.execute(
            "INSERT INTO batches (key, body) VALUES (?, ?)", [str(uuid.uuid4()), body.encode()]
        ).lastrowid
        self.file.executemany(
            "UPDATE queue SET state = 'attendre', batch = ? WHERE id = ?", [(batch_id, sale_id) for sale_id, _ in sales]
        )

    def _take_apart(self, batch: Batch) -> list[tuple[int, str]]:
        sales = self.file.execute("SELECT id, content FROM queue WHERE batch = ? ORDER BY id", [batch.id]).fetchall()
        self.file.execute("UPDATE queue SET state = 'envoyer', batch = NULL WHERE batch = ?", [batch.id])
        self._drop_empty_batches()
        return sales

    def _drop_empty_batches(self) -> None:
        """Delete batches in which no sale waits any more."""
        self.file.execute("DELETE FROM batches WHERE id NOT IN (SELECT batch FROM queue WHERE batch IS NOT NULL)")

    def _oldest_batch(self, condition: str) -> Batch | None:
        """The oldest by its sales, not by its id: the halves of a refused batch have higher ids than later batches."""
        row = self.file.execute(
            "SELECT batches.id, key, body, receipt, etag, count(*) FROM batches JOIN queue ON queue.batch = batches.id"
            f" WHERE {condition} GROUP BY batches.id ORDER BY min(queue.id) LIMIT 1"
        ).fetchone()
        return row and Batch(*row)

    def _sale_id(self, number: str, batch: Batch | None) -> int | None:
        """The id of a sale of this batch, or of a kept sale; None for a sale that was not sent, since no answer is
        about it."""
        condition, value = ("state = ?", KEPT) if batch is None else ("batch = ?", batch.id)
        row = self.file.execute(f"SELECT id FROM queue WHERE number = ? AND {condition}", [number, value]).fetchone()
        return row and row[0]

    def _purge(self, sale_id: int, number: str, entry: dict[str, Any]) -> RecordedSale:
        """Move a sale to the journal, the only way out of the queue: a trigger refuses any other."""
        recorded = RecordedSale(number, entry["status"], entry.get("id"), entry.get("numero_enregistrement"))
        self.file.execute(
            "INSERT INTO journal (number, content, status, server_id, registration_number, purged_at, amount, money)"
            " SELECT number, content, ?, ?, ?, ?, ?, ? FROM queue WHERE id = ?",
            [
                recorded.status,
                recorded.server_id,
                recorded.registration_number,
                datetime.now(UTC).isoformat(),
                entry.get("montant_total"),
                exact_json(entry["argent"]) if "argent" in entry else None,
                sale_id,
            ],
        )
        self.file.execute("DELETE FROM queue WHERE id = ?", [sale_id])
        return recorded

    def _move(self, sale_id: int, state: str, *, code: str | None, sentence: str | None) -> QueuedSale:
        self.file.execute(
            "UPDATE queue SET state = ?, batch = NULL, code = ?, sentence = ? WHERE id = ?",
            [state, code, sentence, sale_id],
        )
        columns = "number, state, code, sentence, content"
        return QueuedSale(*self.file.execute(f"SELECT {columns} FROM queue WHERE id = ?", [sale_id]).fetchone())


@dataclass(frozen=True)
class QueuedSale:
    """A sale that the till still holds; `content` is its JSON."""

    number: str
    state: str
    code: str | None
    sentence: str | None
    content: str

    def __str__(self) -> str:
        meaning = {
            TO_SEND: "à envoyer",
            WAITING: "en attente du serveur",
            KEPT: "à corriger en boutique",
            TO_CORRECT: "refusée, à corriger à la caisse",
        }[self.state]
        return f"{self.number} : {meaning}" + (f" ({self.sentence})" if self.sentence else "")


@dataclass(frozen=True)
class RecordedSale:
    """A sale that the server has recorded, with its number in the shop's register."""

    number: str
    status: str
    server_id: int | None
    registration_number: str | None

    def __str__(self) -> str:
        meanings = {
            "created": "enregistrée",
            "voided": "annulation faite",
            "returned": "retour fait",
            "paid": "paiement fait",
            "duplicate": "déjà enregistrée",
            "set_aside": "mise de côté en boutique",
        }
        known_as = self.registration_number or self.server_id
        return f"{self.number} : {meanings.get(self.status, self.status)}" + (f" ({known_as})" if known_as else "")


@dataclass(frozen=True)
class Batch:
    """A batch to send: always the same bytes under the same key."""

    id: int
    key: str
    body: bytes
    receipt: str | None
    etag: str | None
    sale_count: int


class NumberTaken(Exception):
    """This file has had a sale with this number already: a number is used once."""
