"""The money that one document moves, in its modes and currencies: the server's rule, so that both agree to the cent.

Money comes in (positive) or goes back (negative). The mode CREDIT is no money. Standard library only.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from backend.example_till.amounts import CENT, exact, money, rate_of

CASH, CREDIT = "CASH", "CREDIT"
MODE_LENGTH_MAX = 32

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Move:
    """Money that came in or, negative, went back; `value` is what it is worth in the currency of the sale."""

    mode: str
    currency: str
    amount: Decimal
    rate: Decimal
    value: Decimal


def value_of(moves: Iterable[Move]) -> Decimal:
    return sum((move.value for move in moves), Decimal(0))


def cent_of_others(moves: Iterable[Move]) -> Decimal:
    """What a cent of each foreign currency is worth: a debt in francs cannot be paid to the cent in dollars."""
    return sum((CENT * move.rate for move in moves if move.rate != 1), Decimal(0))


def is_paid(sale: Document) -> bool:
    """Whether nothing is owed for a sale: as it says, or, if it does not say, unless it is on credit."""
    if sale.get("paye") is not None:
        return bool(sale["paye"])
    return not is_on_credit(sale)


def is_on_credit(sale: Document) -> bool:
    """Whether the mode CREDIT pays for some of a sale, or is the mode of the whole beside a first payment."""
    modes = [sale.get("mode_paiement"), *(one.get("mode") for one in sale.get("paiements") or [])]
    return any(named_mode(mode) == CREDIT for mode in modes)


def moves_of_sale(sale: Document, *, total: Decimal, currency: str) -> list[Move]:
    """The payments of a sale, less the change; without payments, its total and the change, in its one mode."""
    payments = tenders_of(sale, "paiements", currency=currency)
    change = tenders_of(sale, "rendu", currency=currency, rates=_rates(payments))
    mode = named_mode(sale.get("mode_paiement"))
    if not payments and is_paid(sale) and mode != CREDIT:
        whole = total + value_of(_without_credit(change))
        payments = [Move(mode, currency, whole, Decimal(1), whole)]
    return _without_credit(payments) + _going_out(change)


def moves_of_payment(payment: Document, *, currency: str) -> list[Move]:
    """The money of a payment of a credit: `paiements`, else `montant`, which may be in another currency than the sale.

    currency: the sale's.
    """
    named = named_mode(payment.get("mode_paiement"))
    whole = {"mode": CASH if named == CREDIT else named} | {
        name: payment.get(name) for name in ("devise", "montant", "taux")
    }
    said = _tender(whole, "", currency=currency, rates={})
    payments = tenders_of(payment, "paiements", currency=currency)
    change = tenders_of(payment, "rendu", currency=currency, rates=_rates(payments or [said]))
    if not payments:
        extra = value_of(_without_credit(change))
        amount = said.amount + money(extra / said.rate)
        payments = [Move(said.mode, said.currency, amount, said.rate, said.value + extra)]
    return _without_credit(payments) + _going_out(change)


def moves_of_void(void: Document, *, standing: Iterable[Move], currency: str) -> list[Move]:
    """What a void hands back: its own `paiements`, else all the money that stands, as it came.

    If the void names a mode, all of it went back in that mode. standing: the money of the sale and of what followed it.
    """
    payments = tenders_of(void, "paiements", currency=currency)
    if payments:
        return _going_out(payments)
    mode = _mode_given(void)
    sums: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    for move in standing:
        key = (mode or move.mode, move.currency)
        amount, value = sums.get(key, (Decimal(0), Decimal(0)))
        sums[key] = (amount + move.amount, value + move.value)
    return [
        Move(mode, currency, -amount, rate_of(value / amount), -value)
        for (mode, currency), (amount, value) in sums.items()
        if amount
    ]


def moves_of_return(
    back: Document, *, due: Decimal, standing: Iterable[Move], sale: Document, currency: str
) -> list[Move]:
    """What a return hands back: its own `paiements`, else `due`, in the mode that it names or the sale was paid in.

    A sale that was paid in several ways: in its `mode_paiement`, and the server warns that this was assumed.
    """
    payments = tenders_of(back, "paiements", currency=currency)
    if payments:
        return _going_out(payments)
    if not due:
        return []
    mode = _mode_given(back) or _mode_paid_in(standing) or _mode_given(sale) or CASH
    return [Move(mode, currency, -due, Decimal(1), -due)]


def named_mode(text: str | None) -> str:
    """The mode as the server records it: capitals or not are one mode, and accents tell modes apart."""
    return unicodedata.normalize("NFC", (text or CASH).strip()).upper()[:MODE_LENGTH_MAX]


def named_currency(text: str | None) -> str | None:
    return text.strip().upper() if text else None


def tenders_of(
    document: Document, name: str, *, currency: str, rates: Mapping[str, Decimal] | None = None
) -> list[Move]:
    """What a list of the document says was handed over, one way or the other. Raises ValueError."""
    sent = document.get(name) or []
    return [_tender(one, f"{name}[{index}].", currency=currency, rates=rates or {}) for index, one in enumerate(sent)]


def _mode_given(document: Document) -> str | None:
    """The mode in which a document says that money moves; None if it says nothing, or CREDIT."""
    mode = named_mode(document["mode_paiement"]) if document.get("mode_paiement") else None
    return None if mode == CREDIT else mode


def _mode_paid_in(standing: Iterable[Move]) -> str | None:
    """The one mode in which money has come in; None if there are several."""
    sums: dict[tuple[str, str], Decimal] = {}
    for move in standing:
        key = (move.mode, move.currency)
        sums[key] = sums.get(key, Decimal(0)) + move.amount
    modes = {mode for (mode, _), amount in sums.items() if amount > 0}
    return modes.pop() if len(modes) == 1 else None


def _tender(sent: Document, path: str, *, currency: str, rates: Mapping[str, Decimal]) -> Move:
    """Raises ValueError for a rate that is missing, or that is not 1 where nothing is exchanged."""
    own, amount = named_currency(sent.get("devise")) or currency, money(sent["montant"])
    rate = None if sent.get("taux") is None else rate_of(sent["taux"])
    if amount < 0:
        raise ValueError(f"{path}montant : un montant n'est jamais négatif")
    if own == currency and rate not in (None, 1):
        raise ValueError(f"{path}taux : le taux d'une devise vers elle-même est 1")
    if own != currency:
        rate = rates.get(own) if rate is None else rate
        if not rate or rate < 0:
            raise ValueError(f"{path}taux : il manque le taux ({own} contre {currency})")
    rate = rate or Decimal(1)
    return Move(named_mode(sent.get("mode")), own, amount, rate, money(exact(amount) * rate))


def _rates(payments: Iterable[Move]) -> dict[str, Decimal]:
    return {one.currency: one.rate for one in payments}


def _without_credit(moves: Iterable[Move]) -> list[Move]:
    return [move for move in moves if move.mode != CREDIT]


def _going_out(moves: Iterable[Move]) -> list[Move]:
    return [Move(move.mode, move.currency, -move.amount, move.rate, -move.value) for move in _without_credit(moves)]
