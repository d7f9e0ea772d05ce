"""The money of a sale that stands, in what ways it would go back, and the drawers that money may move in."""

import functools
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from backend.sales.models import MoneyMovement, Sale
from backend.shops.models import Shop, Terminal, TerminalState
from backend.web.wording.money import Way

# A value that stands for the Bureau: such a document names no drawer.
OFFICE_DRAWER = ""


@dataclass(frozen=True)
class OfferedDrawer:
    """The drawer of a till, or of one of its cashiers."""

    terminal_id: int
    till: str
    cashier: str = ""

    @property
    def value(self) -> str:
        return drawer_value(self.terminal_id, self.cashier)

    @property
    def words(self) -> str:
        return f"{self.till} · {self.cashier}" if self.cashier else self.till


@dataclass(frozen=True)
class SaleMoney:
    """The money movements of a sale and of all that followed it."""

    sale: Sale
    movements: list[MoneyMovement]

    @functools.cached_property
    def ways(self) -> list[Way]:
        """Return what a void gives back if nobody says otherwise: exactly what stands, per mode and currency."""
        sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for move in self.movements:
            sums[move.mode, move.currency] += move.amount
        return [Way(mode, currency, amount) for (mode, currency), amount in sums.items() if amount > 0]

    @property
    def value(self) -> Decimal:
        """Return what stands, in the sale's currency."""
        return sum((move.value for move in self.movements), Decimal(0))

    @property
    def is_known(self) -> bool:
        """Tell whether all of it is written: a process of an older version may have recorded the sale just now."""
        return self.sale.paid_total is not None

    @property
    def only_mode(self) -> str:
        """Return the mode in which all of it was paid, in the sale's currency; empty if it was not so."""
        ways = {(way.mode, way.currency) for way in self.ways}
        mode, currency = ways.pop() if len(ways) == 1 else ("", "")
        return mode if currency == self.sale.currency else ""

    def drawer(self, *, today: date) -> str:
        """Return the value of the drawer that the sale's money is in, if it was sold today; else the Bureau's."""
        if self.sale.till_day != today:
            return OFFICE_DRAWER
        held: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
        for move in self.movements:
            if not move.terminal.is_office and move.till_day == today:
                held[move.terminal_id, move.cashier] += move.value
        held = {place: value for place, value in held.items() if value > 0}
        return drawer_value(*max(held, key=lambda place: held[place])) if held else OFFICE_DRAWER


def sale_money(sale: Sale, followers: list[Sale]) -> SaleMoney:
    documents = [sale.pk, *(follower.pk for follower in followers)]
    movements = MoneyMovement.objects.filter(document__in=documents).select_related("terminal")
    return SaleMoney(sale, list(movements.order_by("document_id", "position")))


def offered_drawers(*, shop: Shop, today: date) -> list[OfferedDrawer]:
    """Return the shop's active tills, each followed by its cashiers who moved money today, in order of names."""
    tills = Terminal.objects.filter(shop=shop, is_office=False)
    moved = MoneyMovement.objects.filter(terminal__in=tills, till_day=today, shop=shop)
    cashiers: dict[int, set[str]] = defaultdict(set)
    for terminal_id, cashier in moved.order_by().values_list("terminal_id", "cashier").distinct():
        cashiers[terminal_id].add(cashier)
    offered = []
    for till in tills.order_by("name", "pk"):
        if till.state == TerminalState.ACTIVE or till.pk in cashiers:
            offered.append(OfferedDrawer(till.pk, till.name))
        offered += [OfferedDrawer(till.pk, till.name, cashier) for cashier in sorted(cashiers[till.pk]) if cashier]
    return offered


def drawer_value(terminal_id: int, cashier: str) -> str:
    return f"{terminal_id}:{cashier}" if cashier else str(terminal_id)
