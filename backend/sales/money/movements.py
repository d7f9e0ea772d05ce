"""What money a document moves: the one rule. Pure; docs/decisions/0015-money-is-a-ledger.md says why it is so.

Amounts are seen from the drawer: what comes in is positive, what goes out negative. The mode CREDIT is no money.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple, Protocol

from backend.sales.models import MoneyKind
from backend.sales.money.amounts import MONEY_PLACES, RATE_PLACES, bounded, round_half_up

CASH, CREDIT = "CASH", "CREDIT"
MODE_LENGTH_MAX = 32
ZERO, ONE = Decimal(0), Decimal(1)
CENT = Decimal("0.01")
PAYMENTS_DIFFER, CREDIT_ASSUMED, MODE_ASSUMED = "paiements_differents", "credit_suppose", "mode_suppose"


class Tender(NamedTuple):
    """What was handed over, either way: an amount that is not negative, and its value in the document's currency."""

    mode: str
    currency: str
    amount: Decimal
    rate: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True)
class Move:
    """Money on its way into the drawer or, negative, out of it; `value` is in the document's currency."""

    kind: MoneyKind
    mode: str
    currency: str
    amount: Decimal
    rate: Decimal
    value: Decimal


class Drawer(NamedTuple):
    """Where money moves: the drawer of a till and a cashier, on the till's day; and for which day of the shop."""

    terminal_id: int
    cashier: str
    till_day: date
    business_day: date


# What a document moves, drawer by drawer.
Placed = list[tuple[Drawer, list[Move]]]


