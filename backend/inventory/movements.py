"""A shop's stock movements, newest first, in pages read from an index, however long the history."""

import heapq
import itertools
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from backend.db.keyset import BadCursor, beyond, walk_index
from backend.inventory.models import Article, StockMovement


@dataclass(frozen=True, slots=True)
class MovementPage:
    """Movements with their units and articles. before: the id to ask the next page with; None on the last."""

    movements: list[StockMovement]
    before: int | None


def read_movements(
    *,
    shop_id: int,
    article: Article | None = None,
    begin: datetime | None = None,
    end: datetime | None = None,
    movement_type: str | None = None,
    before: int | None = None,
    limit: int,
) -> MovementPage:
    """Return a shop's movements, or an article's, with begin <= at < end, newest first, `limit` at most.

    movement_type: no index has it, so a rare one is searched for among all the others.
    before: the previous page's `before`, the id of its last movement, whose row never changes: movements that arrive
    between two pages shift nothing. At one instant, the one written last comes first. Raises BadCursor.
    """
    wanted = StockMovement.objects.filter(moved_between(begin, end) & _after(shop_id, before))
    if movement_type is not None:
        wanted = wanted.filter(type=movement_type)
    walks = [
        walk_index(wanted, of=of, owner_id=owner_id, by=("at", "pk"), newest_first=True)[: limit + 1]
        for of, owner_id in _owners(shop_id, article)
    ]
    found = list(itertools.islice(heapq.merge(*walks, reverse=True), limit + 1))
    page = [movement_id for _, movement_id in found[:limit]]
    return MovementPage(_read(page), page[-1] if len(found) > limit else None)


def _owners(shop_id: int, article: Article | None) -> list[tuple[str, int]]:
    """Return whose movements are wanted: the shop's, or those of each unit of an article, at most three.

    One query for all units would read and sort their whole history; one query per unit follows its index.
    """
    if article is None:
        return [("shop_id", shop_id)]
    return [("unit_id", unit_id) for unit_id in article.units.filter(shop_id=shop_id).values_list("pk", flat=True)]


def moved_between(begin: datetime | None, end: datetime | None) -> Q:
    """Return the condition begin <= at < end."""
    filters = Q()
    if begin is not None:
        filters &= Q(at__gte=begin)
    if end is not None:
        filters &= Q(at__lt=end)
    return filters


def _after(shop_id: int, before: int | None) -> Q:
    if before is None:
        return Q()
    at = StockMovement.objects.filter(pk=before, shop_id=shop_id).values_list("at", flat=True).first()
    if at is None:
        raise BadCursor(before)
    return beyond({"at": at, "pk": before}, newest_first=True)


def _read(movement_ids: list[int]) -> list[StockMovement]:
    """Return these movements in this order, with their units and articles, and their comments where they are ours."""
    movements = StockMovement.objects.filter(pk__in=movement_ids).select_related("kept_comment")
    found = movements.prefetch_related("unit__article").in_bulk()
    return [found[movement_id] for movement_id in movement_ids]
