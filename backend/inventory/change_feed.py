"""What changed in a shop's catalogue since a cursor: an article counts as changed when it or one of its units did."""

import heapq
import itertools
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from backend.db.change_cursors import ChangeCursor, CursorInvalid
from backend.db.keyset import beyond, walk_index
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
    articles = _read_articles(shop_id, page)
    is_first_walk = cursor.key[1] == FIRST_WALK
    if page:
        cursor = cursor.move_to(page[-1].at, (shop_id, page[-1].kind, page[-1].id))
    if len(found) > limit:
        return CataloguePage(articles, cursor, is_last=False)
    if is_first_walk:
        # It met every article: the next walk need not look at what changed before it began, the overlap apart.
        assert cursor.walk_began_at is not None, "begin() has said so"
        cursor = cursor.move_to(cursor.walk_began_at, cursor.key)
    cursor = cursor.finish()
    if cursor.key[0] != shop_id:
        cursor = cursor.move_to(cursor.at, (shop_id, 0, 0))
    return CataloguePage(articles, cursor, is_last=True)


def _streams(shop_id: int, cursor: ChangeCursor, limit: int) -> list[list[Change]]:
    """Return the next changes of each kind, each list in its own order, from its own index."""
    if cursor.key[1] > FIRST_WALK:
        raise CursorInvalid(cursor.as_text())
    kinds = (FIRST_WALK,) if cursor.key[1] == FIRST_WALK else (ARTICLE, UNIT)
    return [_stream(shop_id, cursor, kind, limit) for kind in kinds]


def _stream(shop_id: int, cursor: ChangeCursor, kind: int, limit: int) -> list[Change]:
    rows = (ArticleUnit if kind == UNIT else Article).objects.filter(_after(cursor, kind))
    walk = walk_index(rows, of="shop_id", owner_id=shop_id, by=("changed_at", "pk"))
    return [Change(at, kind, pk) for at, pk in walk[:limit]]


def _after(cursor: ChangeCursor, kind: int) -> Q:
    """Return what of this kind comes after the cursor in the order (changed_at, kind, id)."""
    _, reached_kind, reached_id = cursor.key
    if kind < reached_kind:
        return Q(changed_at__gt=cursor.at)
    if kind > reached_kind:
        return Q(changed_at__gte=cursor.at)
    return beyond({"changed_at": cursor.at, "pk": reached_id})


def _read_articles(shop_id: int, changes: list[Change]) -> list[ChangedArticle]:
    """Return the articles that changed, once each, whole, in the order in which they are first named.

    The wall is asked of what was read: in the queries, an index of the shop would be one more way to go wrong.
    """
    unit_ids = [change.id for change in changes if change.kind == UNIT]
    article_of = dict(ArticleUnit.objects.filter(pk__in=unit_ids).values_list("pk", "article_id"))
    named = (article_of.get(change.id) if change.kind == UNIT else change.id for change in changes)
    wanted = list(dict.fromkeys(article_id for article_id in named if article_id is not None))
    articles = {article.pk: article for article in Article.objects.filter(pk__in=wanted) if article.shop_id == shop_id}
    units = defaultdict(list)
    for unit in sorted(ArticleUnit.objects.filter(article_id__in=wanted), key=lambda unit: unit.pk):
        units[unit.article_id].append(unit)
    return [ChangedArticle(articles[pk], units[pk]) for pk in wanted if pk in articles]
