"""Closes a shop's month: its register then gives no more numbers, and a late sale counts in an open month.

There is no reopening: papers with the month's last number may have left the shop, and a number given after them would
contradict them.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from backend.db.transients import retrying
from backend.inventory.models import AUTHOR_LENGTH_MAX
from backend.sales.models import InvoiceSequence
from backend.sales.posting import sql
from backend.shops.models import Shop


class MonthNotOver(Exception):
    """The month has not ended yet where the shop stands."""

    def __init__(self, *, shop: Shop, first_day: date) -> None:
        super().__init__(f"{first_day:%Y-%m} has not ended yet in {shop.timezone}, where {shop.code} counts its days")


class MonthAlreadyClosed(Exception):
    """Somebody closed it before; nothing was changed."""

    def __init__(self, sequence: InvoiceSequence) -> None:
        author = sequence.closed_by or "somebody"
        super().__init__(
            f"{sequence.year}-{sequence.month:02} was closed by {author} on {sequence.closed_at:%Y-%m-%d %H:%M} UTC,"
            f" with {sequence.last_number} documents"
        )
        self.sequence = sequence


def close_month(*, shop: Shop, year: int, month: int, author: str, now: datetime | None = None) -> InvoiceSequence:
    """Close the shop's month and return its sequence, whose `last_number` is the count of its documents.

    The sequence's row is locked: a posting that has its number already commits first and is in the month; a later
    posting finds the month closed and starts again with the next rule. A month without sales gets its row here.
    Raises MonthNotOver, MonthAlreadyClosed, and ValueError for an impossible month.
    """
    now = now or datetime.now(UTC)
    first_day = date(year, month, 1)
    following = (first_day + timedelta(days=32)).replace(day=1)
    if now.astimezone(ZoneInfo(shop.timezone)).date() < following:
        raise MonthNotOver(shop=shop, first_day=first_day)
    return retrying(lambda: _close(shop, first_day, author=author[:AUTHOR_LENGTH_MAX], now=now), name="close_month")


def _close(shop: Shop, first_day: date, *, author: str, now: datetime) -> InvoiceSequence:
    with transaction.atomic(durable=True):
        sequence = _locked(shop, first_day)
        if sequence is None:
            # Only where there is no row: on an existing row the INSERT would take a shared lock, and two sessions that
            # both raise a shared lock to an exclusive one dead-lock.
            with connection.cursor() as cursor:
                sql.begin_sequence(cursor, shop_id=shop.pk, year=first_day.year, month=first_day.month)
            sequence = _locked(shop, first_day)
            assert sequence is not None, "it was made just now, by this session or by another"
        if sequence.closed_at == now:
            # By an earlier attempt of this very call, whose COMMIT went through and whose answer was lost.
            return sequence
        if sequence.closed_at is not None:
            raise MonthAlreadyClosed(sequence)
        sequence.closed_at = now
        sequence.closed_by = author
        sequence.save(update_fields=["closed_at", "closed_by"])
    return sequence


def _locked(shop: Shop, first_day: date) -> InvoiceSequence | None:
    rows = InvoiceSequence.objects.select_for_update()
    return rows.filter(shop_id=shop.pk, year=first_day.year, month=first_day.month).first()
