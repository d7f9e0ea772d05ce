"""Reading on from a place in a long index: a shop's changes, a till's outcomes, a unit's movements, page by page.

Two ways in which MariaDB spoils such a page, both seen, once what is still to come is half of the table: it reads all
that the owner has, or the whole table, and sorts it.
"""

from django.db.models import Model, Q, QuerySet


def walk_index(
    rows: QuerySet[Model], *, of: str, owner_id: int, by: tuple[str, ...], newest_first: bool = False
) -> QuerySet:
    """Return the `by` of one owner's rows, in the order of the index (of, *by), for the caller to slice.

    `by` ends with the primary key. Nothing but what the index holds: a page's rows are read by their keys afterwards,
    so that no table is ever cheaper than the index. The owner is given as a range that holds one number: an equality
    lets the database look for the owner alone.
    """
    rows = rows.filter(**{f"{of}__gte": owner_id, f"{of}__lte": owner_id})
    sign = "-" if newest_first else ""
    return rows.order_by(*(sign + field for field in (of, *by))).values_list(*by)


def beyond(place: dict[str, object], *, newest_first: bool = False) -> Q:
    """Return what lies beyond a place in that order, given as its fields and values, the first deciding first."""
    step = "lt" if newest_first else "gt"
    found, equal = Q(), Q()
    for field, value in place.items():
        found |= equal & Q(**{f"{field}__{step}": value})
        equal &= Q(**{field: value})
    return found
