"""What changed in a shop's catalogue since a cursor: an article counts as changed when it or one of its units did."""

import heapq
import itertools
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, QuerySet

from backend.config.cursors import ChangeCursor, CursorInvalid
from backend.inventory.models import Article, ArticleUnit

# Of a cursor: (shop, kind, id). What comes first among changes of one instant has the lower kind; 0 is before them all.
KEY_LENGTH = 3
ARTICLE, UNIT = 1, 2
# The first walk goes over the articles alone: each is sent once, and not again for each of its units.
FIRST_WALK = 3


@dataclass(frozen=True, slots=True)
class ChangedArticle:
    article: Article
    units: list[ArticleUnit]

    @property
    def base_unit(self) -> ArticleUnit | None:
        return next((unit for unit in self.units if unit.pk == self.article.base_unit_id), None)


@dataclass(frozen=True, slots=True)
class CataloguePage:
    """Articles as they stand now, each once, and where to go on. `is_last`: nothing else has changed for now."""

    articles: list[ChangedArticle]
    cursor: ChangeCursor
    is_last: bool


class Change(NamedTuple):
    """One row that changed, in the order of a walk."""

    at: datetime
    kind: int
    id: int
    article_id: int


def read_catalogue(*, shop_id: int, since: ChangeCursor | None, limit: int, now: datetime) -> CataloguePage:
    """Return the articles behind the next `limit` changes since a cursor; without one, behind all there are.

    Never misses a change, may repeat one (docs/decisions). A walk has no end set in advance: an article that changes
    all the time is always ahead, and is met all the same. What an article holds is read after what says that it
    changed. `now` is taken before the call. A till that was moved begins anew: what it knows is another shop's.
    Raises CursorInvalid.
    """
    if since is not None and since.key[0] != shop_id:
        since = None
    cursor = ChangeCursor.begin(since, now=now, key_length=KEY_LENGTH)
    if since is None:
        cursor = cursor.move_to(cursor.at, (shop_id, FIRST_WALK, 0))
    found = list(itertools.islice(heapq.merge(*_streams(shop_id, cursor, limit + 1)), limit + 1))
    page = found[:limit]
    articles = _read_articles(shop_id, [change.article_id for change in page])
    is_first_walk = cursor.key[1] == FIRST_WALK
    if page:
        cursor = cursor.move_to(page[-1].at, (shop_id, page[-1].kind, page[-1].id))
    if len(found) > limit:
        return CataloguePage(articles, cursor, is_last=False)
    if is_first_walk:
        # It met every article: the next walk need not look at what changed before it began, the overlap apart.
        cursor = cursor.move_to(cursor.walk_began_at, cursor.key)
    cursor = cursor.finish()
    if cursor.key[0] != shop_id:
        cursor = cursor.move_to(cursor.at, (shop_id, 0, 0))
    return CataloguePage(articles, cursor, is_last=True)


def _streams(shop_id: int, cursor: ChangeCursor, limit: int) -> list[list[Change]]:
    """Return the next changes of each kind, each list in its own order, from its own index."""
    if cursor.key[1] > FIRST_WALK:
        raise CursorInvalid(cursor.as_text())
    articles = Article.objects.filter(shop_id=shop_id)
    if cursor.key[1] == FIRST_WALK:
        rows = _after(articles, cursor, kind=FIRST_WALK).values_list("changed_at", "pk")[:limit]
        return [[Change(at, FIRST_WALK, pk, pk) for at, pk in rows]]
    units = ArticleUnit.objects.filter(shop_id=shop_id)
    changed_articles = _after(articles, cursor, kind=ARTICLE).values_list("changed_at", "pk")[:limit]
    changed_units = _after(units, cursor, kind=UNIT).values_list("changed_at", "pk", "article_id")[:limit]
    return [
        [Change(at, ARTICLE, pk, pk) for at, pk in changed_articles],
        [Change(at, UNIT, pk, article_id) for at, pk, article_id in changed_units],
    ]


def _after(rows: QuerySet, cursor: ChangeCursor, *, kind: int) -> QuerySet:
    """Return what of this kind comes after the cursor in the order (changed_at, kind, id)."""
    _, reached_kind, reached_id = cursor.key
    if kind < reached_kind:
        rows = rows.filter(changed_at__gt=cursor.at)
    elif kind > reached_kind:
        rows = rows.filter(changed_at__gte=cursor.at)
    else:
        rows = rows.filter(Q(changed_at__gt=cursor.at) | Q(changed_at=cursor.at, pk__gt=reached_id))
    return rows.order_by("changed_at", "pk")


def _read_articles(shop_id: int, article_ids: list[int]) -> list[ChangedArticle]:
    """Return these articles once each, whole, in the order in which they are first named."""
    wanted = list(dict.fromkeys(article_ids))
    articles = {article.pk: article for article in Article.objects.filter(shop_id=shop_id, pk__in=wanted)}
    units = defaultdict(list)
    for unit in ArticleUnit.objects.filter(shop_id=shop_id, article_id__in=wanted).order_by("pk"):
        units[unit.article_id].append(unit)
    return [ChangedArticle(articles[pk], units[pk]) for pk in wanted if pk in articles]
