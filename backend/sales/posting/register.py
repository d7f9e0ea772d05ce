"""Registration numbers: 1, 2, 3… for each shop and month, with no gap, given inside the document's own transaction."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db.backends.utils import CursorWrapper

from backend.sales.posting import sql
from backend.sales.posting.context import ShopRules
from backend.sales.posting.decision import Decision


class MonthClosed(Exception):
    """The month was closed before this document got its number: the posting starts again and finds it closed."""

    def __init__(self, *, shop_id: int, day: date) -> None:
        super().__init__(f"{day:%Y-%m} of shop {shop_id} is closed")
        self.month = (shop_id, day.year, day.month)


def take_number(cursor: CursorWrapper, *, shop_id: int, day: date) -> int:
    """Return the next number of the shop's month. The row stays locked until the commit, so call this last.

    A rollback also undoes the number, so there is no gap. Raises MonthClosed.
    """
    month = {"shop_id": shop_id, "year": day.year, "month": day.month}
    number = sql.next_in_sequence(cursor, **month)
    if number is None:
        if sql.sequence_exists(cursor, **month):
            raise MonthClosed(shop_id=shop_id, day=day)
        sql.begin_sequence(cursor, **month)
        number = sql.next_in_sequence(cursor, **month)
        if number is None:
            raise MonthClosed(shop_id=shop_id, day=day)
    return number


def register_document(cursor: CursorWrapper, *, shop: ShopRules, document_id: int, day: str) -> None:
    """Give a document its registration number. Locks the shop's busiest row, so call it last. Raises MonthClosed."""
    counted_for = date.fromisoformat(day)
    number = take_number(cursor, shop_id=shop.id, day=counted_for)
    sql.write_registration(
        cursor,
        document_id=document_id,
        text=registration_number(shop_code=shop.code, day=counted_for, number=number),
        year=counted_for.year,
        month=counted_for.month,
        number=number,
    )


def registration_number(*, shop_code: str, day: date, number: int) -> str:
    """Return e.g. `FAC-BTQ-009-202411-000001`. All kinds of documents share one register, and so one prefix."""
    return f"FAC-{shop_code}-{day:%Y%m}-{number:06}"


def register(cursor: CursorWrapper, *, shop: ShopRules, decisions: Iterable[Decision], now: datetime) -> None:
    """Give the recorded ones among `decisions` their numbers, and mark days that are over and got another document.

    Days are marked before numbers are taken, both in order: the sequence is locked last of all. Raises MonthClosed.
    """
    recorded = [decision for decision in decisions if decision.is_recorded]
    today = shop.day_of(now).isoformat()
    for day in sorted({decision.day for decision in recorded if decision.day is not None and decision.day < today}):
        sql.mark_day(cursor, shop_id=shop.id, day=day)
    for decision in recorded:
        assert decision.document_id is not None
        assert decision.day is not None
        register_document(cursor, shop=shop, document_id=decision.document_id, day=decision.day)
