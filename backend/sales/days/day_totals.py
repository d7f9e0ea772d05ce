"""Kept totals: the takings of days that are over, added up once, and again only after a late document.

A posting that records a document for an earlier day raises that day's marks in the same transaction. A reader that adds
a day up reads the marks first and stores them with the sums: a document that commits meanwhile raises the marks, and
the sums are no longer valid. A day is kept only once it has been over for longer than a transaction lasts: until then a
posting that began on that day, and so marks nothing, may still commit.
"""

import json
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from backend.db import dialect
from backend.db.change_cursors import OVERLAP
from backend.db.transients import retrying
from backend.sales.models import DayTotal
from backend.sales.money.takings import Flow, Takings, takings_by_day
from backend.shops.models import Shop

# Kept with the figures: those that another version added up by another rule are added up again.
RULE = 2


def totals_of_days(*, shop: Shop, days: Iterable[date], now: datetime) -> dict[date, Takings]:
    """Return the takings of each of these business days: from the kept totals where there are any, else added up.

    One query if all days are kept; else three, and one more to keep a day, however many days there are.
    """
    wanted = sorted(set(days))
    totals = {total.day: total for total in DayTotal.objects.filter(shop=shop, day__in=wanted)}
    kept = {total.day: read_figures(total.figures) for total in totals.values() if is_kept(total)}
    missing = [day for day in wanted if day not in kept]
    found = takings_by_day(shop_id=shop.pk, days=missing) if missing else {}
    over = [
        # A day without a row was never marked. A posting that marks it meanwhile makes the row, with higher marks.
        (day, totals[day].marks if day in totals else 0, write_figures(found.get(day) or Takings()))
        for day in missing
        if is_over(day, shop=shop, now=now)
    ]
    if over:
        retrying(lambda: _keep(shop, over), name="totals")
    return {day: kept.get(day) or found.get(day) or Takings() for day in wanted}


def is_kept(total: DayTotal) -> bool:
    """Tell whether the figures are valid: added up by today's rule, and nothing was recorded for the day since."""
    return total.added_up_at_marks == total.marks and total.figures.get("rule") == RULE


def is_over(day: date, *, shop: Shop, now: datetime) -> bool:
    """Tell whether the day has been over for so long that every posting from now on marks it."""
    end = datetime.combine(day + timedelta(days=1), time(), tzinfo=ZoneInfo(shop.timezone))
    return now > end + OVERLAP


def _keep(shop: Shop, days: list[tuple[date, int, dict[str, Any]]]) -> None:
    """Store the totals of these days, each with the marks that were read before its documents.

    One statement, so that a page that finds days to keep pays for one round trip. Existing rows keep their `marks`.
    """
    row = "(%s, %s, %s, %s, %s)"
    changed = [f"{name} = {dialect.offered(connection, name)}" for name in ("added_up_at_marks", "figures")]
    values = [(shop.pk, day.isoformat(), marks, marks, json.dumps(figures)) for day, marks, figures in days]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sales_daytotal (shop_id, day, marks, added_up_at_marks, figures)"
            f" VALUES {', '.join([row] * len(days))}"
            f" {dialect.on_conflict_update(connection, key='shop_id, day')} {', '.join(changed)}",
            [value for one in values for value in one],
        )


def write_figures(takings: Takings) -> dict[str, Any]:
    def by_mode(flows: dict[tuple[str, str], Flow]) -> list[list[object]]:
        return [[*key, str(flow.amount), flow.documents] for key, flow in sorted(flows.items())]

    def by_currency(flows: dict[str, Flow]) -> list[list[object]]:
        return [[key, str(flow.amount), flow.documents] for key, flow in sorted(flows.items())]

    return {
        "rule": RULE,
        "came_in": by_mode(takings.came_in),
        "went_back": by_mode(takings.went_back),
        "sold": by_currency(takings.sold),
        "undone": by_currency(takings.undone),
        "voided": by_currency(takings.voided),
        # For processes of the version before this one, which read these too.
        "owed": [],
        "sale_count": takings.sale_count,
        "credit_count": 0,
    }


def read_figures(figures: dict[str, Any]) -> Takings:
    takings = Takings()
    for kept, flows in ((figures["came_in"], takings.came_in), (figures["went_back"], takings.went_back)):
        for currency, mode, amount, documents in kept:
            flows[currency, mode] = Flow(Decimal(amount), documents)
    for name in ("sold", "undone", "voided"):
        for currency, amount, documents in figures[name]:
            getattr(takings, name)[currency] = Flow(Decimal(amount), documents)
    return takings
