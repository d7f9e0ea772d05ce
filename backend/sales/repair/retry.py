"""Decides a sale again that was settled without being recorded: from its bytes, as a posting does, or by a person.

For operators, the morning after a bug (`manage.py retry`), and for the shop's repair desk.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum

import structlog
from django.db import Error, connection, transaction
from django.db.backends.utils import CursorWrapper

from backend.db.transients import bounded_time, is_transient, retrying
from backend.sales.dispatch import ring
from backend.sales.errors import Phrase, SetAside
from backend.sales.models import OutcomeStatus, SaleOutcome
from backend.sales.posting import sql
from backend.sales.posting.context import NO_OVERRIDE, Attempt, Override, PostingContext
from backend.sales.posting.decision import Decision, count_written, decide, refused
from backend.sales.posting.deferred import wait_or_wake
from backend.sales.posting.failpoints import failpoint
from backend.sales.posting.register import MonthClosed, register
from backend.sales.posting.replace_outcome import Cause, read_batch, replace_outcome, write_counts
from backend.sales.posting.sql import BatchRow, LaneRow
from backend.sales.tills.pauses import pauses_of

log = structlog.get_logger("caisse.retrial")

# A recorded sale and a duplicate are done; a sale that a person set aside stays so until a person takes it up again.
TRIABLE = (OutcomeStatus.FAILED, OutcomeStatus.REJECTED, OutcomeStatus.CONFLICT, OutcomeStatus.DEFERRED)
# A poster releases its lane between two sales: this many tries find such a moment, unless a poster is frozen there.
LANE_TRIES_MAX = 250
LANE_PAUSE_S = 0.02


class Obstacle(Enum):
    """Why a sale was not decided again. Its outcome is unchanged."""

    # It is recorded by now, a duplicate, or set aside.
    DONE = "done"
    PAUSED = "paused"
    # Other processes held the till's lane all the time: try again in a moment.
    BUSY = "busy"
    # Deciding it raised a bug, which is in the log.
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class OutcomeSnapshot:
    """An outcome's contents, to be compared before and after."""

    status: str
    code: str
    path: str
    params: Phrase | None
    document_id: int | None
    # Not compared: what an older version wrote has its French alone, and may say the same.
    detail: str = field(compare=False)

    @classmethod
    def of(cls, outcome: SaleOutcome | Decision) -> "OutcomeSnapshot":
        return cls(str(outcome.status), outcome.code, outcome.path, outcome.params, outcome.document_id, outcome.detail)


@dataclass(frozen=True, slots=True)
class RetryResult:
    """The outcome before and now. Without an obstacle the sale was decided again, possibly with the same outcome."""

    before: OutcomeSnapshot
    after: OutcomeSnapshot
    obstacle: Obstacle | None = None

    @property
    def has_changed(self) -> bool:
        return self.before != self.after

    @property
    def was_prevented(self) -> bool:
        """Tell whether the sale should be tried again once the obstacle is gone."""
        return self.obstacle not in (None, Obstacle.DONE)


# Decides the sale again, with its lane held.
Decider = Callable[[CursorWrapper, PostingContext, BatchRow, SaleOutcome, datetime], Decision]


def retry_outcome(
    *, batch_id: int, position: int, author: str, reason: str | Phrase, override: Override = NO_OVERRIDE
) -> RetryResult:
    """Decide one sale again, in one transaction, and replace its outcome if the new one differs.

    The old outcome goes into the history with `author` and `reason`, the batch's version is raised, and followers that
    wait for the sale are decided. A sale whose content was recorded meanwhile, by a resend, becomes its `duplicate`.
    Its day is computed from the batch's arrival, as before. A pause stops this as it stops any posting.
    `override`: what a person allows this sale that the rules would refuse.
    A repeat finds nothing left to do. Raises SaleOutcome.DoesNotExist, and transients that outlast their retries.
    """

    def decide_by_rules(
        cursor: CursorWrapper, context: PostingContext, batch: BatchRow, outcome: SaleOutcome, now: datetime
    ) -> Decision:
        raw = context.raw_sales(cursor, batch)[outcome.position - 1]
        return decide(cursor, context=context, batch=batch, raw=raw, now=now)

    return _decide_again(
        decide_by_rules, batch_id=batch_id, position=position, cause=Cause(reason, author), override=override
    )


