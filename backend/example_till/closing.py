"""The end of a day: stores what the cashier counted, without a network, and has it compared when there is one.

Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from backend.example_till.amounts import exact, exact_json, read_json
from backend.example_till.book import Book
from backend.example_till.moves import Move
from backend.example_till.queue import TO_CORRECT
from backend.example_till.records import UNREADABLE, Record, Records
from backend.example_till.sums import amount_of, moves_of, totals

Amounts = dict[str, Decimal]  # by currency

LISTED_MAX = 5000  # with more sales, the server compares only the sums

LISTS = {
    "manquantes": "Absentes du serveur",
    "en_trop": "Au serveur, et pas dans cette caisse",
    "en_attente": "Reçues, pas encore enregistrées",
    "a_corriger": "À corriger en boutique",
}


@dataclass(frozen=True)
class Closing:
    """A counted drawer; `answer` is the server's comparison of the day, None until it was asked."""

    id: int
    day: str
    drawer: dict[str, Any]
    answer: dict[str, Any] | None


class Closings:
    """The drawers in the till's book. A counted drawer is never changed: a second count is another closing."""

    def __init__(self, book: Book, records: Records, *, currency: str) -> None:
        self.book, self.file, self.records, self.currency = book, book.file, records, currency

    def write(
        self,
        *,
        day: str,
        now: datetime,
        cashier: str | None = None,
        opening: Amounts | None = None,
        payouts: Iterable[tuple[str, str, Decimal]] = (),
        counted: Amounts | None = None,
    ) -> int:
        """Store a counted drawer, for the server to compare later; return its id.

        opening: the float in the morning; payouts: (purpose, currency, amount); counted: the cash in it now. Amounts
        are Decimal, int or text, by currency. If nothing is counted, only the documents are compared.
        """
        drawer = {
            "caissier": cashier,
            "fond_ouverture": _amounts(opening or {}),
            "sorties": [
                {"motif": reason, "devise": currency, "montant": exact(amount)} for reason, currency, amount in payouts
            ],
            "especes_comptees": _amounts(counted or {}),
        }
        drawer = {name: part for name, part in drawer.items() if part} if opening or counted else {}
        values = [day, exact_json(drawer), now.isoformat(timespec="seconds")]
        row = self.file.execute("INSERT INTO closings (day, drawer, closed_at) VALUES (?, ?, ?)", values).lastrowid
        assert row is not None
        return row

    def find(self, closing_id: int) -> Closing:
        return next(self._read("WHERE id = ?", closing_id))

    def open(self) -> list[Closing]:
        """The closings that the server has not compared yet, oldest first."""
        return list(self._read("WHERE answer IS NULL ORDER BY id"))

    def day_of(self, closing: Closing) -> dict[str, Any]:
        """The body of `ventes/rapprochement`: the day's documents, the money, the drawer if one was counted.

        It is computed each time from documents that never change. Sales that were refused or set aside are in it: their
        money was taken. Sales that the server found unreadable are left out: the server lists them itself.
        """
        of_day = self.records.of_day(closing.day)
        sold = [record for record in of_day if record.state != TO_CORRECT or record.is_held]
        known = [(record, *said) for record in sold if (said := self._said_of(record)) is not None]
        listed = [{"numero_facture": record.number, "montant": amount} for record, amount, _ in known]
        moves = [moved for _, _, moved in known]
        day = {"jour": closing.day, "ventes": listed, "totaux": totals(moves), "caisse": closing.drawer}
        left_out = {"ventes": len(listed) > LISTED_MAX, "caisse": not closing.drawer}
        return {name: part for name, part in day.items() if not left_out.get(name)}

    def keep_answer(self, closing: Closing, answer: dict[str, Any]) -> None:
        self.file.execute("UPDATE closings SET answer = ? WHERE id = ?", [exact_json(answer), closing.id])

    def _said_of(self, record: Record) -> tuple[Decimal, list[Move]] | None:
        """The amount and the money of a document; None if it is unknown or unreadable, so that it cannot be listed."""
        try:
            amount = amount_of(record, self.records, currency=self.currency)
            moves = moves_of(record, self.records, currency=self.currency)
        except UNREADABLE:
            return None
        return (amount, moves) if amount is not None and amount >= 0 else None

    def _read(self, condition: str, *values: int) -> Iterator[Closing]:
        rows = self.file.execute(f"SELECT id, day, drawer, answer FROM closings {condition}", values)
        for row_id, day, drawer, answer in rows:
            yield Closing(row_id, day, read_json(drawer), answer and read_json(answer))


def describe_answer(answer: dict[str, Any]) -> list[str]:
    """What the cashier should know of the server's answer, as French sentences."""
    day, sentences = answer["jour"], []
    if answer["resultat"] == "egal":
        sentences.append(f"Journée du {day} : le serveur a tout, aux mêmes montants")
    elif answer["resultat"] == "sommes_egales":
        sentences.append(f"Journée du {day} : mêmes sommes")
    else:
        sentences.append(f"Journée du {day} : il y a un écart")
    for name, meaning in LISTS.items():
        if answer[name]:
            sentences.append(f"  {meaning} : {', '.join(answer[name])}")
    sentences += [
        f"  Montants différents pour {one['numero_facture']} : "
        f"{one['montant_caisse']} à la caisse, {one['montant_serveur']} au serveur"
        for one in answer["differentes"]
    ]
    sentences += [
        f"  Espèces {one['devise']} : attendu {one['attendu']}, {_counted(one)}" for one in answer.get("caisse") or []
    ]
    return sentences


def _counted(line: dict[str, Any]) -> str:
    return "pas compté" if line.get("non_compte") else f"compté {line['compte']}, {_gap(line['ecart'])}"


def _gap(text: str) -> str:
    gap = Decimal(text)
    if not gap:
        return "aucun écart"
    return f"{abs(gap)} de trop" if gap > 0 else f"il manque {abs(gap)}"


def _amounts(amounts: Amounts) -> list[dict[str, Any]]:
    return [{"devise": currency, "montant": exact(amount)} for currency, amount in amounts.items()]
