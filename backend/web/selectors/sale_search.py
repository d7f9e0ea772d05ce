"""Search in a shop's documents: by index where possible, and always bounded.

Dates and numbers are found by index. Everything else (a customer, a state, an amount) is searched row by row, a bounded
number per page: the page then says how far back it has searched, and the next one continues from there.
"""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from backend.db.dialect import contains_folded
from backend.db.keyset import KeysetPage, Row, after_cursor, beyond, read_page, walk_index, write_cursor
from backend.db.transients import retrying
from backend.sales.models import MoneyMovement, Sale, SaleKind
from backend.shops.models import Shop, Terminal

PAGE_SALES_MAX = 50
# How many rows one page may search.
SEARCHED_ROWS_MAX = 50_000
# At most this many documents are looked up by the beginning of a number.
FOUND_BY_NUMBER_MAX = 200
# MariaDB turns a longer list of ids into a join.
CHUNK_ROWS = 500
# Appended to a prefix, it sorts after every text with that prefix.
LAST_LETTER = "\U0010ffff"
REGISTRATION = re.compile(r"(?:.*-)?(\d{4})(\d{2})-(\d{1,9})")
VARIANT = re.compile(r"~\d{1,5}$")

PAID, ON_CREDIT, VOIDED, RETURNED, WITH_WARNINGS = "payee", "a_credit", "annulee", "retour", "avertissement"


@dataclass(frozen=True)
class SaleCriteria:
    """The filters of a list of documents; an empty one filters nothing. `modes` are codes in capitals."""

    text: str = ""
    first_day: datetime.date | None = None
    last_day: datetime.date | None = None
    terminal_id: int | None = None
    modes: tuple[str, ...] = ()
    state: str = ""
    kind: str = ""
    amount_min: Decimal | None = None
    amount_max: Decimal | None = None

    @property
    def is_answered_by_index(self) -> bool:
        others = (self.text, self.terminal_id, self.modes, self.state, self.kind, self.amount_min, self.amount_max)
        return all(criterion in (None, "", ()) for criterion in others)


@dataclass(frozen=True)
class SalesPage(KeysetPage[Sale]):
    """A page, and the day back to which it searched if it ended before finding enough."""

    searched_to: datetime.date | None = None


def find_sales(*, shop: Shop, criteria: SaleCriteria, cursor: str | None) -> SalesPage:
    """Return a page of the shop's documents that match, newest business day first. Raises BadCursor."""
    ids = ids_by_number(shop=shop, text=criteria.text)
    # Tills in a query of their own: with a join, MariaDB sorts all documents of the shop instead of using the index.
    found = _matching(shop, criteria, ids).prefetch_related("terminal", "money")
    end = None if ids or criteria.is_answered_by_index else _end_of_search(shop, criteria, cursor)
    if end is not None:
        day, key = end
        found = found.filter(Q(business_day__gte=day), Q(business_day__gt=day) | Q(business_day=day, pk__gte=key))
    page = read_page(found, by="business_day", cursor=cursor, size=PAGE_SALES_MAX)
    if end is None or page.next_cursor:
        return SalesPage(rows=page.rows, next_cursor=page.next_cursor)
    return SalesPage(rows=page.rows, next_cursor=write_cursor(*end), searched_to=end[0])


def walk_sales(*, shop: Shop, criteria: SaleCriteria) -> Iterator[list[Sale]]:
    """Yield all matching documents in chunks, oldest business day first, with till, origin and money.

    Each chunk is read on its own: a slow reader holds no transaction, and a session closed for idling is reopened.
    """
    ids = ids_by_number(shop=shop, text=criteria.text)
    if ids:
        yield retrying(lambda: _rows(_matching(shop, criteria, ids)), name="walk_sales")
        return
    place: tuple[datetime.date, int] | None = None
    while True:
        keys = retrying(partial(_keys, shop, criteria, after=place), name="walk_sales")
        if not keys:
            return
        place = keys[-1]
        chunk = [key for _, key in keys]
        yield retrying(partial(_chunk, shop, criteria, chunk), name="walk_sales")


def _chunk(shop: Shop, criteria: SaleCriteria, chunk: list[int]) -> list[Sale]:
    return _rows(_matching(shop, criteria, None, among=chunk))


def walk_money(*, shop: Shop, criteria: SaleCriteria) -> Iterator[list[MoneyMovement]]:
    """Yield the money movements of the days and the till of `criteria` in chunks, oldest business day first.

    The till is the one whose drawer the money moved in. Each movement comes with its till, its document and that
    document's till; each chunk is read on its own, as in walk_sales.
    """
    days = _in_days(MoneyMovement.objects.all(), criteria)
    keys = walk_index(days, of="shop_id", owner_id=shop.pk, by=("business_day", "document_id", "position"))
    place: tuple[datetime.date, int, int] | None = None
    while True:
        found = retrying(partial(_money_keys, keys, after=place), name="walk_money")
        if not found:
            return
        place = found[-1]
        moves = retrying(partial(_moves, {(document, position) for _, document, position in found}), name="walk_money")
        if criteria.terminal_id is not None:
            moves = [move for move in moves if move.terminal_id == criteria.terminal_id]
        yield moves


def _money_keys(
    keys: QuerySet, *, after: tuple[datetime.date, int, int] | None
) -> list[tuple[datetime.date, int, int]]:
    if after is not None:
        day, document, position = after
        keys = keys.filter(business_day__gte=day)
        keys = keys.filter(beyond({"business_day": day, "document_id": document, "position": position}))
    return list(keys[:CHUNK_ROWS])


