"""Deciding a sale anew that was settled without being recorded: from its bytes, as a posting would, or by a person.

For operators, the morning after a bug (`manage.py retry`), and for the shop's repair desk.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum

import structlog
from django.db import Error, connection, transaction
from django.db.backends.utils import CursorWrapper

from backend.db.transients import bounded_time, is_transient, retrying
from backend.sales.dispatch import ring
from backend.sales.errors import SetAside
from backend.sales.models import OutcomeStatus, SaleOutcome
from backend.sales.posting import sql
from backend.sales.posting.context import NO_OVERRIDE, Override, PostingContext
from backend.sales.posting.decision import Decision, count_written, decide, refused
from backend.sales.posting.deferred import wait_or_wake
from backend.sales.posting.failpoints import failpoint
from backend.sales.posting.register import MonthClosed, register
from backend.sales.posting.replace_outcome import Cause, read_batch, replace_outcome, write_counts
from backend.sales.posting.sql import BatchRow, LaneRow
from backend.sales.tills.pauses import pauses_of

log = structlog.get_logger("caisse.retrial")

# What is recorded, or stands recorded elsewhere, is done; what a person set aside stays aside until he says otherwise.
TRIABLE = (OutcomeStatus.FAILED, OutcomeStatus.REJECTED, OutcomeStatus.CONFLICT, OutcomeStatus.DEFERRED)
# A poster lets go of its lane between two sales: so many looks find such a moment, unless somebody stands still there.
LANE_TRIES_MAX = 250
LANE_PAUSE_S = 0.02


class Obstacle(Enum):
    """Why a sale was not decided again. Its outcome stands as it stood."""

    # It is recorded meanwhile, a duplicate, or set aside.
    DONE = "done"
    PAUSED = "paused"
    # Somebody held the till's lane all the time: it may be tried again in a moment.
    BUSY = "busy"
    # Its posting raised what is nobody's refusal: the bug is still there, and in the log.
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class OutcomeSnapshot:
    """What an outcome says."""

    status: str
    code: str
    path: str
    detail: str
    document_id: int | None

    @classmethod
    def of(cls, told: SaleOutcome | Decision) -> "OutcomeSnapshot":
        return cls(str(told.status), told.code, told.path, told.detail, told.document_id)


@dataclass(frozen=True, slots=True)
class RetryResult:
    """What stood before and what stands now. Without an obstacle the sale was decided again, perhaps alike."""

    before: OutcomeSnapshot
    after: OutcomeSnapshot
    obstacle: Obstacle | None = None

    @property
    def has_changed(self) -> bool:
        return self.before != self.after

    @property
    def was_prevented(self) -> bool:
        """Tell whether the sale still wants to be tried, once what stood in the way is gone."""
        return self.obstacle not in (None, Obstacle.DONE)


# What becomes of the sale now: under its lane, from its bytes and the outcome that stands.
Judge = Callable[[CursorWrapper, PostingContext, BatchRow, SaleOutcome, datetime], Decision]


def retry_outcome(
    *, batch_id: int, position: int, author: str, reason: str, override: Override = NO_OVERRIDE
) -> RetryResult:
    """Decide one sale again, in one transaction, and replace its outcome if the new one says anything else.

    The old outcome goes into the history with `author` and `reason`, the batch's version is raised, whoever waits for
    the sale is woken. A sale whose content was recorded meanwhile, by a resend, becomes a `duplicate` of that one. The
    day it counts for is reckoned from its batch's arrival, as it was. Pauses hold for this as for any posting.
    `override`: what a person allows this sale that the rules would refuse.
    A repeat finds nothing left to do. Raises SaleOutcome.DoesNotExist, and transients that outlast their retries.
    """

    def judge(
        cursor: CursorWrapper, context: PostingContext, batch: BatchRow, outcome: SaleOutcome, now: datetime
    ) -> Decision:
        raw = context.raw_sales(cursor, batch)[outcome.position - 1]
        return decide(cursor, context=context, batch=batch, raw=raw, now=now)

    return _decide_anew(judge, batch_id=batch_id, position=position, cause=Cause(reason, author), override=override)


def set_outcome_aside(*, batch_id: int, position: int, author: str, reason: str) -> RetryResult:
    """Settle one sale as set aside: the shop decided that it does not count. Nothing of it is deleted.

    The same content sent again is set aside again. Otherwise as retry_outcome, which takes it up again (`reopens`).
    """

    def judge(
        cursor: CursorWrapper, context: PostingContext, batch: BatchRow, outcome: SaleOutcome, now: datetime
    ) -> Decision:
        decision = refused(SetAside(reason), number=outcome.number, fingerprint=outcome.fingerprint)
        day = outcome.business_day.isoformat() if outcome.business_day is not None else None
        return replace(decision, amount=outcome.amount, currency=outcome.currency, day=day)

    return _decide_anew(judge, batch_id=batch_id, position=position, cause=Cause(reason, author))


def _decide_anew(
    judge: Judge, *, batch_id: int, position: int, cause: Cause, override: Override = NO_OVERRIDE
) -> RetryResult:
    outcome = SaleOutcome.objects.get(batch_id=batch_id, position=position)
    before = OutcomeSnapshot.of(outcome)
    context = PostingContext(outcome.terminal_id, override=override)
    try:
        after, obstacle = _try_patiently(context, outcome, cause, judge)
    finally:
        _ring_if_left(outcome.terminal_id)
    result = RetryResult(before, after or before, obstacle)
    log.info(
        "retried",
        terminal=outcome.terminal_id,
        shop=outcome.shop_id,
        batch=batch_id,
        position=position,
        before=before.status,
        status=result.after.status,
        code=result.after.code or None,
        obstacle=obstacle.value if obstacle else None,
    )
    return result


# What stands now, if that was read, and what stood in the way.
Attempt = tuple[OutcomeSnapshot | None, Obstacle | None]


def _try_patiently(context: PostingContext, outcome: SaleOutcome, cause: Cause, judge: Judge) -> Attempt:
    """Try until the lane was ours, with the next rule when a month turns out to be closed, twice after a bug."""
    looks = 0
    while True:
        try:
            attempt = retrying(lambda: _try(context, outcome, cause, judge), name="retry")
        except Exception as error:
            if is_transient(error):
                raise
            if isinstance(error, MonthClosed) and error.month not in context.closed_months:
                context.closed_months.add(error.month)
                continue
            log.exception("retrial_broke", batch=outcome.batch_id, position=outcome.position)
            if context.lets_wait:
                return None, Obstacle.BROKEN
            # It may be a waiting follower that broke it: now the sale is tried alone.
            context.lets_wait = True
            continue
        looks += 1
        if attempt[1] is not Obstacle.BUSY or looks == LANE_TRIES_MAX:
            return attempt
        time.sleep(LANE_PAUSE_S)


def _try(context: PostingContext, known: SaleOutcome, cause: Cause, judge: Judge) -> Attempt:
    """One transaction: under the lane, read the outcome again, decide, and write what is new."""
    written: tuple[Decision, ...] = ()
    with transaction.atomic(durable=True), bounded_time(), connection.cursor() as cursor:
        now = datetime.now(UTC)
        lane = sql.claim_lane(cursor, terminal_id=context.terminal_id)
        if lane is None:
            return None, Obstacle.BUSY
        failpoint("claimed")
        outcome = SaleOutcome.objects.get(batch_id=known.batch_id, position=known.position)
        before = OutcomeSnapshot.of(outcome)
        if outcome.status not in TRIABLE and not (
            context.override.reopens and outcome.status == OutcomeStatus.SET_ASIDE
        ):
            return before, Obstacle.DONE
        if pauses_of(shop_id=outcome.shop_id, terminal_id=outcome.terminal_id).exists():
            return before, Obstacle.PAUSED
        batch = read_batch(outcome)
        context.place = (batch.id, batch.next_position)
        context.has_set_aside = lane.sales_set_aside > 0
        decision = judge(cursor, context, batch, outcome, now)
        after = OutcomeSnapshot.of(decision)
        if after != before:
            woken = _write(cursor, context, lane=lane, outcome=outcome, batch=batch, decision=decision, now=now,
                           cause=cause)  # fmt: skip
            written = (decision, *woken)
    count_written(written)
    return after, None


def _write(
    cursor: CursorWrapper,
    context: PostingContext,
    *,
    lane: LaneRow,
    outcome: SaleOutcome,
    batch: BatchRow,
    decision: Decision,
    now: datetime,
    cause: Cause,
) -> list[Decision]:
    """Replace the outcome, wake who waits for the sale, and give the registration numbers, last of all.

    Returns what became of those who waited.
    """
    batch = replace_outcome(outcome, decision, batch=batch, now=now, cause=cause)
    was_waiting = outcome.status == OutcomeStatus.DEFERRED
    batch, woken = wait_or_wake(
        cursor, context=context, lane=lane, moved=batch, decision=decision, now=now, was_waiting=was_waiting
    )
    write_counts(batch)
    if OutcomeStatus.SET_ASIDE in (outcome.status, decision.status):
        aside = SaleOutcome.objects.filter(terminal_id=context.terminal_id, status=OutcomeStatus.SET_ASIDE)
        sql.set_sales_set_aside(cursor, terminal_id=context.terminal_id, sales=aside.count())
    if decision.is_recorded:
        register(cursor, shop=context.shop(batch.shop_id), decisions=(decision, *woken), now=now)
    failpoint("numbered", number=decision.number)
    return woken


def _ring_if_left(terminal_id: int) -> None:
    """Ring for what a poster left to us, finding the lane busy. Asked after the commit: later batches ring anew."""
    # The database may be what ended the retrial; then the sweep comes round.
    with contextlib.suppress(Error), connection.cursor() as cursor:
        if sql.has_work(cursor, terminal_id=terminal_id):
            ring(terminal_id)
