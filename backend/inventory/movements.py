"""A shop's stock movements, newest first, in pages that an index serves however long its history is."""

import heapq
import itertools
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from backend.inventory.models import Article, ArticleUnit, StockMovement


class CursorUnknown(ValueError):
    """No movement of this shop has this id."""


@dataclass(frozen=True, slots=True)
class MovementPage:
    """Movements with their units and articles. `before`: the id that names the next page; None on the last."""

    movements: list[StockMovement]
    before: int | None


def read_movements(
    *,
    shop_id: int,
    article: Article | None = None,
    begin: datetime | None = None,
    end: datetime | None = None,
    before: int | None = None,
    limit: int,
) -> MovementPage:
    """Return a shop's movements, or an article's, with begin <= at < end, newest first, `limit` at most.

    `before` is that of the page before: the id of its last movement, whose row never changes. Movements that arrive
    between two pages shift nothing. Of one instant, the one written last comes first. Raises CursorUnknown.
    """
    filters = _between(begin, end) & _after(shop_id, before)
    parts = [part.filter(filters).order_by("-at", "-pk")[: limit + 1] for part in _parts(shop_id, article)]
    newest = heapq.merge(*parts, key=lambda movement: (movement.at, movement.pk), reverse=True)
    found = list(itertools.islice(newest, limit + 1))
    page = found[:limit]
    _attach_units(page)
    return MovementPage(page, page[-1].pk if len(found) > limit else None)


def _parts(shop_id: int, article: Article | None) -> list[QuerySet[StockMovement]]:
    """Return one query for a shop, one for each unit of an article: each follows its own index to its own limit.

    One query for all of an article's units would read their whole history to sort it; there are three levels at most.
    """
    if article is None:
        return [StockMovement.objects.filter(shop_id=shop_id)]
    units = article.units.filter(shop_id=shop_id).values_list("pk", flat=True)
    return [StockMovement.objects.filter(unit_id=unit_id) for unit_id in units]


def _between(begin: datetime | None, end: datetime | None) -> Q:
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
        raise CursorUnknown(before)
    # The first condition says nothing that the others do not, but it lets the index begin at the right place.
    return Q(at__lte=at) & (Q(at__lt=at) | Q(at=at, pk__lt=before))


def _attach_units(movements: list[StockMovement]) -> None:
    """Read the units apart: joined, the database may begin with the few articles and sort all their movements."""
    wanted = {movement.unit_id for movement in movements}
    units = {unit.pk: unit for unit in ArticleUnit.objects.filter(pk__in=wanted).select_related("article")}
    for movement in movements:
        movement.unit = units[movement.unit_id]
