"""The register of a shop's month: each number from 1 on with its document, and the gaps."""

import datetime
from dataclasses import dataclass

from django.db.models import Exists, Max, OuterRef, QuerySet

from backend.sales.models import Batch, InvoiceSequence, Sale
from backend.sales.repair.open_entries import open_entries
from backend.sales.wire.business_day import YEAR_MAX, YEAR_MIN
from backend.shops.models import Shop

PAGE_NUMBERS_MAX = 100
GAPS_SHOWN_MAX = 20
MONTH = datetime.timedelta(days=31)


@dataclass(frozen=True)
class Entry:
    """A number and its document; None for a gap, which must not happen."""

    number: int
    sale: Sale | None


@dataclass(frozen=True)
class Gap:
    """A range of numbers without documents, both ends included."""

    first: int
    last: int


@dataclass(frozen=True)
class MonthState:
    """A month of the shop's register. `sequence` is None before the first number."""

    first_day: datetime.date
    sequence: InvoiceSequence | None
    is_over: bool

    @property
    def is_closed(self) -> bool:
        return self.sequence is not None and self.sequence.closed_at is not None

    @property
    def last_number(self) -> int:
        return self.sequence.last_number if self.sequence else 0

    @property
    def value(self) -> str:
        return f"{self.first_day:%Y-%m}"


@dataclass(frozen=True)
class RegisterPage:
    month: MonthState
    # Equal to the month's last number if there is no gap.
    document_count: int
    gaps: list[Gap]
    entries: list[Entry]
    # The numbers after which the previous and the next page begin; None if there is no such page.
    previous_after: int | None
    next_after: int | None


@dataclass(frozen=True)
class MonthToClose:
    """What a person should know before closing a month."""

    month: MonthState
    to_correct_count: int
    waiting_count: int


def month_of(year: int, month: int) -> datetime.date | None:
    """Return the first day of the month, or None if a register cannot have such a month."""
    if not YEAR_MIN <= year <= YEAR_MAX or not 1 <= month <= 12:
        return None
    return datetime.date(year, month, 1)


def months(*, shop: Shop, today: datetime.date) -> list[datetime.date]:
    """Return the months that have a register, and the current one, latest first."""
    known = {
        datetime.date(year, month, 1)
        for year, month in InvoiceSequence.objects.filter(shop=shop).values_list("year", "month")
    }
    return sorted({*known, today.replace(day=1)}, reverse=True)


def register_page(*, shop: Shop, first_day: datetime.date, today: datetime.date, after: int = 0) -> RegisterPage:
    """Return the numbers after `after`, at most PAGE_NUMBERS_MAX. Five queries at most."""
    state = _state(shop, first_day, today=today)
    documents = _documents(shop, first_day)
    # A number beyond the sequence's last would be given again: it is shown too.
    last = max(state.last_number, documents.aggregate(last=Max("register_number"))["last"] or 0)
    count = documents.count()
    shown_last = min(after + PAGE_NUMBERS_MAX, last)
    found = documents.filter(register_number__gt=after, register_number__lte=shown_last).select_related("terminal")
    by_number = {sale.register_number: sale for sale in found}
    return RegisterPage(
        month=state,
        document_count=count,
        gaps=_gaps(documents, last=last) if count != last else [],
        entries=[Entry(number, by_number.get(number)) for number in range(after + 1, shown_last + 1)],
        previous_after=max(0, min(after, last) - PAGE_NUMBERS_MAX) if after else None,
        next_after=shown_last if shown_last < last else None,
    )


def last_open_month(*, shop: Shop, today: datetime.date) -> datetime.date | None:
    """Return the oldest month that is over, has documents and is not closed; None if there is none."""
    unclosed = InvoiceSequence.objects.filter(shop=shop, closed_at=None, last_number__gt=0)
    for year, month in unclosed.order_by("year", "month").values_list("year", "month")[:1]:
        if (year, month) < (today.year, today.month):
            return datetime.date(year, month, 1)
    return None


def month_to_close(*, shop: Shop, first_day: datetime.date, today: datetime.date) -> MonthToClose:
    following = (first_day + MONTH).replace(day=1)
    of_month = open_entries(shop_id=shop.pk).filter(business_day__gte=first_day, business_day__lt=following)
    unsettled = Batch.objects.filter(shop=shop, settled_at=None).values_list("sale_count", "next_position")
    return MonthToClose(
        month=_state(shop, first_day, today=today),
        to_correct_count=of_month.count(),
        waiting_count=sum(sale_count - next_position + 1 for sale_count, next_position in unsettled),
    )


def _state(shop: Shop, first_day: datetime.date, *, today: datetime.date) -> MonthState:
    own = InvoiceSequence.objects.filter(shop=shop, year=first_day.year, month=first_day.month)
    return MonthState(
        first_day=first_day,
        sequence=own.first(),
        is_over=(first_day.year, first_day.month) < (today.year, today.month),
    )


def _documents(shop: Shop, first_day: datetime.date) -> QuerySet[Sale]:
    return Sale.objects.filter(shop=shop, register_year=first_day.year, register_month=first_day.month)


def _gaps(documents: QuerySet[Sale], *, last: int) -> list[Gap]:
    """Return the first gaps. Called only if the count shows that there are some."""
    following = documents.filter(register_number=OuterRef("register_number") + 1)
    ends = documents.filter(~Exists(following), register_number__lt=last).order_by("register_number")
    ending = ends.values_list("register_number", flat=True)[:GAPS_SHOWN_MAX]
    before = [0, *(number for number in ending if number is not None)]
    gaps = []
    for number in before:
        beyond = documents.filter(register_number__gt=number).order_by("register_number")
        next_number = beyond.values_list("register_number", flat=True).first() or last + 1
        if next_number > number + 1:
            gaps.append(Gap(number + 1, next_number - 1))
    return gaps
