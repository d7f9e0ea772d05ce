"""The movements of a unit and of a shop, and the sums that explain a unit's stock."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Max, Sum, prefetch_related_objects

from backend.db.keyset import BadCursor, beyond, walk_index
from backend.inventory.models import Article, ArticleUnit, StockMovement
from backend.inventory.movements import MovementPage, moved_between, read_movements
from backend.shops.models import Shop
from backend.web.wording.stock import SUM_LINES

PAGE_MOVEMENTS_MAX = 50


@dataclass(frozen=True)
class SumLine:
    """The sum of all movements of one type; `quantity` is signed."""

    words: str
    sign: str
    count: int
    quantity: Decimal


@dataclass(frozen=True)
class Explanation:
    """before + all lines = after. `is_sound` is False if the last movement has another stock: the chain is broken."""

    before: Decimal
    lines: list[SumLine]
    after: Decimal
    movement_count: int
    is_sound: bool


def explain(*, unit: ArticleUnit, begin: datetime | None = None, end: datetime | None = None) -> Explanation:
    """Return the sums of a unit's movements with begin <= at < end, by type. Two or three queries.

    The sums and the last movement in them come from one query, so a sale posted meanwhile is in both or in neither.
    Movements never change, so the last one may be read afterwards.
    """
    movements = StockMovement.objects.filter(unit=unit)
    before = Decimal(0)
    if begin is not None:
        earlier = movements.filter(at__lt=begin).order_by("-at", "-pk").values_list("stock_after", flat=True)
        before = earlier.first() or before
        movements = movements.filter(at__gte=begin)
    if end is not None:
        movements = movements.filter(at__lt=end)
    by_type = {
        row["type"]: row
        for row in movements.values("type").annotate(quantity=Sum("quantity"), count=Count("pk"), last=Max("pk"))
    }
    lines = [
        SumLine(str(words), sign, by_type[kind]["count"], by_type[kind]["quantity"])
        for kind, words, sign in SUM_LINES
        if kind in by_type
    ]
    after = before + sum((row["quantity"] for row in by_type.values()), Decimal(0))
    count = sum(row["count"] for row in by_type.values())
    stated = after
    if count and begin is None and end is None:
        # Not checked for a period: the clocks of two machines may put a movement on the other side of midnight.
        last = max(row["last"] for row in by_type.values())
        stated = StockMovement.objects.values_list("stock_after", flat=True).get(pk=last)
    return Explanation(before, lines, after, count, is_sound=stated == after)


def unit_history(
    *, unit: ArticleUnit, begin: datetime | None = None, end: datetime | None = None, before: int | None = None
) -> MovementPage:
    """Return a page of a unit's movements, newest first, with their documents. Raises BadCursor."""
    wanted = StockMovement.objects.filter(moved_between(begin, end))
    if before is not None:
        at = StockMovement.objects.filter(pk=before, unit=unit).values_list("at", flat=True).first()
        if at is None:
            raise BadCursor(before)
        wanted = wanted.filter(beyond({"at": at, "pk": before}, newest_first=True))
    walk = walk_index(wanted, of="unit_id", owner_id=unit.pk, by=("at", "pk"), newest_first=True)
    found = [movement_id for _, movement_id in walk[: PAGE_MOVEMENTS_MAX + 1]]
    shown = found[:PAGE_MOVEMENTS_MAX]
    movements = StockMovement.objects.select_related("document", "kept_comment").in_bulk(shown)
    return MovementPage(
        [movements[movement_id] for movement_id in shown], shown[-1] if len(found) > len(shown) else None
    )


def shop_history(
    *,
    shop: Shop,
    article: Article | None = None,
    movement_type: str = "",
    begin: datetime | None = None,
    end: datetime | None = None,
    before: int | None = None,
) -> MovementPage:
    """Return a page of a shop's movements, newest first, with units, articles and documents. Raises BadCursor."""
    page = read_movements(
        shop_id=shop.pk,
        article=article,
        movement_type=movement_type or None,
        begin=begin,
        end=end,
        before=before,
        limit=PAGE_MOVEMENTS_MAX,
    )
    prefetch_related_objects(page.movements, "document")
    return page
