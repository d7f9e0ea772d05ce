"""Changes of a shop's catalogue since a cursor: an article has changed when it or one of its units has."""

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

# A cursor's key is (shop, kind, id). Among changes of one instant the lower kind comes first; 0 is before all of them.
KEY_LENGTH = 3
ARTICLE, UNIT = 1, 2
# The first walk goes over the articles only: each is sent once, and not again for each of its units.
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
    """Articles in their present state, each once, and the cursor of the next page. is_last: nothing more for now."""

    articles: list[ChangedArticle]
    cursor: ChangeCursor
    is_last: bool


class Change(NamedTuple):
    """One row that changed, in the order of a walk."""

    at: datetime
    kind: int
    id: int


def read_catalogue(*, shop_id: int, since: ChangeCursor | None, limit: int, now: datetime) -> CataloguePage:
    """Return the articles of the next `limit` changes since a cursor; without a cursor, walk over all articles.

    Never misses a change, may repeat one (docs/decisions). A walk has no end set in advance, so it also meets an
    article that changes all the time. An article is read after the row that says that it changed. now: taken before
    the call. A till that was moved to another shop begins a new first walk.
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
        # It met every article: the next walk can start where this one began, less the overlap.
        assert cursor.walk_began_at is not None, "begin() sets it"
        cursor = cursor.move_to(cursor.walk_began_at, cursor.key)
    cursor = cursor.finish()
    if cursor.key[0] != shop_id:
        cursor = cursor.move_to(cursor.at, (shop_id, 0, 0))
    return CataloguePage(articles, cursor, is_last=True)


def _streams(shop_id: int, cursor: ChangeCursor, limit: int) -> list[list[Change]]:
    """Return the next changes of each kind, one sorted list per kind, each read from its own index."""
    if cursor.key[1] > FIRST_WALK:
        raise CursorInvalid(cursor.as_text())
    kinds = (FIRST_WALK,) if cursor.key[1] == FIRST_WALK else (ARTICLE, UNIT)
    return [_stream(shop_id, cursor, kind, limit) for kind in kinds]


def _stream(shop_id: int, cursor: ChangeCursor, kind: int, limit: int) -> list[Change]:
    rows = (ArticleUnit if kind == UNIT else Article).objects.filter(_after(cursor, kind))
    walk = walk_index(rows, of="shop_id", owner_id=shop_id, by=("changed_at", "pk"))
    return [Change(at, kind, pk) for at, pk in walk[:limit]]


def _after(cursor: ChangeCursor, kind: int) -> Q:
    """Return the filter for rows of this kind after the cursor, in the order (changed_at, kind, id)."""
    _, reached_kind, reached_id = cursor.key
    if kind < reached_kind:
        return Q(changed_at__gt=cursor.at)
    if kind > reached_kind:
        return Q(changed_at__gte=cursor.at)
    return beyond({"changed_at": cursor.at, "pk": reached_id})


def _read_articles(shop_id: int, changes: list[Change]) -> list[ChangedArticle]:
    """Return the changed articles with all their units, each once, in the order of their first change.

    The shop is checked in Python: a condition in the query could make the optimizer choose an index of the shop.
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
