"""Pages of a long list, by where the last one ended: rows that arrive meanwhile shift nothing, and no page is slow."""

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


def newest_first(queryset: QuerySet[Row], *, by: str, cursor: str | None, size: int) -> KeysetPage[Row]:
    """Return the `size` rows after `cursor`, ordered by the date or instant `by`, then by id, highest first.

    Raises BadCursor if `cursor` is not the `next_cursor` of such a page.
    """
    if cursor:
        value, key = read_cursor(cursor)
        # The first condition says nothing that the second does not, but it lets the index begin at the right place.
        later_rows = Q(**{f"{by}__lt": value}) | Q(**{by: value, "pk__lt": key})
        queryset = queryset.filter(Q(**{f"{by}__lte": value}), later_rows)
    found = list(queryset.order_by(f"-{by}", "-pk")[: size + 1])
    rows = found[:size]
    if len(found) <= size:
        return KeysetPage(rows=rows, next_cursor=None)
    last = rows[-1]
    return KeysetPage(rows=rows, next_cursor=write_cursor(getattr(last, by), last.pk))


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
