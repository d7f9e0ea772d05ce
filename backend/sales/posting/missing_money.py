"""Writes the money of documents that have none yet: those that a version before the ledger of money recorded.

A migration calls it for everything recorded so far; posting and the doctor for what a process of that version records
while it still runs beside this one. The bytes of the batch say what the till said: they are read as at a posting.

Only named columns are read and written, because the migration runs on the tables of its own time.
"""

import contextlib
import zlib
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from backend.db.transients import retrying
from backend.sales.errors import Reason, SaleRefused
from backend.sales.models import BatchBody, MoneyMovement, Sale, SaleKind
from backend.sales.money.movements import (
    CREDIT,
    CREDIT_ASSUMED,
    ONE,
    ZERO,
    Drawer,
    Money,
    Move,
    Placed,
    Tender,
    due_back,
    mode_key,
    money_of_payment,
    money_of_return,
    money_of_sale,
    money_of_void,
    tender,
    undone_in_place,
    value_of,
)
from backend.sales.money.owed import owed
from backend.sales.posting import sql
from backend.sales.wire.parser import ParsedSale, Payment, read_sale
from backend.sales.wire.split import cut

CHUNK_ROWS = 500


class Document(NamedTuple):
    """The columns that a document's money is made of."""

    pk: int
    kind: str
    number: str
    shop_id: int
    terminal_id: int
    batch_id: int | None
    position: int | None
    origin_id: int | None
    currency: str
    total: Decimal
    payment_mode: str
    is_paid: bool
    paid_total: Decimal | None
    cashier_code: str
    cashier_name: str
    till_day: date
    business_day: date
    reason_params: dict[str, Any] | None
    warnings: list[str]


class Written(NamedTuple):
    """What was written for a document."""

    document: Document
    moves: list[Move]


class _Standing(NamedTuple):
    terminal_id: int
    cashier: str
    till_day: date
    business_day: date
    mode: str
    currency: str
    amount: Decimal
    value: Decimal


def write_missing_money(report: Callable[[Written], None] = lambda written: None) -> int:
    """Write the money of every document that has none yet, oldest first; return how many documents those were.

    Each chunk is a transaction: begun again after it was killed, it finds what is left. `report` is told of each.
    """
    count, after = 0, 0
    while True:
        pks = list(
            Sale.objects.filter(pk__gt=after, paid_total=None).order_by("pk").values_list("pk", flat=True)[:CHUNK_ROWS]
        )
        if not pks:
            return count
        after = pks[-1]
        for written in retrying(partial(_write_chunk, pks), name="missing_money"):
            report(written)
            count += 1


def complete_money(origin_id: int) -> None:
    """Write the missing money of a sale and of what followed it. The caller has locked the sale."""
    followers = Sale.objects.filter(origin=origin_id, paid_total=None).values_list("pk", flat=True)
    with connection.cursor() as cursor:
        _write(cursor, [origin_id, *followers])


def _write_chunk(pks: list[int]) -> list[Written]:
    with transaction.atomic(), connection.cursor() as cursor:
        origins = Sale.objects.filter(pk__in=pks, origin__isnull=False).values_list("origin_id", flat=True)
        # In the order of ids, as postings lock them: a sale before what followed it.
        list(Sale.objects.select_for_update().filter(pk__in={*pks, *origins}).order_by("pk").values_list("pk"))
        return _write(cursor, pks)


def _write(cursor: CursorWrapper, pks: Sequence[int]) -> list[Written]:
    documents = _documents(pks)
    bodies: dict[int, list[bytes]] = {}
    written = []
    sales = [document for document in documents if document.kind == SaleKind.SALE]
    rows: list[list[object]] = []
    for document in sales:
        sale = _sale_sent(document, bodies)
        is_paid = document.is_paid and (sale is None or sale.is_paid)
        money = _money_of_sale(document, sale, is_paid=is_paid)
        rows += sql.money_rows([(_drawer(document), money.moves)], document_id=document.pk, shop_id=document.shop_id)
        warnings = money.warnings if is_paid == document.is_paid else [*money.warnings, CREDIT_ASSUMED]
        _tell(document, paid_total=money.value, is_paid=is_paid, warnings=warnings)
        written.append(Written(document, money.moves))
    for first in range(0, len(rows), CHUNK_ROWS):
        sql.insert_money(cursor, rows[first : first + CHUNK_ROWS])
    days = {(one.document.shop_id, one.document.business_day) for one in written if one.moves}
    for document in documents:
        if document.kind != SaleKind.SALE:
            one, places = _write_follower(cursor, document, _sale_sent(document, bodies))
            written.append(one)
            days |= {(document.shop_id, place.business_day) for place in places}
    for shop_id, day in sorted(days):
        sql.mark_day(cursor, shop_id=shop_id, day=day.isoformat())
    return written


