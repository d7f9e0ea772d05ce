"""What an operator can do from the page: ring, post, retry. Bounded in time, so that no request takes long."""

import time
from collections import Counter
from dataclasses import dataclass
from enum import Enum

import structlog
from django.db import InterfaceError, OperationalError

from backend.db.transients import is_transient, retrying
from backend.ops.pages.backlog import batches_of
from backend.ops.pages.diagnosis import is_deadly
from backend.ops.retries import choose, outcomes_with, reason_for, try_again
from backend.sales import dispatch
from backend.sales.models import Lane, OutcomeStatus
from backend.sales.posting.runner import SLICE_S, post_slice
from backend.sales.posting.sweep import claim_ring, oldest_receipt, stale_terminals
from backend.sales.tills.pauses import pauses_of
from backend.shops.models import Shop, Terminal

log = structlog.get_logger("caisse.operations")

POST_S_MAX = 3
# Sales tried in one request; the operator presses the button again for the rest.
RETRIES_MAX = 50
RETRY_S_MAX = 8


class Rung(Enum):
    RUNG = "rung"
    # It was rung seconds ago, or a process is posting for it now.
    NOT_DUE = "not due"
    NOT_HEARD = "not heard"


@dataclass(frozen=True, slots=True)
class RungAll:
    rung: int
    not_due: int
    # The broker did not take the message; the rest was not tried.
    is_unheard: bool


class Obstacle(Enum):
    NOTHING = "nothing"
    PAUSED = "paused"
    BUSY = "busy"
    # It has killed the processes that posted it. It must not kill one that serves tills and people.
    DEADLY = "deadly"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Posted:
    """How many sales were posted here, whether more is left, and what prevented posting some or all of them."""

    count: int
    has_more: bool = False
    obstacle: Obstacle | None = None


@dataclass(frozen=True, slots=True)
class Retried:
    """How many failed sales were tried, their outcomes by status, how many could not be tried, how many are left."""

    tried: int
    ends: Counter[str]
    prevented: int
    left: int


def ring_again(terminal: Terminal, *, by: str) -> Rung:
    """Ring for one till, as a sweep would and no more often."""
    rung = _ring(terminal.pk)
    log.info("operator_rang", by=by, terminal=terminal.pk, end=rung.value)
    return rung


def ring_all_stale(*, by: str) -> RungAll:
    """Ring for each till that does not move, as a sweep would. Stop if the broker does not answer."""
    counts: Counter[Rung] = Counter()
    for terminal_id in stale_terminals():
        end = _ring(terminal_id)
        counts[end] += 1
        if end is Rung.NOT_HEARD:
            break
    report = RungAll(counts[Rung.RUNG], counts[Rung.NOT_DUE], is_unheard=counts[Rung.NOT_HEARD] > 0)
    log.info("operator_rang_all", by=by, rung=report.rung, not_due=report.not_due, is_unheard=report.is_unheard)
    return report


def _ring(terminal_id: int) -> Rung:
    if retrying(lambda: claim_ring(terminal_id), name="claim_ring") is None:
        return Rung.NOT_DUE
    return Rung.RUNG if dispatch.ring(terminal_id, receipt=oldest_receipt(terminal_id)) else Rung.NOT_HEARD


def post_now(terminal: Terminal, *, by: str) -> Posted:
    """Post the till's sales in this process, in order, for POST_S_MAX at most."""
    report = _post(terminal)
    obstacle = report.obstacle.value if report.obstacle else None
    log.info("operator_posted", by=by, terminal=terminal.pk, posted=report.count, obstacle=obstacle)
    return report


def _post(terminal: Terminal) -> Posted:
    batches = batches_of(terminal.pk)
    if not batches:
        return Posted(0, obstacle=Obstacle.NOTHING)
    if pauses_of(shop_id=batches[0].shop_id, terminal_id=terminal.pk).exists():
        return Posted(0, has_more=True, obstacle=Obstacle.PAUSED)
    deadline = time.monotonic() + POST_S_MAX
    count, has_more = 0, True
    while has_more and time.monotonic() < deadline:
        lane = Lane.objects.filter(pk=terminal.pk).first()
        if any(is_deadly(batch, lane) for batch in batches_of(terminal.pk)):
            return Posted(count, has_more=True, obstacle=Obstacle.DEADLY)
        try:
            report = post_slice(terminal.pk, slice_s=min(SLICE_S, deadline - time.monotonic()))
        except (OperationalError, InterfaceError) as error:
            if not is_transient(error):
                raise
            return Posted(count, has_more=True, obstacle=Obstacle.INTERRUPTED)
        count, has_more = count + report.posted, report.has_more
        if report.was_busy:
            return Posted(count, has_more=True, obstacle=Obstacle.BUSY)
    return Posted(count, has_more=has_more)


def retry_failures(*, shop: Shop, code: str, params: str, by: str) -> Retried:
    """Try the failed sales of a shop with this code and these parameters again, by till, RETRIES_MAX at most."""
    outcomes = outcomes_with(status=OutcomeStatus.FAILED, shop=shop, code=code, params=params)
    deadline = time.monotonic() + RETRY_S_MAX
    ends: Counter[str] = Counter()
    tried = prevented = 0
    for chosen in choose(outcomes[:RETRIES_MAX]):
        if time.monotonic() > deadline:
            break
        trial = try_again(chosen, author=by, reason=reason_for(OutcomeStatus.FAILED))
        tried += 1
        prevented += trial.was_prevented
        if trial.after is not None and not trial.was_prevented:
            ends[trial.after.status] += 1
    log.info("operator_retried", by=by, shop=shop.pk, code=code, tried=tried, prevented=prevented, ends=dict(ends))
    return Retried(tried, ends, prevented, left=outcomes.count())
