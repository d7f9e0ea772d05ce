"""Documents that arrive before the sale that they follow: deferred, then carried out in that sale's transaction.

That transaction has locked the sale's units already, and the sale's row is new, so it waits for no other transaction
and the order of locks is kept.
"""

from datetime import datetime

from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet

from backend.sales.errors import Reason
from backend.sales.models import OutcomeStatus, SaleOutcome
from backend.sales.posting import sql
from backend.sales.posting.context import PostingContext
from backend.sales.posting.decision import Decision, decide
from backend.sales.posting.replace_outcome import Cause, read_batch, replace_outcome, write_counts
from backend.sales.posting.sql import BatchRow, LaneRow


def wait_or_wake(
    cursor: CursorWrapper,
    *,
    context: PostingContext,
    lane: LaneRow,
    moved: BatchRow,
    decision: Decision,
    now: datetime,
    was_waiting: bool = False,
) -> tuple[BatchRow, list[Decision]]:
    """Keep the lane's count of waiting documents: a deferred one is added, a recorded one wakes its followers.

    Returns as wake_followers does. An ordinary sale costs nothing: the lane, which is read anyway, has the count.
    `was_waiting`: the sale itself was deferred before this decision.
    """
    woken: list[Decision] = []
    waiting = lane.waiting_documents - was_waiting + (decision.status == OutcomeStatus.DEFERRED)
    if lane.waiting_documents and decision.is_recorded and not context.skips_followers:
        moved, woken = wake_followers(cursor, context=context, number=decision.number, moved=moved, now=now)
        waiting -= len(woken)
    if waiting != lane.waiting_documents:
        sql.set_waiting(cursor, terminal_id=context.terminal_id, documents=max(0, waiting))
    return moved, woken


def wake_followers(
    cursor: CursorWrapper, *, context: PostingContext, number: str, moved: BatchRow, now: datetime
) -> tuple[BatchRow, list[Decision]]:
    """Decide the documents that wait for this terminal's document `number`, in the order in which they came, then those
    that wait for these: a document that follows something other than a sale must be refused too.

    The caller holds the lane and is posting that document. Returns the caller's batch, some of whose outcomes may have
    changed, and the decisions; the caller gives the registration numbers.
    """
    decisions = []
    cause = Cause(Reason.ORIGIN_ARRIVED())
    recorded = [number]
    for origin in recorded:
        for outcome in _waiting_for(origin, shop_id=moved.shop_id, terminal_id=context.terminal_id):
            batch = read_batch(outcome)
            raw = context.read_sales(cursor, outcome.batch_id)[outcome.position - 1]
            decision = decide(cursor, context=context, batch=batch, raw=raw, now=now)
            if outcome.batch_id == moved.id:
                moved = replace_outcome(outcome, decision, batch=moved, now=now, cause=cause)
            else:
                write_counts(replace_outcome(outcome, decision, batch=batch, now=now, cause=cause))
            decisions.append(decision)
            if decision.is_recorded:
                recorded.append(decision.number)
    return moved, decisions


def _waiting_for(number: str, *, shop_id: int, terminal_id: int) -> QuerySet[SaleOutcome]:
    waiting = SaleOutcome.objects.filter(shop_id=shop_id, status=OutcomeStatus.DEFERRED, terminal_id=terminal_id)
    return waiting.filter(awaits=number).order_by("batch_id", "position")
