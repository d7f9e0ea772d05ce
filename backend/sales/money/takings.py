"""What documents brought in, gave back and left owing: the one rule, for the dashboard and the end of a till's day.

A sale with payment rows brought in those rows; any other paid sale brought in its total, in its own mode. A payment of
a credit brought in its amount. A void or a return of a paid sale gave its total back, in the mode of the returning
document; of a sale on credit it only reduces what is owed.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Count, F, QuerySet, Sum

from backend.sales.models import Sale, SaleKind, SalePayment

CENT = Decimal("0.01")


@dataclass(slots=True)
class Flow:
    """An amount in one mode and currency, and how many documents made it. A split sale counts in each of its modes."""

    amount: Decimal = Decimal(0)
    documents: int = 0

    def add(self, amount: Decimal, documents: int) -> None:
        self.amount += to_cents(amount)
        self.documents += documents


@dataclass(slots=True)
class Takings:
    """By (currency, mode): what came in and what was given back; by currency: what is owed. Modes are in capitals."""

    came_in: dict[tuple[str, str], Flow] = field(default_factory=lambda: defaultdict(Flow))
    went_back: dict[tuple[str, str], Flow] = field(default_factory=lambda: defaultdict(Flow))
    owed: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    # By currency: the sales themselves, paid or not, before voids and returns.
    sold: dict[str, Flow] = field(default_factory=lambda: defaultdict(Flow))
    # How many sales, without the documents that follow them; and how many of these are on credit.
    sale_count: int = 0
    credit_count: int = 0

    def net(self) -> dict[tuple[str, str], Flow]:
        """Return what came in less what was given back, by (currency, mode), and how many documents did either."""
        nets: dict[tuple[str, str], Flow] = {
            key: Flow(flow.amount, flow.documents) for key, flow in self.came_in.items()
        }
        for key, flow in self.went_back.items():
            nets.setdefault(key, Flow()).add(-flow.amount, flow.documents)
        return nets


def takings_of(documents: QuerySet[Sale]) -> Takings:
    """Return the takings of these documents. Two queries, whatever the count."""
    return _takings_by(documents, key="shop")[0]


def takings_by_day(documents: QuerySet[Sale]) -> dict[date, Takings]:
    """Return the takings of each business day on which there are documents. Two queries, whatever the count."""
    return _takings_by(documents, key="business_day")[1]


def _takings_by(documents: QuerySet[Sale], *, key: str) -> tuple[Takings, dict[Any, Takings]]:
    """Return the takings of all documents, and of each value of the column `key`."""
    whole = Takings()
    parts: dict[Any, Takings] = defaultdict(Takings)
    groups = documents.values(key, "kind", "currency", "payment_mode", "is_paid", "has_payments")
    for group in groups.annotate(count=Count("pk"), amount=Sum("total")).order_by():
        for takings in (whole, parts[group[key]]):
            _add_documents(takings, group)
    split = documents.filter(kind=SaleKind.SALE, has_payments=True)
    payments = SalePayment.objects.filter(document__in=split)
    groups = payments.values(f"document__{key}", "currency", "mode", "document__currency", "document__is_paid")
    sums = {
        "count": Count("document", distinct=True),
        "came_in": Sum("amount"),
        "settled": Sum(F("amount") * F("rate")),
    }
    for group in groups.annotate(**sums).order_by():
        for takings in (whole, parts[group[f"document__{key}"]]):
            _add_payments(takings, group)
    return whole, dict(parts)


def _add_payments(takings: Takings, group: dict[str, Any]) -> None:
    takings.came_in[group["currency"], group["mode"].upper()].add(group["came_in"], group["count"])
    if not group["document__is_paid"]:
        takings.owed[group["document__currency"]] -= group["settled"]


def _add_documents(takings: Takings, group: dict[str, Any]) -> None:
    """Add documents of one kind, currency and mode, except the money of sales with payment rows (_add_payments)."""
    key = (group["currency"], group["payment_mode"].upper())
    if group["kind"] == SaleKind.SALE:
        takings.sale_count += group["count"]
        takings.sold[group["currency"]].add(group["amount"], group["count"])
        if not group["is_paid"]:
            takings.owed[group["currency"]] += group["amount"]
            takings.credit_count += group["count"]
        elif not group["has_payments"]:
            takings.came_in[key].add(group["amount"], group["count"])
    elif group["kind"] == SaleKind.PAYMENT:
        takings.came_in[key].add(group["amount"], group["count"])
    elif group["is_paid"]:
        takings.went_back[key].add(group["amount"], group["count"])
    else:
        takings.owed[group["currency"]] -= group["amount"]


def to_cents(amount: Decimal) -> Decimal:
    """Return the amount rounded to the cent: SQLite sums decimals as floats, so its sums are slightly off."""
    return Decimal(amount).quantize(CENT, rounding=ROUND_HALF_UP)
