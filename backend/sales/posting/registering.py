"""Bringing recorded documents to the books: their day is told, then each gets its registration number, last of all."""

from collections.abc import Iterable
from datetime import datetime

from django.db.backends.utils import CursorWrapper

from backend.sales.posting import sql
from backend.sales.posting.context import ShopRules
from backend.sales.posting.decision import Verdict
from backend.sales.posting.register import register_document


def register(cursor: CursorWrapper, *, shop: ShopRules, verdicts: Iterable[Verdict], now: datetime) -> None:
    """Give the recorded ones among `verdicts` their numbers; days that are over learn that they got more.

    The days before the numbers, each in order: the sequence is the last row that anybody locks. Raises MonthClosed.
    """
    recorded = [verdict for verdict in verdicts if verdict.is_recorded]
    today = shop.day_of(now).isoformat()
    for day in sorted({verdict.day for verdict in recorded if verdict.day is not None and verdict.day < today}):
        sql.mark_day(cursor, shop_id=shop.id, day=day)
    for verdict in recorded:
        assert verdict.document_id is not None
        assert verdict.day is not None
        register_document(cursor, shop=shop, document_id=verdict.document_id, day=verdict.day)
