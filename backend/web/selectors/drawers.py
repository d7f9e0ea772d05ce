"""A till's money of a day, from the opening float to what was counted, movement by movement."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import QuerySet

from backend.db.keyset import BadCursor, beyond
from backend.sales.days.drawers import of_cashier
from backend.sales.models import MoneyKind, MoneyMovement, SaleKind, TillClosing
from backend.sales.money.movements import CASH
from backend.sales.money.takings import Flow, amount_of, sums_by_kind
from backend.sales.repair.corrections import corrections_among
from backend.shops.models import Shop, Terminal
from backend.web.selectors.closings import drawer_lines, payouts_of
from backend.web.selectors.dashboard import ordered
from backend.web.wording.sales import DRAWER_STEPS

PAGE_MOVES_MAX = 50
CLOSINGS_MAX = 20
CURSOR_PARTS = 2
ID_DIGITS_MAX = 18
ZERO = Decimal(0)
CORRECTED = "correction"

Key = tuple[str, str]  # (currency, mode)


@dataclass(frozen=True)
class TillDay:
    """A till's day, of one cashier if one is named. Money counts as a closing of this cashier counts it."""

    shop: Shop
    terminal: Terminal
    day: datetime.date
    cashier: str

    @property
    def of_all(self) -> QuerySet[MoneyMovement]:
        return MoneyMovement.objects.filter(terminal_id=self.terminal.pk, shop_id=self.shop.pk, till_day=self.day)

    @cached_property
    def movements(self) -> QuerySet[MoneyMovement]:
        return of_cashier(self.of_all, self.cashier)


@dataclass(frozen=True)
class Step:
    """The sum of all movements of one kind; `amount` is signed."""

    words: str
    count: int
    amount: Decimal


@dataclass(frozen=True)
class CashSheet:
    """The cash of one currency: opening + steps − payouts = expected, and what was counted, if anybody said so.

    `expected_then`: what was expected when the till closed; movements may have come since.
    """

    currency: str
    opening: Decimal
    steps: list[Step]
    payouts: list[dict[str, Any]]
    expected_then: Decimal | None
    counted: Decimal | None

    @property
    def paid_out(self) -> Decimal:
        return sum((payout["amount"] for payout in self.payouts), ZERO)

    @property
    def expected(self) -> Decimal:
        return self.opening + sum((step.amount for step in self.steps), ZERO) - self.paid_out

    @property
    def gap(self) -> Decimal | None:
        return None if self.counted is None else self.counted - self.expected

    @property
    def has_moved_since(self) -> bool:
        return self.expected_then not in (None, self.expected)


@dataclass(frozen=True)
class ModeSum:
    """What came in, less what went back, in one mode that is not cash."""

    currency: str
    mode: str
    amount: Decimal
    count: int


@dataclass(frozen=True)
class Explanation:
    cash: list[CashSheet]
    others: list[ModeSum]
    # Of what there are movements to list.
    keys: list[Key]


@dataclass(frozen=True)
class MoveRow:
    movement: MoneyMovement
    # What has come to in the drawer, this movement included.
    running: Decimal
    is_correction: bool
    # Recorded after the till had closed.
    is_since: bool


@dataclass(frozen=True)
class MovePage:
    """A page of the movements of one currency and mode, in the order in which they were recorded."""

    rows: list[MoveRow]
    # What there was before the first of them.
    before: Decimal
    next_cursor: str | None


def cashiers_of(till_day: TillDay) -> list[str]:
    named = till_day.of_all.exclude(cashier="").order_by()
    return sorted(named.values_list("cashier", flat=True).distinct())


def closings_of(till_day: TillDay) -> list[TillClosing]:
    """Return the closings of the till's day, newest first."""
    found = TillClosing.objects.filter(shop=till_day.shop, day=till_day.day, terminal_id=till_day.terminal.pk)
    return list(found.order_by("-pk")[:CLOSINGS_MAX])


