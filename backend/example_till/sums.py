"""The amounts of a day's documents, and the money by mode and currency. Standard library only."""

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
    """The amount of a document: a sale's total, a payment's amount, the value of the goods of a void or a return.

    If the book does not have the origin, only the server knows the amount; None until the server has said it.
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
    """The money that a document moved; none for a sale on credit or goods returned from it."""
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
    """The moves of a sale: one for each mode of payment."""
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for one in payments:
        sums[(one.get("mode") or "CASH").upper(), one.get("devise") or currency] += money(one["montant"])
    return [Move(mode, currency, amount) for (mode, currency), amount in sums.items()]


def totals(moves: Iterable[Move]) -> list[dict[str, Any]]:
    """The totals by mode and currency, as `ventes/rapprochement` takes them."""
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for move in moves:
        sums[move.mode, move.currency].append(move.amount)
    return [
        {"mode": mode, "devise": currency, "nombre": len(amounts), "montant": sum(amounts, Decimal(0))}
        for (mode, currency), amounts in sorted(sums.items())
    ]
