"""Posts one terminal's sales for a time slice, and handles a sale whose posting raises.

Tasks and sweeps call `post_slice`. Whatever ends a slice, the batch is left at its last committed sale.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import connection

from backend.db import dialect
from backend.db.transients import is_transient, retrying
from backend.sales.errors import InternalFailure, ProcessKilled
from backend.sales.posting import sql
from backend.sales.posting.context import SQLITE_BREATH_S, PostingContext, utc_now
from backend.sales.posting.crash_guard import StartKind, count_start, take_back_start
from backend.sales.posting.post_sale import Step, post_next_sale, settle_as_failed
from backend.sales.posting.register import MonthClosed

log = structlog.get_logger("caisse.posting")

# How long one poster stays at one terminal before other terminals have their turn.
SLICE_S = 0.5
# How often a posting may raise a bug before the sale is settled as failed.
BUG_TRIES_MAX = 3
# A second worker that finds our start counted holds the lane for a moment while it looks: we wait that long.
FIRST_TRIES_MAX = 10
FIRST_PAUSE_S = 0.01


@dataclass(frozen=True, slots=True)
class SliceReport:
    """What a slice did. `has_more`: another slice is needed."""

    posted: int
    has_more: bool
    was_busy: bool = False


def post_slice(
    terminal_id: int,
    *,
    slice_s: float = SLICE_S,
    interruptions: tuple[type[BaseException], ...] = (),
    alive: Callable[[], None] = lambda: None,
    clock: Callable[[], datetime] = utc_now,
    breath_s: float = SQLITE_BREATH_S,
) -> SliceReport:
    """Post the terminal's sales in order until nothing is left, the lane is busy or `slice_s` is over.

    `interruptions` are errors that mean "stop", such as a worker's soft time limit: they are never blamed on the sale.
    `alive` is called before each attempt. `clock` stamps the outcomes; only the demonstration gives it, to make a
    shop's past: a change feed misses outcomes stamped before its cursor, so no till may be reading yet.
    `breath_s`: the pause between two sales on SQLite; a process that is alone at the database needs none.
    Raises transients that outlast their retries, and interruptions; the sale at the cursor is then not posted.
    """
    context = PostingContext(terminal_id, alive, clock=clock, breath_s=breath_s)
    deadline = time.monotonic() + slice_s
    start = count_start(context)
    if start.kind is StartKind.BUSY:
        return SliceReport(0, has_more=False, was_busy=True)
    if start.kind is StartKind.NOTHING:
        return SliceReport(0, has_more=False)
    if start.kind is StartKind.CONDEMNED:
        step = retrying(lambda: settle_as_failed(context, ProcessKilled(), inspection=start.inspection), name="condemn")
        return SliceReport(int(step is Step.POSTED), has_more=True)
    posted = 0
    step = Step.POSTED
    try:
        while step is Step.BUG or (
            step is Step.POSTED and (posted == 0 or (not start.is_alone and time.monotonic() < deadline))
        ):
            step = _post_one(context, interruptions) if posted else _post_first(context, interruptions)
            posted += step is Step.POSTED
    finally:
        if not context.has_committed and step is not Step.BUSY:
            take_back_start(context)
    return SliceReport(posted, has_more=step is Step.POSTED, was_busy=step is Step.BUSY)


def _post_first(context: PostingContext, interruptions: tuple[type[BaseException], ...]) -> Step:
    """Post the slice's first sale. Waits a moment for a busy lane: a worker that only looked at our start drops its
    message, and if we dropped ours too, no worker would be left. A lane that stays busy has another poster."""
    step = _post_one(context, interruptions)
    for _ in range(FIRST_TRIES_MAX):
        if step is not Step.BUSY:
            break
        time.sleep(FIRST_PAUSE_S)
        step = _post_one(context, interruptions)
    return step


def _post_one(context: PostingContext, interruptions: tuple[type[BaseException], ...]) -> Step:
    """Post the next sale, again after transients; settle it as failed when its posting is broken."""
    try:
        step = retrying(lambda: post_next_sale(context), name="post")
    except interruptions:
        raise
    except MonthClosed as error:
        context.closed_months.add(error.month)
        return _post_one(context, interruptions)
    except Exception as error:
        if is_transient(error):
            raise
        step = _after_bug(context, error)
    if step is Step.NOTHING and _has_work(context.terminal_id):
        # A batch was accepted while we held the lane: its ring found the lane busy, so no other worker will come.
        return _post_one(context, interruptions)
    if dialect.is_sqlite(connection):
        time.sleep(context.breath_s)
    return step


def _after_bug(context: PostingContext, error: Exception) -> Step:
    """Count the bug against its sale and log it; after a few tries, settle the sale as failed."""
    attempt = context.attempt
    attempt.bugs += 1
    log.error("posting_broke", batch=attempt.place[0], position=attempt.place[1], tries=attempt.bugs, exc_info=error)
    # A waiting follower may have raised it: from here on sales are tried without their followers.
    context.skips_followers = True
    if attempt.bugs < BUG_TRIES_MAX:
        return Step.BUG
    return retrying(lambda: settle_as_failed(context, InternalFailure(type(error).__name__)), name="settle")


def _has_work(terminal_id: int) -> bool:
    with connection.cursor() as cursor:
        return sql.has_work(cursor, terminal_id=terminal_id)
