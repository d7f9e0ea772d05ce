"""Decides one sale from its bytes: recorded, or refused with a code; and makes the outcome's row."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.db.backends.utils import CursorWrapper

from backend.db import dialect
from backend.observability import counters
from backend.sales.errors import Phrase, SaleRefused, french_of
from backend.sales.models import OutcomeStatus, SaleKind
from backend.sales.posting.context import PostingContext, SaleRead, ShopRules
from backend.sales.posting.document import Posting, Recorded
from backend.sales.posting.failpoints import failpoint
from backend.sales.posting.record_payment import record_payment
from backend.sales.posting.record_reversal import record_return, record_void
from backend.sales.posting.record_sale import record_sale
from backend.sales.posting.sql import BatchRow
from backend.sales.wire.fingerprints import fingerprint_of_bytes
from backend.sales.wire.office import read_office_drawer
from backend.sales.wire.parser import ParsedSale, read_sale
from backend.sales.wire.split import peek

RECORDERS: dict[str, Callable[[CursorWrapper, Posting], Recorded]] = {
    SaleKind.SALE: record_sale,
    SaleKind.VOID: record_void,
    SaleKind.RETURN: record_return,
    SaleKind.PAYMENT: record_payment,
}


def record(cursor: CursorWrapper, posting: Posting) -> Recorded:
    """Write a document and its effects, all but its registration number. Raises SaleRefused before the first row."""
    return RECORDERS[posting.sale.kind](cursor, posting)


@dataclass(frozen=True, slots=True)
class Decision:
    """A sale's outcome before it is stored. If the sale is recorded, its document is written already."""

    status: OutcomeStatus
    number: str
    fingerprint: str
    code: str = ""
    path: str = ""
    # What goes into the sentence of `code`; None where there is nothing to say.
    params: Phrase | None = None
    # Its French, for processes of the version before this one.
    detail: str = ""
    document_id: int | None = None
    amount: Decimal | None = None
    currency: str = ""
    day: str | None = None
    # The till's number of the origin that a deferred document waits for.
    awaits: str = ""

    @property
    def is_recorded(self) -> bool:
        return self.status.is_recorded


def decide(cursor: CursorWrapper, *, context: PostingContext, batch: BatchRow, raw: bytes, now: datetime) -> Decision:
    """Decide the sale at the batch's cursor, and write its rows if it is recorded."""
    try:
        sale = read_sale(raw)
    except SaleRefused as refusal:
        return refused(refusal, number=peek(raw)[0], fingerprint=fingerprint_of_bytes(raw))
    failpoint("read", number=sale.number)
    posting = Posting(context, context.shop(batch.shop_id), batch, sale, now)
    if not posting.is_follower:
        context.attempt.sale_read = SaleRead(sale, posting.shop)
    try:
        if context.is_office:
            posting = replace(posting, drawer=read_office_drawer(raw))
        recorded = record(cursor, posting)
    except SaleRefused as refusal:
        return refused_sale(refusal, sale, posting.shop, batch)
    return Decision(
        status=recorded.status,
        number=sale.number,
        fingerprint=sale.fingerprint,
        document_id=recorded.document_id,
        amount=recorded.total,
        currency=recorded.currency,
        day=recorded.day.isoformat(),
    )


def refused_sale(refusal: SaleRefused, sale: ParsedSale, shop: ShopRules, batch: BatchRow) -> Decision:
    """Return the refusal of a sale that could be read, with its amount, currency and day."""
    return replace(
        refused(refusal, number=sale.number, fingerprint=sale.fingerprint),
        amount=sale.total,
        currency=sale.currency or shop.currency,
        day=shop.day_of(batch.received_at).isoformat(),
        awaits=_awaits(sale) if refusal.status == OutcomeStatus.DEFERRED else "",
    )


def _awaits(sale: ParsedSale) -> str:
    """Return the number that will wake this document. A number too long for a sale never arrives; it is cut."""
    assert sale.origin is not None, "a deferred document names its origin"
    return str(sale.origin[1])[:64]


def refused(refusal: SaleRefused, *, number: str, fingerprint: str) -> Decision:
    return Decision(
        status=refusal.status,
        number=number,
        fingerprint=fingerprint,
        code=refusal.code,
        path=refusal.path[:120],
        params=refusal.params,
        detail=french_of(refusal),
        document_id=refusal.document_id,
    )


def advance(batch: BatchRow, status: OutcomeStatus) -> BatchRow:
    """Return the batch with its cursor at the next sale, new counters and the next version."""
    return batch._replace(
        next_position=batch.next_position + 1,
        created_count=batch.created_count + status.is_recorded,
        error_count=batch.error_count + (not status.is_recorded),
        duplicate_count=batch.duplicate_count + (status == OutcomeStatus.DUPLICATE),
        version=batch.version + 1,
    )


def outcome_values(
    context: PostingContext, moved: BatchRow, position: int, decision: Decision, now: datetime
) -> list[object]:
    return [
        moved.id, position, moved.shop_id, context.terminal_id, decision.number, decision.fingerprint,
        decision.status.value, decision.code, decision.path,
        None if decision.params is None else json.dumps(decision.params), decision.detail, decision.document_id,
        decision.amount, decision.currency, decision.day, moved.version, dialect.naive_utc(now), decision.awaits,
    ]  # fmt: skip


def count_written(decisions: Iterable[Decision]) -> None:
    """Count outcomes for the metrics. Call it after the transaction that wrote them is committed."""
    for decision in decisions:
        counters.count("caisse_sales_total", status=decision.status.value)
        if decision.code:
            counters.count("caisse_refusals_total", code=decision.code)