def _write_follower(cursor: CursorWrapper, document: Document, sale: ParsedSale | None) -> tuple[Written, list[Drawer]]:
    """Write the money of a document that follows a sale; return it, and the drawers in which it moved."""
    origins = _documents([document.origin_id], written_too=True) if document.origin_id else []
    # Without its origin, a void or a return has nothing to give back.
    origin = origins[0] if origins else document
    standing = _standing_before(document, origin) if origins else []
    placed, warnings = _money_of_follower(document, sale, origin, standing)
    rows = sql.money_rows(placed, document_id=document.pk, shop_id=document.shop_id)
    if rows:
        sql.insert_money(cursor, rows)
    moves = [move for _, moved in placed for move in moved]
    value = value_of(moves)
    _tell(document, paid_total=value, warnings=warnings)
    if origins:
        Sale.objects.filter(pk=origin.pk).update(paid_total=(origin.paid_total or ZERO) + value)
    return Written(document, moves), [place for place, moved in placed if moved]


def _tell(document: Document, *, warnings: list[str], **columns: object) -> None:
    """Write these columns of the document, and add the warnings that it would get if it were recorded now."""
    told = list(dict.fromkeys([*document.warnings, *warnings]))
    if told != document.warnings:
        columns["warnings"] = told
    Sale.objects.filter(pk=document.pk).update(**columns)


def _standing_before(document: Document, origin: Document) -> list[_Standing]:
    before = Sale.objects.filter(origin=origin.pk, pk__lt=document.pk)
    moves = MoneyMovement.objects.filter(document__in=[origin.pk, *before.values_list("pk", flat=True)])
    return [_Standing(*row) for row in moves.order_by("document_id", "position").values_list(*_Standing._fields)]


def _money_of_sale(document: Document, sale: ParsedSale | None, *, is_paid: bool) -> Money:
    return money_of_sale(
        total=document.total,
        currency=document.currency,
        mode=document.payment_mode,
        is_paid=is_paid,
        payments=_tenders(sale.payments, document.currency) if sale else [],
        change=_tenders(sale.change, document.currency) if sale else [],
    )


def _money_of_follower(
    document: Document, sale: ParsedSale | None, origin: Document, standing: list[_Standing]
) -> tuple[Placed, list[str]]:
    """Return what it moves, and the warnings about that."""
    here = _drawer(document)
    payments = _tenders(sale.payments, document.currency) if sale else []
    mode = sale.payment_mode if sale else document.payment_mode
    mode = None if mode is None or mode_key(mode) == CREDIT else mode
    if document.kind == SaleKind.PAYMENT:
        said = _tender(Payment(mode or "CASH", None, document.total, None), document.currency)
        money = money_of_payment(said=said, payments=payments, change=[])
        return [(here, money.moves)], money.warnings
    if document.kind == SaleKind.RETURN:
        paid = sum((move.value for move in standing), ZERO)
        due = due_back(total=document.total, owed=_owed_before(document, origin, paid), paid=paid)
        money = money_of_return(standing, due=due, currency=document.currency, mode=mode,
                                origin_mode=origin.payment_mode, payments=payments)  # fmt: skip
        return [(here, money.moves)], money.warnings
    if (document.reason_params or {}).get("code") == Reason.CORRECTED.code:
        return undone_in_place(standing), []
    money = money_of_void(standing, mode=mode, payments=payments)
    return [(here, money.moves)], money.warnings


def _owed_before(document: Document, origin: Document, paid: Decimal) -> Decimal:
    returns = Sale.objects.filter(origin=origin.pk, kind=SaleKind.RETURN, pk__lt=document.pk)
    came_back = sum(returns.values_list("total", flat=True), ZERO)
    return owed(total=origin.total, returned=came_back, paid=paid, is_paid=origin.is_paid)


def _documents(pks: Iterable[int], *, written_too: bool = False) -> list[Document]:
    found = Sale.objects.filter(pk__in=pks)
    if not written_too:
        found = found.filter(paid_total=None)
    return [Document(*row) for row in found.order_by("pk").values_list(*Document._fields)]


def _sale_sent(document: Document, bodies: dict[int, list[bytes]]) -> ParsedSale | None:
    """Return what the till sent; None for a document whose bytes are not there, or are not read as they once were."""
    if document.batch_id is None or document.position is None:
        return None
    if document.batch_id not in bodies:
        kept = BatchBody.objects.filter(pk=document.batch_id).values_list("deflated", flat=True)
        bodies[document.batch_id] = [sale for deflated in kept for sale in cut(zlib.decompress(deflated))]
    with contextlib.suppress(SaleRefused, IndexError):
        return read_sale(bodies[document.batch_id][document.position - 1])
    return None


def _tenders(payments: Iterable[Payment], currency: str) -> list[Tender]:
    return [_tender(payment, currency) for payment in payments]


def _tender(payment: Payment, currency: str) -> Tender:
    """Nothing is exchanged within one currency, whatever rate the till sent."""
    own = payment.currency or currency
    rate = ONE if own == currency or payment.rate is None else payment.rate
    return tender(mode=payment.mode, currency=own, amount=payment.amount, rate=rate, path="paiements")


def _drawer(document: Document) -> Drawer:
    cashier = document.cashier_code or document.cashier_name
    return Drawer(document.terminal_id, cashier, document.till_day, document.business_day)
