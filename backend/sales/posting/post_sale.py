"""Posting: one sale, one transaction, one outcome.

claim the lane · pick the batch · look the number up · lock the units · write · number · move the cursor · commit.
There is no state "processing": a process that dies anywhere in here leaves the batch at its last committed sale.
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
from backend.sales.errors import SaleRefused
from backend.sales.posting import sql
from backend.sales.posting.context import Attempt, Inspection, PostingContext
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

# A posting takes milliseconds. One that takes this long waited for a lock, a disk or a processor.
SLOW_S = 1.0


class Step(Enum):
    """How one attempt at the next sale ended."""

    POSTED = "posted"
    # Another process holds the lane, or began here a moment ago: the message may be dropped.
    BUSY = "busy"
    NOTHING = "nothing"
    # The posting raised an error that is neither a refusal nor a transient: the sale is tried again, a few times.
    BUG = "bug"


def post_next_sale(context: PostingContext) -> Step:
    """Post the terminal's next sale in one transaction, and log its outcome once that is committed.

    A repeated call finds the cursor moved and posts the sale after it.
    """

    def decide_by_rules(cursor: CursorWrapper, context: PostingContext, batch: BatchRow, now: datetime) -> Decision:
        raw = context.raw_sales(cursor, batch)[batch.next_position - 1]
        return decide(cursor, context=context, batch=batch, raw=raw, now=now)

    return _settle_next(context, decide_by_rules)


def settle_as_failed(
    context: PostingContext, refusal: SaleRefused, *, inspection: Inspection = Inspection.HEADER
) -> Step:
    """Write `failed` for the next sale and move on. `inspection`: how much of it, and of its batch, may be read.

    What is known of the sale is stored: its fingerprint, so that the same content sent again closes its entry, and its
    amount, so that the shop's sums include it.
    """

    def decide_as_failed(cursor: CursorWrapper, context: PostingContext, batch: BatchRow, now: datetime) -> Decision:
        if inspection is Inspection.NONE:
            return refused(refusal, number="", fingerprint="")
        if context.attempt.sale_read:
            return refused_sale(refusal, *context.attempt.sale_read, batch)
        raw = context.raw_sales(cursor, batch)[batch.next_position - 1]
        if inspection is Inspection.FULL:
            with contextlib.suppress(SaleRefused):
                return refused_sale(refusal, read_sale(raw), context.shop(batch.shop_id), batch)
        return refused(refusal, number=peek(raw)[0], fingerprint=fingerprint_of_bytes(raw))

    return _settle_next(context, decide_as_failed, reads_counters=inspection is not Inspection.NONE)


def _settle_next(
    context: PostingContext,
    decider: Callable[[CursorWrapper, PostingContext, BatchRow, datetime], Decision],
    *,
    reads_counters: bool = True,
) -> Step:
    context.alive()
    began = time.perf_counter()
    with transaction.atomic(durable=True), bounded_time(), connection.cursor() as cursor:
        # Taken inside bounded_time: a process that is frozen right after this line must not commit an old stamp.
        now = context.clock()
        lane = sql.claim_lane(cursor, terminal_id=context.terminal_id)
        if lane is None:
            return Step.BUSY
        failpoint("claimed")
        batch = sql.pick_batch(cursor, terminal_id=context.terminal_id)
        if batch is None:
            failpoint("nothing")
            return Step.NOTHING
        place = (batch.id, batch.next_position)
        if context.attempt.place != place:
            context.attempt = Attempt(place)
        context.attempt.has_set_aside = lane.sales_set_aside > 0
        decision = decider(cursor, context, batch, now)
        moved = advance(batch, decision.status)
        sql.insert_outcome(cursor, outcome_values(context, moved, batch.next_position, decision, now))
        failpoint("outcome", number=decision.number)
        moved, woken = wait_or_wake(cursor, context=context, lane=lane, moved=moved, decision=decision, now=now)
        if decision.is_recorded:
            register(cursor, shop=context.shop(batch.shop_id), decisions=(decision, *woken), now=now)
        failpoint("numbered", number=decision.number)
        gaps = _follow_sequence(cursor, context, lane, batch) if reads_counters and batch.next_position == 1 else None
        is_settled = moved.next_position > moved.sale_count
        sql.move_cursor(cursor, batch=moved, is_settled=is_settled, at=dialect.naive_utc(now), gaps=gaps)
        if not context.has_committed:
            sql.set_starts(cursor, terminal_id=context.terminal_id, starts=0)
        failpoint("moved", number=decision.number)
    context.has_committed = True
    failpoint("committed", number=decision.number)
    _log_outcome(context, batch, (decision, *woken), took_s=time.perf_counter() - began)
    return Step.POSTED


def _follow_sequence(cursor: CursorWrapper, context: PostingContext, lane: LaneRow, batch: BatchRow) -> str | None:
    """Note the till's own counters of a batch that is begun; return the gaps that it shows, as JSON."""
    counters = [counter for raw in context.raw_sales(cursor, batch) if (counter := peek(raw)[1]) is not None]
    if not counters:
        return None
    seen, open_gaps, new_gaps = sequence_gaps.follow(lane.sequence_seen, json.loads(lane.sequence_holes), counters)
    sql.write_sequences(cursor, terminal_id=context.terminal_id, seen=seen, gaps=json.dumps(open_gaps))
    return json.dumps(new_gaps)


def _log_outcome(context: PostingContext, batch: BatchRow, decisions: tuple[Decision, ...], *, took_s: float) -> None:
    """Count the outcomes, and log a line for each: enough to follow a sale, and nothing of what was sold."""
    decision, *woken = decisions
    count_written(decisions)
    counters.observe("caisse_posting_seconds", took_s)
    fields = {"terminal": context.terminal_id, "shop": batch.shop_id, "receipt": str(batch.receipt)}
    log.info(
        "outcome",
        **fields,
        position=batch.next_position,
        number=decision.number,
        status=decision.status.value,
        code=decision.code or None,
        sale=decision.document_id,
        request_id=batch.request_id,
        took_ms=round(took_s * 1000, 1),
    )
    for follower in woken:
        log.info(
            "waiting_over",
            terminal=context.terminal_id,
            number=follower.number,
            status=follower.status.value,
            code=follower.code,
        )
    if took_s > SLOW_S:
        log.warning("posting_slow", **fields, position=batch.next_position, took_ms=round(took_s * 1000, 1))
