"""Pages of a long list by keyset: a page begins where the last one ended, so rows that arrive meanwhile shift nothing.

MariaDB was seen to spoil such a page in two ways, once what is still to come is half of the table: it reads all that
the owner has, or the whole table, and sorts it. `walk_index` avoids both.
"""

import datetime
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)


class BadCursor(ValueError):
    """The cursor is none that we gave."""


@dataclass(frozen=True)
class KeysetPage(Generic[Row]):
    rows: list[Row]
    # What names the next page; None on the last.
    next_cursor: str | None


def read_page(
    rows: QuerySet[Row], *, by: str, cursor: str | None, size: int, newest_first: bool = True
) -> KeysetPage[Row]:
    """Return the `size` rows after `cursor`, ordered by the date or instant `by`, then by id.

    Raises BadCursor if `cursor` is not the `next_cursor` of such a page.
    """
    if cursor:
        rows = rows.filter(after_cursor(cursor, by=by, newest_first=newest_first))
    sign = "-" if newest_first else ""
    found = list(rows.order_by(f"{sign}{by}", f"{sign}pk")[: size + 1])
    page = found[:size]
    if len(found) <= size:
        return KeysetPage(rows=page, next_cursor=None)
    last = page[-1]
    return KeysetPage(rows=page, next_cursor=write_cursor(getattr(last, by), last.pk))


def after_cursor(cursor: str, *, by: str, newest_first: bool) -> Q:
    """Return what lies beyond the place that a cursor names. Raises BadCursor."""
    value, key = read_cursor(cursor)
    # Says nothing that `beyond` does not, but lets the index begin at the right place.
    start = Q(**{f"{by}__lte" if newest_first else f"{by}__gte": value})
    return start & beyond({by: value, "pk": key}, newest_first=newest_first)


def read_cursor(cursor: str) -> tuple[datetime.date, int]:
    """Return the date or instant, and the id, of the last row before the page. Raises BadCursor."""
    text, _, key = cursor.rpartition("_")
    try:
        value = datetime.datetime.fromisoformat(text) if "T" in text else datetime.date.fromisoformat(text)
        if isinstance(value, datetime.datetime) and value.tzinfo is None:
            raise BadCursor(cursor)
        return value, int(key)
    except ValueError as error:
        raise BadCursor(cursor) from error


def write_cursor(value: datetime.date, key: int) -> str:
    return f"{value.isoformat()}_{key}"


def walk_index(
    rows: QuerySet[Model], *, of: str, owner_id: int, by: tuple[str, ...], newest_first: bool = False
) -> QuerySet:
    """Return the columns `by` of one owner's rows, in the order of the index (of, *by), for the caller to slice.

    `by` ends with the primary key. Only columns of the index are read, so that the database never prefers the table;
    the caller reads a page's rows by their keys. The owner is filtered by a range of one number, because with an
    equality the database may use only that part of the index.
    """
    rows = rows.filter(**{f"{of}__gte": owner_id, f"{of}__lte": owner_id})
    sign = "-" if newest_first else ""
    return rows.order_by(*(sign + field for field in (of, *by))).values_list(*by)


def beyond(place: dict[str, object], *, newest_first: bool = False) -> Q:
    """Return the condition for rows beyond `place`, the values of its fields, the most significant first."""
    step = "lt" if newest_first else "gt"
    found, equal = Q(), Q()
    for field, value in place.items():
        found |= equal & Q(**{f"{field}__{step}": value})
        equal &= Q(**{field: value})
    return found
