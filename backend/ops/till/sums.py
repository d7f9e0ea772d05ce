"""What a day's documents come to: the amount of each, and the money by mode and currency. Standard library only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from backend.ops.till.amounts import money
from backend.ops.till.history import PAYMENT, RETURN, SALE, VOID, history_of, total_of
from backend.ops.till.records import Record, Records


@dataclass(frozen=True)
class Move:
    """Money that came in or, negative, went back."""

    mode: str
    currency: str
    amount: Decimal


def amount_of(record: Record, records: Records) -> Decimal | None:
    """What a document comes to: a sale's total, a payment's amount, and of a void or a return what the goods are worth.

    None where this till cannot know: of what follows a sale that its book does not have.
    """
    if record.kind == SALE:
        return total_of(record.document)
    if record.kind == PAYMENT:
        return money(record.document["montant"])
    history = history_of(records, record.document["origine"])
    return None if history is None else history.worth_of(record)


def moves_of(record: Record, records: Records, *, currency: str) -> list[Move]:
    """The money that a document moved; nothing for what was sold on credit, and nothing for what comes back of it."""
    document = record.document
    currency, mode = document.get("devise") or currency, document.get("mode_paiement") or "CASH"
    amount = amount_of(record, records)
    if amount is None:
        return []
    if record.kind == PAYMENT:
        return [Move(mode, currency, amount)]
    if record.kind in (VOID, RETURN):
        return [Move(mode, currency, -amount)] if history_of(records, document["origine"]).was_paid else []
    if document.get("paiements"):
        return [
            Move(one.get("mode") or "CASH", one.get("devise") or currency, money(one["montant"]))
            for one in document["paiements"]
        ]
    return [Move(mode, currency, amount)] if document.get("paye", True) else []


def totals(moves: Iterable[Move]) -> list[dict[str, Any]]:
    """By mode and currency, as `ventes/rapprochement` takes them."""
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for move in moves:
        sums[move.mode, move.currency].append(move.amount)
    return [
        {"mode": mode, "devise": currency, "nombre": len(amounts), "montant": sum(amounts, Decimal(0))}
        for (mode, currency), amounts in sorted(sums.items())
    ]
