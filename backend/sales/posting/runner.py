"""One poster's turn at one terminal: a slice of its sales, and what to do when one of them will not be posted.

Tasks and sweeps call `post_slice`. Whatever ends a turn, the sales stand at the last one that was committed.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import connection

from backend.db import dialect
from backend.db.transients import is_transient, retrying
from backend.sales.posting import sql
from backend.sales.posting.context import SQLITE_BREATH_S, PostingContext, utc_now
from backend.sales.posting.crash_guard import StartKind, begin, give_back
from backend.sales.posting.post_sale import Step, post_next_sale, settle_as_failed
from backend.sales.posting.register import MonthClosed

log = structlog.get_logger("caisse.posting")

# How long one poster stays at one terminal before the others have their turn.
SLICE_S = 0.5
# How often a posting may raise what is nobody's refusal before the sale is settled as our failure.
BUG_TRIES_MAX = 3
# Who comes while we have counted our start looks at the lane, sees that, and leaves it to us: a moment to wait out.
FIRST_TRIES_MAX = 10
FIRST_PAUSE_S = 0.01
# Why a sale failed that killed whoever posted it: who tries it again does so in a process of its own.
CONDEMNED = "l'enregistrement s'est interrompu plusieurs fois"


@dataclass(frozen=True, slots=True)
class SliceReport:
    """What a slice did. `has_more` asks for another turn."""

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

    `interruptions` are errors that mean "stop", as a worker's soft time limit does: never blamed on the sale.
    `alive` is called before each attempt. `clock` stamps the outcomes, for who tells a shop's past: cursors of changes
    miss what is stamped earlier than they stand, so nobody may be asking yet. `breath_s`: the pause between two sales
    on SQLite; who is alone at the database needs none.
    Transients that outlast their retries are raised, as interruptions are; the sales stand where they stood.
    """
    context = PostingContext(terminal_id, alive, clock=clock, breath_s=breath_s)
    deadline = time.monotonic() + slice_s
    start = begin(context)
    if start.kind is StartKind.BUSY:
        return SliceReport(0, has_more=False, was_busy=True)
    if start.kind is StartKind.NOTHING:
        return SliceReport(0, has_more=False)
    if start.kind is StartKind.CONDEMNED:
        step = retrying(
            lambda: settle_as_failed(context, reason=CONDEMNED, inspection=start.inspection), name="condemn"
        )
        return SliceReport(int(step is Step.POSTED), has_more=True)
    posted = 0
    step = Step.POSTED
    try:
        while step is Step.BROKEN or (
            step is Step.POSTED and (posted == 0 or (not start.is_alone and time.monotonic() < deadline))
        ):
            step = _post_one(context, interruptions) if posted else _post_first(context, interruptions)
            posted += step is Step.POSTED
    finally:
        if not context.has_committed and step is not Step.BUSY:
            give_back(context)
    return SliceReport(posted, has_more=step is Step.POSTED, was_busy=step is Step.BUSY)


def _post_first(context: PostingContext, interruptions: tuple[type[BaseException], ...]) -> Step:
    """Post the slice's first sale. A lane that stays busy has another poster; a looker is gone in a moment, and with
    it its message: were we to go too, nobody would be left."""
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
        # A batch that was accepted while we looked: its ring found us busy, so nobody else will come.
        return _post_one(context, interruptions)
    if dialect.is_sqlite(connection):
        time.sleep(context.breath_s)
    return step


def _after_bug(context: PostingContext, error: Exception) -> Step:
    """Count a bug against the sale it happened to, shout, and park the sale after a few tries."""
    tries = context.tries[context.place] = context.tries.get(context.place, 0) + 1
    log.error("posting_broke", batch=context.place[0], position=context.place[1], tries=tries, exc_info=error)
    # It may be a waiting follower that broke it: from here on the sale is tried alone.
    context.lets_wait = True
    if tries < BUG_TRIES_MAX:
        return Step.BROKEN
    return retrying(lambda: settle_as_failed(context, reason=type(error).__name__), name="settle")


def _has_work(terminal_id: int) -> bool:
    with connection.cursor() as cursor:
        return sql.has_work(cursor, terminal_id=terminal_id)