class Standing(Protocol):
    """A movement that is recorded."""

    @property
    def mode(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def amount(self) -> Decimal: ...
    @property
    def value(self) -> Decimal: ...


class StandingInDrawer(Standing, Protocol):
    @property
    def terminal_id(self) -> int: ...
    @property
    def cashier(self) -> str: ...
    @property
    def till_day(self) -> date: ...
    @property
    def business_day(self) -> date: ...


class Money(NamedTuple):
    """What a document moves, and the warnings about it."""

    moves: list[Move]
    warnings: list[str]

    @property
    def value(self) -> Decimal:
        return value_of(self.moves)


def mode_key(mode: str) -> str:
    """Return the mode as it is recorded. Tills write capitals or not; accents and all else tell modes apart."""
    return unicodedata.normalize("NFC", mode).upper()[:MODE_LENGTH_MAX]


def tender(*, mode: str, currency: str, amount: Decimal, rate: Decimal, path: str) -> Tender:
    """Return the tender with its value. Raises FieldInvalid at `path` if the value is more than a column holds."""
    value = bounded(round_half_up(amount * rate, MONEY_PLACES), path, places=MONEY_PLACES)
    return Tender(mode_key(mode), currency, amount, rate, value)


def money_of_sale(
    *,
    total: Decimal,
    currency: str,
    mode: str,
    is_paid: bool,
    payments: Sequence[Tender],
    change: Sequence[Tender],
) -> Money:
    """Return what a sale brings in: its payments less the change.

    Without payments, a sale that is paid brought in its total, in its mode, and the change is out of more than that.
    """
    given_back = [_move(MoneyKind.CHANGE, one, out=True) for one in _without_credit(change)]
    if payments:
        came_in = [_move(MoneyKind.RECEIPT, one) for one in _without_credit(payments)]
    elif is_paid and mode_key(mode) != CREDIT:
        whole = total - value_of(given_back)
        came_in = [Move(MoneyKind.RECEIPT, mode_key(mode), currency, whole, ONE, whole)]
    else:
        came_in = []
    moves = came_in + given_back
    # Of a sale that is said to be paid nothing is owed, whatever its payments say of credit.
    on_credit = ZERO if is_paid else sum((one.value for one in payments if one.mode == CREDIT), ZERO)
    said = value_of(moves) + on_credit
    difference = said - total
    is_short = difference < 0 and (is_paid or bool(on_credit))
    differs = (is_short or difference > 0 or value_of(moves) < 0) and abs(difference) > _smallest_coins(moves)
    return Money(moves, [PAYMENTS_DIFFER] if differs else [])


def money_of_payment(*, said: Tender, payments: Sequence[Tender], change: Sequence[Tender]) -> Money:
    """Return what a payment of a credit brings in. `said`: what it says it pays; without `payments` it came in so.

    As for a sale, change is then out of more than that.
    """
    given_back = [_move(MoneyKind.CHANGE, one, out=True) for one in _without_credit(change)]
    if payments:
        came_in = [_move(MoneyKind.PAYMENT, one) for one in _without_credit(payments)]
    else:
        extra = round_half_up(-value_of(given_back) / said.rate, MONEY_PLACES)
        came_in = [
            Move(MoneyKind.PAYMENT, said.mode, said.currency, said.amount + extra, said.rate,
                 said.value - value_of(given_back))
        ]  # fmt: skip
    moves = came_in + given_back
    return Money(moves, _differing(moves, said.value))


def money_of_void(standing: Iterable[Standing], *, mode: str | None, payments: Sequence[Tender]) -> Money:
    """Return what undoing a sale gives back: exactly what stands of its money, or `payments` if the till says so.

    mode: the one in which the till says it gave all back; None if it does not say.
    """
    sums = _sums(standing)
    value = sum((value for _, value in sums.values()), ZERO)
    if payments:
        return _handed_back(payments, due=value)
    if mode is not None:
        merged: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
        for (_, currency), (amount, worth) in sums.items():
            before = merged.get((mode_key(mode), currency), (ZERO, ZERO))
            merged[mode_key(mode), currency] = (before[0] + amount, before[1] + worth)
        sums = merged
    return Money([_reversed(key, amount, worth) for key, (amount, worth) in sums.items() if amount], [])


def undone_in_place(standing: Iterable[StandingInDrawer]) -> Placed:
    """Return what undoes the money in the drawers in which it moved: a correction hands nothing over."""
    by_drawer: dict[Drawer, list[StandingInDrawer]] = {}
    for move in standing:
        drawer = Drawer(move.terminal_id, move.cashier, move.till_day, move.business_day)
        by_drawer.setdefault(drawer, []).append(move)
    return [(drawer, money_of_void(moves, mode=None, payments=()).moves) for drawer, moves in by_drawer.items()]


def money_of_return(
    standing: Iterable[Standing],
    *,
    due: Decimal,
    currency: str,
    mode: str | None,
    origin_mode: str,
    payments: Sequence[Tender],
) -> Money:
    """Return what a return gives back: `due` in the sale's currency, or `payments` if the till says so.

    In the mode that the till names, else in the one in which the sale was paid. If it was paid in several ways, nobody
    knows which: that is a warning.
    """
    if payments:
        return _handed_back(payments, due=due)
    if not due:
        return Money([], [])
    warnings = []
    if mode is None:
        paid_in = [key for key, (amount, _) in _sums(standing).items() if amount > 0]
        modes = {one for one, _ in paid_in}
        mode = modes.pop() if len(modes) == 1 else _or_cash(origin_mode)
        if paid_in != [(mode, currency)]:
            warnings.append(MODE_ASSUMED)
    return Money([Move(MoneyKind.REFUND, mode_key(mode), currency, -due, ONE, -due)], warnings)


def value_of(moves: Iterable[Move]) -> Decimal:
    return sum((move.value for move in moves), ZERO)


def due_back(*, total: Decimal, owed: Decimal, paid: Decimal) -> Decimal:
    """Return how much a return worth `total` gives back: first it lessens what is owed; never more than was paid."""
    return max(ZERO, min(total - owed, paid))


def cent_of_others(moves: Iterable[Move]) -> Decimal:
    """Return what a cent of each other currency among the movements is worth."""
    return sum((CENT * move.rate for move in moves if move.rate != ONE), ZERO)


def _handed_back(payments: Sequence[Tender], *, due: Decimal) -> Money:
    moves = [_move(MoneyKind.REFUND, one, out=True) for one in _without_credit(payments)]
    return Money(moves, _differing(moves, -due))


def _differing(moves: list[Move], expected: Decimal) -> list[str]:
    return [PAYMENTS_DIFFER] if abs(value_of(moves) - expected) > _smallest_coins(moves) else []


def _smallest_coins(moves: Iterable[Move]) -> Decimal:
    """Return the difference that other currencies explain: nobody pays an amount in francs to the cent of a dollar."""
    return cent_of_others(moves) / 2


def _without_credit(tenders: Iterable[Tender]) -> list[Tender]:
    return [one for one in tenders if one.mode != CREDIT]


def _or_cash(mode: str) -> str:
    return CASH if mode_key(mode) == CREDIT else mode


def _move(kind: MoneyKind, one: Tender, *, out: bool = False) -> Move:
    sign = -1 if out else 1
    return Move(kind, one.mode, one.currency, sign * one.amount, one.rate, sign * one.value)


def _sums(standing: Iterable[Standing]) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    """Return (amount, value) by (mode, currency), in the order in which they came."""
    sums: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    for move in standing:
        amount, value = sums.get((move.mode, move.currency), (ZERO, ZERO))
        sums[move.mode, move.currency] = (amount + move.amount, value + move.value)
    return sums


def _reversed(key: tuple[str, str], amount: Decimal, value: Decimal) -> Move:
    rate = round_half_up(value / amount, RATE_PLACES)
    return Move(MoneyKind.REFUND, *key, -amount, rate, -value)
