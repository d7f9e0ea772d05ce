"""Kept totals: the takings of days that are over, added up once and again only when a late document came.

Who posts a document for an earlier day raises that day's marks in the same transaction. Who adds up reads the marks
first and keeps them with the sums: a document that commits meanwhile leaves higher marks behind, and the sums hold no
more. A day is kept only once it has been over for longer than a transaction lasts: until then a posting that began on
it, and so marks nothing, may still commit.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from backend.config.cursors import OVERLAP
from backend.config.transients import retrying
from backend.sales.models import DayTotal, Sale
from backend.sales.takings import Flow, Takings, takings_by_day
from backend.shops.models import Shop


def totals_of_days(*, shop: Shop, days: Iterable[date], now: datetime) -> dict[date, Takings]:
    """Return the takings of each of these business days: kept ones as they are kept, the others added up.

    One query where all are kept; else five, however many are not.
    """
    wanted = sorted(set(days))
    kept = {
        total.day: _read(total.figures)
        for total in DayTotal.objects.filter(shop=shop, day__in=wanted)
        if total.added_up_at_marks == total.marks
    }
    missing = [day for day in wanted if day not in kept]
    over = [day for day in missing if is_over(day, shop=shop, now=now)]
    found = retrying(lambda: _add_up(shop, over), name="totals") if over else {}
    running = [day for day in missing if day not in found]
    if running:
        found |= takings_by_day(Sale.objects.filter(shop=shop, business_day__in=running))
    return {day: kept.get(day) or found.get(day) or Takings() for day in wanted}


def is_over(day: date, *, shop: Shop, now: datetime) -> bool:
    """Tell whether whatever is posted for `day` from now on marks it."""
    end = datetime.combine(day + timedelta(days=1), time(), tzinfo=ZoneInfo(shop.timezone))
    return now > end + OVERLAP


def _add_up(shop: Shop, days: list[date]) -> dict[date, Takings]:
    """Add these days up and keep the sums, under the marks that stood before the documents were read."""
    rows = [DayTotal(shop=shop, day=day) for day in days]
    DayTotal.objects.bulk_create(rows, ignore_conflicts=True)
    totals = list(DayTotal.objects.filter(shop=shop, day__in=days))
    found = takings_by_day(Sale.objects.filter(shop=shop, business_day__in=days))
    for total in totals:
        total.added_up_at_marks = total.marks
        total.figures = _write(found.get(total.day) or Takings())
    DayTotal.objects.bulk_update(totals, ["added_up_at_marks", "figures"])
    return {day: found.get(day) or Takings() for day in days}


def _write(takings: Takings) -> dict[str, Any]:
    def flows(found: dict[tuple[str, str], Flow]) -> list[list[object]]:
        return [[*key, str(flow.amount), flow.documents] for key, flow in sorted(found.items())]

    return {
        "came_in": flows(takings.came_in),
        "went_back": flows(takings.went_back),
        "owed": [[currency, str(amount)] for currency, amount in sorted(takings.owed.items())],
        "sale_count": takings.sale_count,
        "credit_count": takings.credit_count,
    }


def _read(figures: dict[str, Any]) -> Takings:
    takings = Takings(sale_count=figures["sale_count"], credit_count=figures["credit_count"])
    for kept, flows in ((figures["came_in"], takings.came_in), (figures["went_back"], takings.went_back)):
        for currency, mode, amount, documents in kept:
            flows[currency, mode] = Flow(Decimal(amount), documents)
    for currency, amount in figures["owed"]:
        takings.owed[currency] = Decimal(amount)
    return takings