def _moves(keys: set[tuple[int, int]]) -> list[MoneyMovement]:
    found = MoneyMovement.objects.filter(document_id__in={document for document, _ in keys})
    moves = [
        move
        for move in found.prefetch_related("terminal", "document__terminal")
        if (move.document_id, move.position) in keys
    ]
    return sorted(moves, key=lambda move: (move.business_day, move.document_id, move.position))


def ids_by_number(*, shop: Shop, text: str) -> list[int]:
    """Return the ids of documents whose number begins with `text`, or whose registration number it is."""
    text = VARIANT.sub("", text)
    if not text:
        return []
    own = Sale.objects.filter(shop=shop)
    registered = REGISTRATION.fullmatch(text)
    if registered:
        year, month, number = map(int, registered.groups())
        found = own.filter(register_year=year, register_month=month, register_number=number)
        ids = list(found.values_list("pk", flat=True))
        if ids and (own.filter(pk__in=ids, registration_number__endswith=text).exists()):
            return ids
    tills = list(Terminal.objects.filter(shop=shop).values_list("pk", flat=True))
    for beginning in dict.fromkeys((text, text.upper())):
        # Without the shop, so that the database chooses the index of till and number.
        begun = Sale.objects.filter(terminal__in=tills, number__gte=beginning, number__lt=beginning + LAST_LETTER)
        candidates = list(begun.values_list("pk", flat=True)[:FOUND_BY_NUMBER_MAX])
        ids = list(own.filter(pk__in=candidates).values_list("pk", flat=True)) if candidates else []
        if ids:
            return ids
    return []


def _matching(
    shop: Shop, criteria: SaleCriteria, ids: list[int] | None, *, among: list[int] | None = None
) -> QuerySet[Sale]:
    sales = _in_days(Sale.objects.filter(shop=shop), criteria)
    if among is not None:
        sales = sales.filter(pk__in=among)
    if ids:
        sales = sales.filter(pk__in=ids)
    elif criteria.text:
        text = criteria.text
        # Also by number: ids_by_number does not find the documents of a till that is in another shop now.
        named = contains_folded(connection, "customer_name", text)
        sales = sales.filter(named | Q(customer_phone__icontains=text) | Q(number__contains=text))
    if criteria.terminal_id is not None:
        sales = sales.filter(terminal_id=criteria.terminal_id)
    if criteria.kind:
        sales = sales.filter(kind=criteria.kind)
    if criteria.amount_min is not None:
        sales = sales.filter(total__gte=criteria.amount_min)
    if criteria.amount_max is not None:
        sales = sales.filter(total__lte=criteria.amount_max)
    if criteria.modes:
        sales = sales.filter(_paid_by(criteria.modes))
    return _in_state(sales, criteria.state)


def _in_days(rows: QuerySet[Row], criteria: SaleCriteria) -> QuerySet[Row]:
    if criteria.first_day is not None:
        rows = rows.filter(business_day__gte=criteria.first_day)
    if criteria.last_day is not None:
        rows = rows.filter(business_day__lte=criteria.last_day)
    return rows


def _paid_by(modes: tuple[str, ...]) -> Exists:
    """Return the filter for documents whose money moved in one of these modes, in whole or in part."""
    return Exists(MoneyMovement.objects.filter(document=OuterRef("pk"), mode__in=modes))


def _in_state(sales: QuerySet[Sale], state: str) -> QuerySet[Sale]:
    if state == PAID:
        return sales.filter(kind=SaleKind.SALE, is_paid=True, voided_at=None)
    if state == ON_CREDIT:
        return sales.filter(kind=SaleKind.SALE, is_paid=False, voided_at=None)
    if state == VOIDED:
        return sales.filter(voided_at__isnull=False)
    if state == RETURNED:
        returns = Sale.objects.filter(origin=OuterRef("pk"), kind=SaleKind.RETURN)
        return sales.filter(Exists(returns), kind=SaleKind.SALE)
    if state == WITH_WARNINGS:
        return sales.exclude(warnings=[])
    return sales


def _end_of_search(shop: Shop, criteria: SaleCriteria, cursor: str | None) -> tuple[datetime.date, int] | None:
    """Return the key of the last row that this page may search; None if fewer rows are left."""
    keys = walk_index(_in_days(Sale.objects.all(), criteria), of="shop_id", owner_id=shop.pk,
                      by=("business_day", "pk"), newest_first=True)  # fmt: skip
    if cursor:
        keys = keys.filter(after_cursor(cursor, by="business_day", newest_first=True))
    return next(iter(keys[SEARCHED_ROWS_MAX - 1 : SEARCHED_ROWS_MAX]), None)


def _keys(
    shop: Shop, criteria: SaleCriteria, *, after: tuple[datetime.date, int] | None
) -> list[tuple[datetime.date, int]]:
    keys = walk_index(_in_days(Sale.objects.all(), criteria), of="shop_id", owner_id=shop.pk, by=("business_day", "pk"))
    if after is not None:
        day, key = after
        keys = keys.filter(business_day__gte=day).filter(beyond({"business_day": day, "pk": key}))
    return list(keys[:CHUNK_ROWS])


def _rows(sales: QuerySet[Sale]) -> list[Sale]:
    rows = sales.prefetch_related("terminal", "origin", "money").defer("fiscal", "fingerprint", "sold_at_text")
    return sorted(rows, key=lambda sale: (sale.business_day, sale.pk))
