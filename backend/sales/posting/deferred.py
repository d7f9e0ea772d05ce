"""Documents that came before the sale they follow: kept as deferred, carried out in their origin's own transaction.

The origin's units are locked there already, and its row is new: nobody else can be waited for, and the order of locks
holds.
"""

from datetime import datetime

from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet

from backend.sales.models import OutcomeStatus, SaleOutcome
from backend.sales.posting import sql
from backend.sales.posting.context import PostingContext
from backend.sales.posting.decision import Decision, decide
from backend.sales.posting.replace_outcome import Cause, read_batch, replace_outcome, write_counts
from backend.sales.posting.sql import BatchRow, LaneRow

REASON = "La vente d'origine est arrivée"


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
    """Let this verdict count for what waits: a deferred document joins, a recorded one ends its followers' wait.

    Returns as wake_followers does. Costs an ordinary sale nothing: the lane, which is read anyway, knows whether
    anybody waits. `was_waiting`: the sale itself was deferred till now.
    """
    woken: list[Decision] = []
    waiting = lane.waiting_documents - was_waiting + (decision.status == OutcomeStatus.DEFERRED)
    if lane.waiting_documents and decision.is_recorded and not context.lets_wait:
        moved, woken = wake_followers(cursor, context=context, number=decision.number, moved=moved, now=now)
        waiting -= len(woken)
    if waiting != lane.waiting_documents:
        sql.set_waiting(cursor, terminal_id=context.terminal_id, documents=max(0, waiting))
    return moved, woken


def wake_followers(
    cursor: CursorWrapper, *, context: PostingContext, number: str, moved: BatchRow, now: datetime
) -> tuple[BatchRow, list[Decision]]:
    """Decide what waits for the document `number` of this terminal, in the order in which it came, then what waits for
    those: who named as his origin what turns out to be no sale must hear it too.

    Holds the lane, inside the posting of that document. Returns the batch under work, which may be one of those whose
    outcomes changed, and the verdicts; the registration numbers are the caller's to give.
    """
    decisions = []
    cause = Cause(REASON)
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
