"""What a day's documents come to: the amount of each, and the money by mode and currency. Standard library only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from backend.example_till.amounts import money
from backend.example_till.history import PAYMENT, RETURN, SALE, VOID, history_of, total_of
from backend.example_till.records import Record, Records


@dataclass(frozen=True)
class Move:
    """Money that came in or, negative, went back."""

    mode: str
    currency: str
    amount: Decimal


def amount_of(record: Record, records: Records) -> Decimal | None:
    """What a document comes to: a sale's total, a payment's amount, and of a void or a return what the goods are worth.

    Of what follows a sale that the book does not have, only the server can say; None until it has.
    """
    if record.kind == SALE:
        return total_of(record.document)
    if record.kind == PAYMENT:
        return money(record.document["montant"])
    history = history_of(records, record.document["origine"])
    if history is not None:
        return history.worth_of(record)
    return money(record.server_amount) if record.server_amount else None


def moves_of(record: Record, records: Records, *, currency: str) -> list[Move]:
    """The money that a document moved; nothing for what was sold on credit, and nothing for what comes back of it."""
    document = record.document
    currency, mode = document.get("devise") or currency, (document.get("mode_paiement") or "CASH").upper()
    amount = amount_of(record, records)
    if amount is None:
        return []
    if record.kind == PAYMENT:
        return [Move(mode, currency, amount)]
    if record.kind in (VOID, RETURN):
        history = history_of(records, document["origine"])
        return [Move(mode, currency, -amount)] if history is None or history.was_paid else []
    if document.get("paiements"):
        return _split(document["paiements"], currency)
    return [Move(mode, currency, amount)] if document.get("paye", True) else []


def _split(payments: list[dict[str, Any]], currency: str) -> list[Move]:
    """A sale that was paid in several modes counts once in each."""
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for one in payments:
        sums[(one.get("mode") or "CASH").upper(), one.get("devise") or currency] += money(one["montant"])
    return [Move(mode, currency, amount) for (mode, currency), amount in sums.items()]


def totals(moves: Iterable[Move]) -> list[dict[str, Any]]:
    """By mode and currency, as `ventes/rapprochement` takes them."""
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for move in moves:
        sums[move.mode, move.currency].append(move.amount)
    return [
        {"mode": mode, "devise": currency, "nombre": len(amounts), "montant": sum(amounts, Decimal(0))}
        for (mode, currency), amounts in sorted(sums.items())
    ]
