"""The parts below a day's figures: the days before, sales by hour, the best articles, and low stock."""

import datetime
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Count, DateTimeField, Max, Sum, Value
from django.db.models.functions import Coalesce, Trunc
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from backend.inventory.models import ArticleUnit
from backend.sales.models import Sale, SaleKind, SaleLine
from backend.sales.money import takings
from backend.sales.money.takings import to_cents
from backend.shops.models import Shop
from backend.web import formats
from backend.web.charts import Bar, Chart
from backend.web.selectors.dashboard import ordered
from backend.web.selectors.stock import IS_LOW, IS_NEGATIVE

DAYS = 30
BEST_MAX = 8
LOW_MAX = 6
# These hours are shown even if nothing was sold: a shop's usual day.
FIRST_HOUR, LAST_HOUR = 7, 19
NO_TIME = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Hours:
    chart: Chart
    # Sales whose time is missing or on another day.
    without_hour_count: int


@dataclass
class BestArticle:
    """What one article's sales came to in one currency, and the quantity sold of each unit."""

    article_id: int
    name: str
    currency: str
    amount: Decimal = Decimal(0)
    quantities: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @property
    def sold(self) -> str:
        return ", ".join(f"{formats.quantity(sold)}{formats.SPACE}{mark}" for mark, sold in self.quantities.items())


@dataclass(frozen=True)
class LowStock:
    units: list[ArticleUnit]
    has_more: bool


def days_until(day: datetime.date) -> list[datetime.date]:
    return [day - datetime.timedelta(days=ago) for ago in reversed(range(DAYS))]


def chart_of_days(totals: Mapping[datetime.date, takings.Takings], *, shop: Shop) -> Chart:
    """Return a chart of each day's money, in less out: bars in the shop's own currency, texts in every currency."""
    bars = []
    for day, found in sorted(totals.items()):
        sums: dict[str, Decimal] = defaultdict(Decimal, {shop.currency: Decimal(0)})
        for (currency, _mode), flow in found.net().items():
            sums[currency] += flow.amount
        words = _(" et ").join(formats.money(sums[currency], currency) for currency in ordered(sums, shop=shop))
        bars.append(Bar(date_format(day, "j N"), sums[shop.currency], words))
    return Chart(_("En caisse en 30 jours"), bars)


def hours_of_day(*, shop: Shop, day: datetime.date) -> Hours:
    """Return how many sales each hour of the shop's day had, by the tills' clocks. One query."""
    zone = ZoneInfo(shop.timezone)
    noon = datetime.datetime.combine(day, datetime.time(12), tzinfo=zone)
    # Grouped by hour of UTC, which are hours of the zone too, unless its offset is not whole hours.
    offset = noon.utcoffset()
    assert offset is not None
    unit = "hour" if offset % datetime.timedelta(hours=1) == datetime.timedelta() else "minute"
    # A sale without a time counts too; Django would take a NULL here for a database without time zones.
    sold_at = Coalesce("sold_at", Value(NO_TIME))
    moment = Trunc(sold_at, unit, output_field=DateTimeField(), tzinfo=datetime.UTC)
    sales = Sale.objects.filter(shop=shop, business_day=day, kind=SaleKind.SALE).annotate(moment=moment)
    counts: Counter[int | None] = Counter()
    for at, count in sales.values_list("moment").annotate(Count("pk")).order_by():
        local = at.astimezone(zone)
        counts[local.hour if local.date() == day else None] += count
    hours = [hour for hour in counts if hour is not None]
    shown = range(min([FIRST_HOUR, *hours]), max([LAST_HOUR, *hours]) + 1) if hours else ()
    bars = [
        Bar(_("%(hour)s h") % {"hour": hour}, Decimal(counts[hour]), formats.quantity(Decimal(counts[hour])))
        for hour in shown
    ]
    return Hours(Chart(_("Ventes par heure"), bars), counts[None])


def best_articles(*, shop: Shop, day: datetime.date) -> list[list[BestArticle]]:
    """Return the best articles of a day by amount, one list per currency, the shop's own first. One query.

    Voided sales are left out; returned lines are not subtracted.
    """
    lines = SaleLine.objects.filter(
        document__shop=shop, document__business_day=day, document__kind=SaleKind.SALE, document__voided_at=None
    )
    groups = lines.values("unit_id", "unit__article_id", "document__currency").annotate(
        amount=Sum("total"), quantity=Sum("quantity"), name=Max("article_name"), mark=Max("unit_mark")
    )
    found: dict[tuple[str, int], BestArticle] = {}
    for group in groups.order_by("unit_id"):
        currency, article_id = group["document__currency"], group["unit__article_id"]
        best = found.setdefault((currency, article_id), BestArticle(article_id, group["name"], currency))
        best.amount += to_cents(group["amount"])
        best.quantities[group["mark"]] += Decimal(group["quantity"]).quantize(Decimal("0.001"))
    by_currency: dict[str, list[BestArticle]] = defaultdict(list)
    for best in sorted(found.values(), key=lambda best: (-best.amount, best.name)):
        by_currency[best.currency].append(best)
    return [by_currency[currency][:BEST_MAX] for currency in ordered(by_currency, shop=shop)]


def low_stock(*, shop: Shop) -> LowStock:
    """Return the units with negative or low stock, lowest first. One query."""
    units = ArticleUnit.objects.filter(IS_LOW | IS_NEGATIVE, shop=shop, article__is_active=True)
    found = list(units.select_related("article").order_by("stock", "article__name", "pk")[: LOW_MAX + 1])
    return LowStock(found[:LOW_MAX], has_more=len(found) > LOW_MAX)
