"""The stored articles and units of one shop that a spreadsheet names."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from django.db.models import Exists, Model, OuterRef, QuerySet

from backend.inventory.models import Article, ArticleUnit, StockMovement
from backend.shops.models import Shop

Row = TypeVar("Row", bound=Model)
Value = TypeVar("Value")
# MariaDB turns a longer list of ids into a join, which locks the rows in any order.
CHUNK_ROWS = 500


@dataclass(frozen=True)
class Stored:
    articles: dict[uuid.UUID, Article] = field(default_factory=dict)
    articles_by_id: dict[int, Article] = field(default_factory=dict)
    articles_by_code: dict[str, Article] = field(default_factory=dict)
    units: dict[uuid.UUID, ArticleUnit] = field(default_factory=dict)
    units_by_level: dict[tuple[int, str], ArticleUnit] = field(default_factory=dict)
    moved_unit_ids: frozenset[int] = frozenset()


def read_stored(*, shop: Shop, uuids: Iterable[uuid.UUID], codes: Iterable[str], is_locked: bool) -> Stored:
    """Read the shop's articles with one of these uuids, codes or units' uuids, and all units of these articles.

    is_locked: lock articles, then units, each in the order of their ids.
    """
    uuids = sorted(set(uuids))
    articles = Article.objects.filter(shop=shop)
    units = ArticleUnit.objects.filter(article__shop=shop)
    article_ids = {
        *_values(articles, "uuid", uuids, wanted="pk"),
        *_values(articles, "code", sorted(set(codes)), wanted="pk"),
        *_values(units, "uuid", uuids, wanted="article_id"),
    }
    found = list(_rows(Article.objects.all(), article_ids, is_locked=is_locked))
    unit_ids = _values(units, "article_id", sorted(article_ids), wanted="pk")
    found_units = list(_rows(ArticleUnit.objects.all(), unit_ids, is_locked=is_locked))
    moved = Exists(StockMovement.objects.filter(unit=OuterRef("pk")))
    return Stored(
        articles={article.uuid: article for article in found},
        articles_by_id={article.pk: article for article in found},
        articles_by_code={article.code: article for article in found},
        units={unit.uuid: unit for unit in found_units},
        units_by_level={(unit.article_id, unit.level): unit for unit in found_units},
        moved_unit_ids=frozenset(_values(units.filter(moved), "pk", sorted(unit_ids), wanted="pk")),
    )


def in_chunks(values: list[Value]) -> Iterator[list[Value]]:
    for start in range(0, len(values), CHUNK_ROWS):
        yield values[start : start + CHUNK_ROWS]


def _values(rows: QuerySet, column: str, values: list, *, wanted: str) -> set[int]:
    return {
        found
        for chunk in in_chunks(values)
        for found in rows.filter(**{f"{column}__in": chunk}).values_list(wanted, flat=True)
    }


def _rows(rows: QuerySet[Row], ids: Iterable[int], *, is_locked: bool) -> Iterator[Row]:
    for chunk in in_chunks(sorted(ids)):
        chosen = rows.filter(pk__in=chunk).order_by("pk")
        yield from chosen.select_for_update() if is_locked else chosen
