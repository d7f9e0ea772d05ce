"""A shop's stock by article, negative and low stock first; and one article with its units."""

from dataclasses import dataclass

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    Min,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    TextChoices,
    Value,
    When,
)

from backend.db.keyset import BadCursor, KeysetPage, beyond
from backend.inventory.carton_opening import LEVELS
from backend.inventory.models import Article, ArticleUnit
from backend.shops.models import Shop

PAGE_ARTICLES_MAX = 50

# The lowest rank is shown first.
NEGATIVE_RANK, LOW_RANK, ENOUGH_RANK = range(3)
IS_LOW = Q(stock__lte=F("low_stock_threshold"))
IS_NEGATIVE = Q(stock__lt=0)


class StockState(TextChoices):
    """The filters of the list."""

    LOW = "bas"
    NEGATIVE = "negatif"
    INACTIVE = "inactifs"


@dataclass(frozen=True)
class StockCounts:
    """Counts of active articles: all, those with a negative unit, and those with a low one."""

    article_count: int
    negative_count: int
    low_count: int


def stock_counts(*, shop: Shop) -> StockCounts:
    """Return the shop's counts, in one query. An article with a negative unit is not counted as low too."""
    own = ArticleUnit.objects.filter(article_id=OuterRef("pk"))
    articles = Article.objects.filter(shop=shop, is_active=True).annotate(
        is_negative=Exists(own.filter(IS_NEGATIVE)), is_low=Exists(own.filter(IS_LOW))
    )
    counts = articles.aggregate(
        article_count=Count("pk"),
        negative_count=Count("pk", filter=Q(is_negative=True)),
        low_count=Count("pk", filter=Q(is_low=True, is_negative=False)),
    )
    return StockCounts(**counts)


def stock_page(*, shop: Shop, text: str = "", state: str = "", cursor: str | None = None) -> KeysetPage[Article]:
    """Return a page of the shop's articles, with their units in `sorted_units`: negative first, then low, then others.

    text: part of a name or code, or the beginning of a barcode. Only active articles, unless state is INACTIVE.
    Within a rank, articles are sorted by name. Raises BadCursor.
    """
    articles = Article.objects.filter(shop=shop, is_active=state != StockState.INACTIVE).annotate(rank=_rank())
    if text := text.strip():
        articles = articles.filter(Q(name__icontains=text) | Q(code__icontains=text) | Q(barcode__startswith=text))
    if state == StockState.NEGATIVE:
        articles = articles.filter(rank=NEGATIVE_RANK)
    elif state == StockState.LOW:
        articles = articles.filter(rank__lte=LOW_RANK)
    if cursor:
        articles = articles.filter(_beyond(cursor, shop))
    units = Prefetch("units", queryset=ArticleUnit.objects.order_by("pk"), to_attr="sorted_units")
    found = list(articles.order_by("rank", "name", "pk").prefetch_related(units)[: PAGE_ARTICLES_MAX + 1])
    rows = found[:PAGE_ARTICLES_MAX]
    for article in rows:
        article.sorted_units.sort(key=size_order)
    last = rows[-1] if len(found) > PAGE_ARTICLES_MAX else None
    return KeysetPage(rows=list(rows), next_cursor=f"{last.rank}_{last.pk}" if last else None)


def _rank() -> Min:
    """Return the lowest rank among an article's units; an article without units has ENOUGH_RANK."""
    of_unit = Case(
        When(units__stock__lt=0, then=Value(NEGATIVE_RANK)),
        When(units__stock__lte=F("units__low_stock_threshold"), then=Value(LOW_RANK)),
        default=Value(ENOUGH_RANK),
        output_field=IntegerField(),
    )
    return Min(of_unit)


def _beyond(cursor: str, shop: Shop) -> Q:
    """Return the filter for what follows an article of the shop, at the rank that it had on the previous page.

    Its name is read again here, so that the cursor in the address does not hold a name.
    """
    rank, _, article_id = cursor.partition("_")
    if not (rank.isdecimal() and article_id.isdecimal()):
        raise BadCursor(cursor)
    name = Article.objects.filter(pk=int(article_id), shop=shop).values_list("name", flat=True).first()
    if name is None:
        raise BadCursor(cursor)
    return beyond({"rank": int(rank), "name": name, "pk": int(article_id)})


def article_of_shops(*, article_id: int, shop_ids: list[int]) -> Article | None:
    """Return the article if it belongs to one of these shops, else None."""
    return Article.objects.filter(pk=article_id, shop_id__in=shop_ids).select_related("shop").first()


def units_of(article: Article) -> list[ArticleUnit]:
    """Return the article's units, the largest first."""
    units: QuerySet[ArticleUnit] = article.units.filter(shop_id=article.shop_id).select_related("article")
    return sorted(units, key=size_order)


def size_order(unit: ArticleUnit) -> int:
    return LEVELS.index(unit.level) if unit.level in LEVELS else len(LEVELS)


def smaller_unit(unit: ArticleUnit, units: list[ArticleUnit]) -> ArticleUnit | None:
    """Return the unit that this one is opened into. units: its article's, the largest first."""
    return next((other for other in units if size_order(other) > size_order(unit)), None)


def articles_named(*, shop: Shop, text: str, limit: int) -> list[Article]:
    """Return the articles with this code or barcode; if there are none, those whose names contain the text."""
    articles = Article.objects.filter(shop=shop)
    exact = list(articles.filter(Q(code=text) | Q(barcode=text)).order_by("pk")[:limit])
    return exact or list(articles.filter(name__icontains=text).order_by("name", "pk")[:limit])
