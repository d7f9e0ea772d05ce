"""Sums of documents and of the money that they moved: the one place that adds money up, for pages, tills and exports.

*Sold* is the worth of documents: sales, less voids and returns, each on its own day. *Came in* is money for sales and
for credits, less the change that was handed back; *went back* is money given back for voids and returns; what is in
the drawer is the difference. Only MoneyMovement knows money: no document's total or mode is ever taken for it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Case, Count, F, IntegerField, QuerySet, Sum, When

from backend.sales.models import MoneyKind, MoneyMovement, Sale, SaleKind

CENT = Decimal("0.01")


@dataclass(slots=True)
class Flow:
    """An amount, and how many documents made it. A sale paid in two modes counts in each of them."""

    amount: Decimal = Decimal(0)
    documents: int = 0

    def add(self, amount: Decimal, documents: int) -> None:
        self.amount += to_cents(amount)
        self.documents += documents


def _flows() -> dict[Any, Flow]:
    return defaultdict(Flow)


@dataclass(slots=True)
class DrawerSums:
    """Money by (currency, mode), neither with a sign: what came in, and what was given back."""

    came_in: dict[tuple[str, str], Flow] = field(default_factory=_flows)
    went_back: dict[tuple[str, str], Flow] = field(default_factory=_flows)

    def net(self) -> dict[tuple[str, str], Flow]:
        """Return what came in less what was given back, by (currency, mode), and how many documents did either."""
        nets: dict[tuple[str, str], Flow] = {
            key: Flow(flow.amount, flow.documents) for key, flow in self.came_in.items()
        }
        for key, flow in self.went_back.items():
            nets.setdefault(key, Flow()).add(-flow.amount, flow.documents)
        return nets


@dataclass(slots=True)
class Takings(DrawerSums):
    """A shop's day: its money, and by currency the worth of its documents."""

    sold: dict[str, Flow] = field(default_factory=_flows)
    # Voids and returns dated on this day, whichever day's sale they undo.
    undone: dict[str, Flow] = field(default_factory=_flows)
    # The sales of this day that were voided on this day.
    voided: dict[str, Flow] = field(default_factory=_flows)

    @property
    def sale_count(self) -> int:
        """How many sales, without those that were voided the same day."""
        return sum(flow.documents for flow in self.standing().values())

    def standing(self) -> dict[str, Flow]:
        """Return the sales that were not voided the same day."""
        left = {currency: Flow(flow.amount, flow.documents) for currency, flow in self.sold.items()}
        for currency, gone in self.voided.items():
            left[currency].add(-gone.amount, -gone.documents)
        return left

    def net_sold(self) -> dict[str, Decimal]:
        """Return the worth of sales less voids and returns: days of it add up to the month's."""
        worth: dict[str, Decimal] = defaultdict(Decimal)
        for currency, flow in self.sold.items():
            worth[currency] += flow.amount
        for currency, flow in self.undone.items():
            worth[currency] -= flow.amount
        return dict(worth)


def drawer_sums(movements: QuerySet[MoneyMovement]) -> DrawerSums:
    """Return the sums of these movements. One query, whatever the count."""
    sums = DrawerSums()
    for group in _grouped(movements):
        _add_money(sums, group)
    return sums


def amount_of(movements: QuerySet[MoneyMovement]) -> Decimal:
    """Return what movements of one currency come to, with its sign. One query."""
    return to_cents(movements.aggregate(sum=Sum("amount"))["sum"] or Decimal(0))


def sums_by_kind(movements: QuerySet[MoneyMovement]) -> dict[tuple[str, str], dict[tuple[str, str], Flow]]:
    """Return the movements' sums, signed, by (currency, mode), then by their kind and their document's. One query."""
    found: dict[tuple[str, str], dict[tuple[str, str], Flow]] = defaultdict(dict)
    groups = movements.values("currency", "mode", "kind", "document__kind")
    for each in groups.annotate(sum=Sum("amount"), count=Count("position")).order_by():
        flow = Flow(to_cents(each["sum"]), each["count"])
        found[each["currency"], each["mode"]][each["kind"], each["document__kind"]] = flow
    return dict(found)


def takings_by_day(*, shop_id: int, days: Iterable[date]) -> dict[date, Takings]:
    """Return the takings of each of these business days on which anything happened, in three queries."""
    found: dict[date, Takings] = defaultdict(Takings)
    of_days = {"shop_id": shop_id, "business_day__in": list(days)}
    for group in _grouped(MoneyMovement.objects.filter(**of_days), "business_day"):
        _add_money(found[group["business_day"]], group)
    documents = Sale.objects.filter(**of_days).exclude(kind=SaleKind.PAYMENT)
    groups = documents.values("business_day", "kind", "currency")
    for each in groups.annotate(documents=Count("pk"), amount=Sum("total")).order_by():
        takings = found[each["business_day"]]
        flows = takings.sold if each["kind"] == SaleKind.SALE else takings.undone
        flows[each["currency"]].add(each["amount"], each["documents"])
    voids = Sale.objects.filter(**of_days, kind=SaleKind.VOID, origin__business_day=F("business_day"))
    sums = voids.values("business_day", "currency").annotate(documents=Count("pk"), amount=Sum("origin__total"))
    for void in sums.order_by():
        found[void["business_day"]].voided[void["currency"]].add(void["amount"], void["documents"])
    return dict(found)


def _grouped(movements: QuerySet[MoneyMovement], *by: str) -> Iterator[Any]:
    is_back = Case(When(kind=MoneyKind.REFUND, then=1), default=0, output_field=IntegerField())
    groups = movements.annotate(is_back=is_back).values(*by, "currency", "mode", "is_back")
    yield from groups.annotate(sum=Sum("amount"), documents=Count("document", distinct=True)).order_by()


def _add_money(sums: DrawerSums, group: dict[str, Any]) -> None:
    key = (group["currency"], group["mode"])
    if group["is_back"]:
        sums.went_back[key].add(-group["sum"], group["documents"])
    else:
        sums.came_in[key].add(group["sum"], group["documents"])


def to_cents(amount: Decimal) -> Decimal:
    """Return the amount rounded to the cent: SQLite sums decimals as floats, so its sums are slightly off."""
    return Decimal(amount).quantize(CENT, rounding=ROUND_HALF_UP)