def explain_drawer(till_day: TillDay, closing: TillClosing | None) -> Explanation:
    """Return the sums from the opening to what was counted. Two or three queries, however many movements."""
    shop = till_day.shop
    sums = sums_by_kind(till_day.movements)
    corrected = _corrected(till_day)
    said = {line.currency: line for line in drawer_lines(closing)} if closing else {}
    payouts = payouts_of(closing) if closing else []
    cash = []
    for currency in ordered({key[0] for key in sums if key[1] == CASH} | set(said) or {shop.currency}, shop=shop):
        line = said.get(currency)
        cash.append(
            CashSheet(
                currency=currency,
                opening=line.opening if line else ZERO,
                steps=_steps(sums.get((currency, CASH), {}), corrected.get((currency, CASH))),
                payouts=[payout for payout in payouts if payout["currency"] == currency],
                expected_then=line.expected if line else None,
                counted=line.counted if line else None,
            )
        )
    keys = sorted(sums, key=lambda key: (key[0] != shop.currency, key[0], key[1] != CASH, key[1]))
    others = [_mode_sum(key, sums[key].values()) for key in keys if key[1] != CASH]
    return Explanation(cash=cash, others=others, keys=keys)


def _mode_sum(key: Key, flows: Iterable[Flow]) -> ModeSum:
    whole = Flow()
    for flow in flows:
        whole.add(flow.amount, flow.documents)
    return ModeSum(key[0], key[1], whole.amount, whole.documents)


def moves_page(
    till_day: TillDay, closing: TillClosing | None, *, key: Key, opening: Decimal, cursor: str | None
) -> MovePage:
    """Return a page of the movements of a currency and mode, with the running sum. Raises BadCursor."""
    own = till_day.movements.filter(currency=key[0], mode=key[1])
    wanted, before = own, opening
    if cursor:
        after = beyond(_read_cursor(cursor))
        before += amount_of(own.exclude(after))
        wanted = own.filter(after)
    found = list(
        wanted.select_related("document__terminal")
        .defer("document__fiscal", "document__fingerprint", "document__warnings")
        .order_by("document_id", "position")[: PAGE_MOVES_MAX + 1]
    )
    shown = found[:PAGE_MOVES_MAX]
    corrections = corrections_among(move.document for move in shown)
    rows, running = [], before
    for movement in shown:
        running += movement.amount
        is_since = closing is not None and movement.document.recorded_at > closing.at
        rows.append(MoveRow(movement, running, movement.document_id in corrections, is_since))
    last = f"{shown[-1].document_id}_{shown[-1].position}" if len(found) > len(shown) else None
    return MovePage(rows, before, last)


def _steps(by_kind: dict[tuple[str, str], Flow], corrected: Flow | None) -> list[Step]:
    """Return the sums by kind, in the order of the words."""
    sums: dict[str, Flow] = {}
    for (kind, document_kind), flow in by_kind.items():
        name = f"{kind}_{document_kind}" if kind == MoneyKind.REFUND else kind
        before = sums.get(name, Flow())
        sums[name] = Flow(before.amount + flow.amount, before.documents + flow.documents)
    if corrected:
        voided = sums[f"{MoneyKind.REFUND}_{SaleKind.VOID}"]
        left = Flow(voided.amount - corrected.amount, voided.documents - corrected.documents)
        sums |= {f"{MoneyKind.REFUND}_{SaleKind.VOID}": left, CORRECTED: corrected}
    return [
        Step(str(words), sums[name].documents, sums[name].amount)
        for name, words in DRAWER_STEPS.items()
        if name in sums and sums[name].documents
    ]


def _corrected(till_day: TillDay) -> dict[Key, Flow]:
    """Return what corrections undid in this drawer: money of voids that the office recorded."""
    voids = till_day.movements.filter(kind=MoneyKind.REFUND, document__kind=SaleKind.VOID)
    moves = list(voids.filter(document__terminal__is_office=True).select_related("document__terminal"))
    corrections = corrections_among(move.document for move in moves)
    found: dict[Key, Flow] = {}
    for move in moves:
        if move.document_id in corrections:
            found.setdefault((move.currency, move.mode), Flow()).add(move.amount, 1)
    return found


def _read_cursor(cursor: str) -> dict[str, object]:
    parts = cursor.split("_")
    if len(parts) != CURSOR_PARTS or not all(
        part.isascii() and part.isdecimal() and len(part) <= ID_DIGITS_MAX for part in parts
    ):
        raise BadCursor(cursor)
    return {"document_id": int(parts[0]), "position": int(parts[1])}
