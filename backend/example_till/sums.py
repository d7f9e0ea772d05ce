"""The amounts of a day's documents, and the money by mode and currency. Standard library only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from backend.example_till.amounts import money, read_json
from backend.example_till.history import PAYMENT, RETURN, SALE, VOID, history_of, total_of
from backend.example_till.moves import (
    Move,
    moves_of_payment,
    moves_of_sale,
    moves_of_void,
    named_currency,
    named_mode,
    value_of,
)
from backend.example_till.records import Record, Records


def amount_of(record: Record, records: Records, *, currency: str) -> Decimal | None:
    """The amount of a document: a sale's total, the worth of a payment, or of the goods of a void or a return.

    If the book does not have the origin, only the server knows the amount; None until the server has said it.
    """
    if record.kind == SALE:
        return total_of(record.document)
    history = history_of(records, record.document["origine"], currency=currency)
    if history is not None and record.kind != PAYMENT:
        return history.worth_of(record)
    if record.server_amount and history is None:
        return money(record.server_amount)
    if record.kind == PAYMENT:
        own = _currency_of_sale(record.document, currency) if history is None else history.currency
        return value_of(moves_of_payment(record.document, currency=own))
    return None


def moves_of(record: Record, records: Records, *, currency: str) -> list[Move]:
    """The money that a document moved, on its own day. None for goods that lessen a debt, or a follower that the
    server refused."""
    if record.kind == SALE:
        own = named_currency(record.document.get("devise")) or currency
        return moves_of_sale(record.document, total=total_of(record.document), currency=own)
    history = history_of(records, record.document["origine"], currency=currency)
    if history is not None:
        return history.moves_of(record.number)
    return _moves_without_history(record, currency=currency) if record.counts else []


def totals(documents: Iterable[list[Move]]) -> list[dict[str, Any]]:
    """The totals by mode and currency, as `ventes/rapprochement` takes them: what came in less what went back.

    documents: the moves of each. One that moved money twice in one mode, as a payment and its change, counts once.
    """
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for moves in documents:
        for move in moves:
            sums[move.mode, move.currency] += move.amount
        for key in {(move.mode, move.currency) for move in moves}:
            counts[key] += 1
    return [
        {"mode": mode, "devise": currency, "nombre": counts[mode, currency], "montant": amount}
        for (mode, currency), amount in sorted(sums.items())
    ]


def _moves_without_history(record: Record, *, currency: str) -> list[Move]:
    """The money of a document whose sale the book does not have: what the server said that it moved."""
    document = record.document
    if record.server_money is not None:
        return [
            Move(one["mode"], one["devise"], money(one["montant"]), Decimal(1), money(one["montant"]))
            for one in read_json(record.server_money)
        ]
    own = _currency_of_sale(document, currency)
    if record.kind == PAYMENT:
        return moves_of_payment(document, currency=own)
    if document.get("paiements"):
        return moves_of_void(document, standing=[], currency=own)  # as it says, whatever stands
    if record.kind in (VOID, RETURN) and record.server_amount:
        # Written down by a version of this till, or of the server, that did not know more than the amount.
        amount = -money(record.server_amount)
        return [Move(named_mode(document.get("mode_paiement")), own, amount, Decimal(1), amount)]
    return []


def _currency_of_sale(document: dict[str, Any], currency: str) -> str:
    """The currency of a sale that the book does not have, by what follows it: a `devise` with a rate is another."""
    own = None if document.get("taux") else named_currency(document.get("devise"))
    return own or currency