def set_outcome_aside(*, batch_id: int, position: int, author: str, reason: str | Phrase) -> RetryResult:
    """Set one sale aside: the shop decided that it does not count. Nothing is deleted.

    The same content sent again is set aside again. Otherwise as retry_outcome, which undoes it (`reopens`).
    """

    def decide_as_aside(
        cursor: CursorWrapper, context: PostingContext, batch: BatchRow, outcome: SaleOutcome, now: datetime
    ) -> Decision:
        decision = refused(SetAside(reason), number=outcome.number, fingerprint=outcome.fingerprint)
        day = outcome.business_day.isoformat() if outcome.business_day is not None else None
        return replace(decision, amount=outcome.amount, currency=outcome.currency, day=day)

    return _decide_again(decide_as_aside, batch_id=batch_id, position=position, cause=Cause(reason, author))


def _decide_again(
    decider: Decider, *, batch_id: int, position: int, cause: Cause, override: Override = NO_OVERRIDE
) -> RetryResult:
    outcome = SaleOutcome.objects.get(batch_id=batch_id, position=position)
    before = OutcomeSnapshot.of(outcome)
    place = (outcome.batch_id, outcome.position)
    context = PostingContext(outcome.terminal_id, attempt=Attempt(place, override))
    try:
        after, obstacle = _try_until_free(context, outcome, cause, decider)
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


# The outcome now, if it was read, and the obstacle, if there was one.
TryResult = tuple[OutcomeSnapshot | None, Obstacle | None]


def _try_until_free(context: PostingContext, outcome: SaleOutcome, cause: Cause, decider: Decider) -> TryResult:
    """Try until the lane is free; again if the month turns out to be closed, and once more after a bug."""
    tries = 0
    while True:
        try:
            result = retrying(lambda: _try(context, outcome, cause, decider), name="retry")
        except Exception as error:
            if is_transient(error):
                raise
            if isinstance(error, MonthClosed) and error.month not in context.closed_months:
                context.closed_months.add(error.month)
                continue
            log.exception("retrial_broke", batch=outcome.batch_id, position=outcome.position)
            if context.skips_followers:
                return None, Obstacle.BROKEN
            # A waiting follower may have raised it: now the sale is tried without its followers.
            context.skips_followers = True
            continue
        tries += 1
        if result[1] is not Obstacle.BUSY or tries == LANE_TRIES_MAX:
            return result
        time.sleep(LANE_PAUSE_S)


def _try(context: PostingContext, known: SaleOutcome, cause: Cause, decider: Decider) -> TryResult:
    """In one transaction, with the lane held, read the outcome again, decide, and write a new outcome."""
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
            context.attempt.override.reopens and outcome.status == OutcomeStatus.SET_ASIDE
        ):
            return before, Obstacle.DONE
        if pauses_of(shop_id=outcome.shop_id, terminal_id=outcome.terminal_id).exists():
            return before, Obstacle.PAUSED
        batch = read_batch(outcome)
        context.attempt.has_set_aside = lane.sales_set_aside > 0
        decision = decider(cursor, context, batch, outcome, now)
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
    """Replace the outcome, decide the followers that wait for the sale, and give registration numbers, last of all.

    Returns the followers' decisions.
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
    """Ring if batches wait: their worker may have found the lane busy and gone away. Call it after the commit."""
    # If the database ended the retry, the sweep rings instead.
    with contextlib.suppress(Error), connection.cursor() as cursor:
        if sql.has_work(cursor, terminal_id=terminal_id):
            ring(terminal_id)
