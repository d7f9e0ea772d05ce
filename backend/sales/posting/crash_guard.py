"""Counts delivery attempts (starts), so that a sale which kills its process does not do so for ever.

A start is counted before the slice's first sale, in a transaction of its own. A process that dies leaves it behind;
every other end takes it back, and the first sale that commits sets the count to 0.
"""

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from django.db import Error, connection, transaction

from backend.db import dialect
from backend.db.transients import retrying
from backend.sales.posting import sql
from backend.sales.posting.context import Inspection, PostingContext
from backend.sales.posting.failpoints import failpoint

# After so many starts in a row at the same sale it is tried once more, alone.
STARTS_MAX = 5
# Several messages for one terminal may be taken up at once, each counting a start before the first sale commits. A
# second worker that finds a start counted less than START_QUIET ago returns BUSY. If the first worker has died, the
# sweep posts a little later.
START_QUIET = timedelta(seconds=1)


class StartKind(Enum):
    GO = "go"
    # The sale has killed every process that tried it: it is settled as failed instead.
    CONDEMNED = "condemned"
    BUSY = "busy"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Start:
    kind: StartKind
    is_alone: bool = False
    inspection: Inspection = Inspection.FULL


def count_start(context: PostingContext) -> Start:
    """Claim the lane, count a start at the next sale, commit; return how to go on."""
    start = retrying(lambda: _count_start(context), name="begin")
    if start.kind is StartKind.NOTHING:
        # Look again with the lane released: the ring of a batch that was accepted meanwhile found the lane busy.
        with connection.cursor() as cursor:
            is_missed = sql.has_work(cursor, terminal_id=context.terminal_id)
        if is_missed:
            return retrying(lambda: _count_start(context), name="begin")
    return start


def _count_start(context: PostingContext) -> Start:
    context.alive()
    now = datetime.now(UTC)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        lane = sql.claim_lane(cursor, terminal_id=context.terminal_id)
        if lane is None:
            return Start(StartKind.BUSY)
        batch = sql.pick_batch(cursor, terminal_id=context.terminal_id)
        if batch is None:
            failpoint("nothing")
            return Start(StartKind.NOTHING)
        is_same = (lane.starts_batch, lane.starts_position) == (batch.id, batch.next_position)
        before = lane.starts if is_same else 0
        if before and lane.starts_at and abs(now - lane.starts_at) < START_QUIET:
            return Start(StartKind.BUSY)
        starts = before + 1
        sql.count_start(cursor, terminal_id=context.terminal_id, starts=starts, batch=batch, at=dialect.naive_utc(now))
    failpoint("started")
    if starts > STARTS_MAX + 1:
        # If settling the sale also kills the process, the next attempt inspects less of it.
        inspection = {STARTS_MAX + 2: Inspection.FULL, STARTS_MAX + 3: Inspection.HEADER}.get(starts, Inspection.NONE)
        return Start(StartKind.CONDEMNED, inspection=inspection)
    return Start(StartKind.GO, is_alone=starts == STARTS_MAX + 1)


def take_back_start(context: PostingContext) -> None:
    """Take back this slice's start: the process did not die. If the lane is busy, its holder resets the count."""
    # If the database ended the slice, the start stays counted; the next sale that commits clears it.
    with contextlib.suppress(Error):
        retrying(lambda: _take_back_start(context), name="give_back")


def _take_back_start(context: PostingContext) -> None:
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        lane = sql.claim_lane(cursor, terminal_id=context.terminal_id)
        if lane is not None and lane.starts:
            sql.set_starts(cursor, terminal_id=context.terminal_id, starts=lane.starts - 1)
