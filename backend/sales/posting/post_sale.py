"""Posting: one sale, one transaction, one outcome.

claim the lane · pick the batch · look the number up · lock the units · write · number · move the cursor · commit.
There is no state "processing": who dies anywhere in here leaves the batch at its last committed sale.
"""

import contextlib
import json
import time
from collections.abc import Callable
from datetime import datetime
from enum import Enum

import structlog
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from backend.db import dialect
from backend.db.transients import bounded_time
from backend.observability import counters
from backend.sales.errors import InternalFailure, SaleRefused
from backend.sales.posting import sql
from backend.sales.posting.context import Inspection, PostingContext
from backend.sales.posting.decision import (
    Decision,
    advance,
    count_written,
    decide,
    outcome_values,
    refused,
    refused_sale,
)
from backend.sales.posting.deferred import wait_or_wake
from backend.sales.posting.failpoints import failpoint
from backend.sales.posting.register import register
from backend.sales.posting.sql import BatchRow, LaneRow
from backend.sales.tills import sequence_gaps
from backend.sales.wire.fingerprints import fingerprint_of_bytes
from backend.sales.wire.parser import read_sale
from backend.sales.wire.split import peek

log = structlog.get_logger("caisse.posting")

# A posting takes milliseconds: who waits so long waits for a lock, a disk or a processor.
SLOW_S = 1.0


class Step(Enum):
    """How one attempt at the next sale ended."""

    POSTED = "posted"
    # Somebody else holds the lane, or began here a moment ago: the message may be dropped.
    BUSY = "busy"
    NOTHING = "nothing"
    # Its posting raised what is nobody's refusal: the same sale is tried again at once, a few times.
    BROKEN = "broken"


def post_next_sale(context: PostingContext) -> Step:
    """Post the terminal's next sale in one transaction, and log its outcome once that is committed.

    Whoever repeats it finds the cursor moved and goes on with the sale after it.
    """

    def decision(cursor: CursorWrapper, context: PostingContext, batch: BatchRow, now: datetime) -> Decision:
        raw = context.raw_sales(cursor, batch)[batch.next_position - 1]
        return decide(cursor, context=context, batch=batch, raw=raw, now=now)

    return _settle_next(context, decision)


def settle_as_failed(context: PostingContext, *, reason: str, inspection: Inspection = Inspection.HEADER) -> Step:
    """Write `failed` for the next sale and move on. `inspection`: how closely it, and its batch, may be looked at.

    What is known of the sale is kept: its fingerprint, so that the same content sent again closes its entry, and its
    amount, so that it is missing from no sum.
    """

    def decision(cursor: CursorWrapper, context: PostingContext, batch: BatchRow, now: datetime) -> Decision:
        refusal = InternalFailure(reason)
        if inspection is Inspection.NONE:
            return refused(refusal, number="", fingerprint="")
        if context.known and context.known.place == context.place:
            return refused_sale(refusal, context.known.sale, context.known.shop, batch)
        raw = context.raw_sales(cursor, batch)[batch.next_position - 1]
        if inspection is Inspection.FULL:
            with contextlib.suppress(SaleRefused):
                return refused_sale(refusal, read_sale(raw), context.shop(batch.shop_id), batch)
        return refused(refusal, number=peek(raw)[0], fingerprint=fingerprint_of_bytes(raw))

    return _settle_next(context, decision, follows=inspection is not Inspection.NONE)


def _settle_next(
    context: PostingContext,
    judge: Callable[[CursorWrapper, PostingContext, BatchRow, datetime], Decision],
    *,
    follows: bool = True,
) -> Step:
    context.alive()
    began = time.perf_counter()
    with transaction.atomic(durable=True), bounded_time(), connection.cursor() as cursor:
        # Within the bound: a process that is stopped right after it must not commit a stamp from long ago.
        now = context.clock()
        lane = sql.claim_lane(cursor, terminal_id=context.terminal_id)
        if lane is None:
            return Step.BUSY
        failpoint("claimed")
        batch = sql.pick_batch(cursor, terminal_id=context.terminal_id)
        if batch is None:
            failpoint("nothing")
            return Step.NOTHING
        context.place = (batch.id, batch.next_position)
        context.has_set_aside = lane.sales_set_aside > 0
        decision = judge(cursor, context, batch, now)
        moved = advance(batch, decision.status)
        sql.insert_outcome(cursor, outcome_values(context, moved, batch.next_position, decision, now))
        failpoint("outcome", number=decision.number)
        moved, woken = wait_or_wake(cursor, context=context, lane=lane, moved=moved, decision=decision, now=now)
        if decision.is_recorded:
            register(cursor, shop=context.shop(batch.shop_id), decisions=(decision, *woken), now=now)
        failpoint("numbered", number=decision.number)
        holes = _follow_sequence(cursor, context, lane, batch) if follows and batch.next_position == 1 else None
        is_settled = moved.next_position > moved.sale_count
        sql.move_cursor(cursor, batch=moved, is_settled=is_settled, at=dialect.naive_utc(now), holes=holes)
        if not context.has_committed:
            sql.set_starts(cursor, terminal_id=context.terminal_id, starts=0)
        failpoint("moved", number=decision.number)
    context.has_committed = True
    failpoint("committed", number=decision.number)
    _tell(context, batch, (decision, *woken), took_s=time.perf_counter() - began)
    return Step.POSTED


def _follow_sequence(cursor: CursorWrapper, context: PostingContext, lane: LaneRow, batch: BatchRow) -> str | None:
    """Note the till's own counters of a batch as it is begun; return the holes it shows, as JSON."""
    counters = [counter for raw in context.raw_sales(cursor, batch) if (counter := peek(raw)[1]) is not None]
    if not counters:
        return None
    seen, open_holes, new_holes = sequence_gaps.follow(lane.sequence_seen, json.loads(lane.sequence_holes), counters)
    sql.write_sequences(cursor, terminal_id=context.terminal_id, seen=seen, holes=json.dumps(open_holes))
    return json.dumps(new_holes)


def _tell(context: PostingContext, batch: BatchRow, decisions: tuple[Decision, ...], *, took_s: float) -> None:
    """Count what was written, and log one line an outcome: enough to follow a sale, nothing of what was sold."""
    decision, *woken = decisions
    count_written(decisions)
    counters.observe("caisse_posting_seconds", took_s)
    place = {"terminal": context.terminal_id, "shop": batch.shop_id, "receipt": str(batch.receipt)}
    log.info(
        "outcome",
        **place,
        position=batch.next_position,
        number=decision.number,
        status=decision.status.value,
        code=decision.code or None,
        sale=decision.document_id,
        request_id=batch.request_id,
        took_ms=round(took_s * 1000, 1),
    )
    for one in woken:
        log.info(
            "waiting_over", terminal=context.terminal_id, number=one.number, status=one.status.value, code=one.code
        )
    if took_s > SLOW_S:
        log.warning("posting_slow", **place, position=batch.next_position, took_ms=round(took_s * 1000, 1))
