"""What becomes of one sale's bytes: recorded, or refused with a reason; and the outcome's row that says so."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.db.backends.utils import CursorWrapper

from backend.db import dialect
from backend.observability import counters
from backend.sales.errors import SaleRefused
from backend.sales.models import OutcomeStatus
from backend.sales.posting.context import Known, ShopRules, Slice
from backend.sales.posting.document import Posting
from backend.sales.posting.failpoints import reach
from backend.sales.posting.kinds import record
from backend.sales.posting.sql import BatchRow
from backend.sales.wire.fingerprints import fingerprint_of_bytes
from backend.sales.wire.parser import ParsedSale, read_sale
from backend.sales.wire.split import peek


@dataclass(frozen=True, slots=True)
class Verdict:
    """A sale's outcome on its way into the table, its document already written or never to be."""

    status: OutcomeStatus
    number: str
    fingerprint: str
    code: str = ""
    path: str = ""
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


def decide(cursor: CursorWrapper, *, work: Slice, batch: BatchRow, raw: bytes, now: datetime) -> Verdict:
    """Return what becomes of the sale at the batch's cursor, its rows written if it is recorded."""
    try:
        sale = read_sale(raw)
    except SaleRefused as refusal:
        return refused(refusal, number=peek(raw)[0], fingerprint=fingerprint_of_bytes(raw))
    reach("read", number=sale.number)
    posting = Posting(work, work.shop(batch.shop_id), batch, sale, now)
    work.known = Known((batch.id, batch.next_position), sale, posting.shop)
    try:
        recorded = record(cursor, posting)
    except SaleRefused as refusal:
        return refused_sale(refusal, sale, posting.shop, batch)
    return Verdict(
        status=recorded.status,
        number=sale.number,
        fingerprint=sale.fingerprint,
        document_id=recorded.document_id,
        amount=recorded.total,
        currency=recorded.currency,
        day=recorded.day.isoformat(),
    )


def refused_sale(refusal: SaleRefused, sale: ParsedSale, shop: ShopRules, batch: BatchRow) -> Verdict:
    """Return the refusal of a sale that could be read, with what it would have brought in."""
    return replace(
        refused(refusal, number=sale.number, fingerprint=sale.fingerprint),
        amount=sale.total,
        currency=sale.currency or shop.currency,
        day=shop.day_of(batch.received_at).isoformat(),
        awaits=_awaits(sale) if refusal.status == OutcomeStatus.DEFERRED else "",
    )


def _awaits(sale: ParsedSale) -> str:
    """Return the number that will wake this document. One too long for a sale will never come, and waits for nobody."""
    assert sale.origin is not None, "it waits for what it names"
    return str(sale.origin[1])[:64]


def refused(refusal: SaleRefused, *, number: str, fingerprint: str) -> Verdict:
    return Verdict(
        status=refusal.status,
        number=number,
        fingerprint=fingerprint,
        code=refusal.code,
        path=refusal.path[:120],
        detail=refusal.detail[:500],
        document_id=refusal.document_id,
    )


def advance(batch: BatchRow, status: OutcomeStatus) -> BatchRow:
    """Return the batch with its cursor one on, counted and a version higher."""
    return batch._replace(
        next_position=batch.next_position + 1,
        created_count=batch.created_count + status.is_recorded,
        error_count=batch.error_count + (not status.is_recorded),
        duplicate_count=batch.duplicate_count + (status == OutcomeStatus.DUPLICATE),
        version=batch.version + 1,
    )


def outcome_values(work: Slice, moved: BatchRow, position: int, verdict: Verdict, now: datetime) -> list[object]:
    return [
        moved.id, position, moved.shop_id, work.terminal_id, verdict.number, verdict.fingerprint,
        verdict.status.value, verdict.code, verdict.path, verdict.detail, verdict.document_id,
        verdict.amount, verdict.currency, verdict.day, moved.version, dialect.naive_utc(now), verdict.awaits,
    ]  # fmt: skip


def count_written(verdicts: Iterable[Verdict]) -> None:
    """Count outcomes for who watches, once the transaction that wrote them is committed."""
    for verdict in verdicts:
        counters.count("caisse_sales_total", status=verdict.status.value)
        if verdict.code:
            counters.count("caisse_refusals_total", code=verdict.code)
