"""The sweep: rings for terminals whose sales do not move, and posts them itself when ringing does not help.

Any number of sweeps may run, on any machine. They need no leader: the lane's lock decides which process posts.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction

from backend.db import dialect
from backend.db.transients import is_transient, retrying
from backend.observability import counters
from backend.sales import dispatch
from backend.sales.models import Batch, Lane, SaleOutcome
from backend.sales.posting import sql
from backend.sales.posting.runner import SliceReport, post_slice

log = structlog.get_logger("caisse.sweep")

# A terminal whose waiting batches have not moved for this long has lost its ring, or its worker.
STALE = timedelta(seconds=3)
# How often a lane is rung at most, by all sweeps together.
RING_EVERY = timedelta(seconds=5)
TERMINALS_MAX = 200
# How long one turn may post before it looks again which terminals wait.
TURN_S = 10


@dataclass(frozen=True, slots=True)
class Turn:
    rung: int
    posted: int


def sweep_once(*, alive: Callable[[], None] = lambda: None, must_stop: Callable[[], bool] = lambda: False) -> Turn:
    """Ring for each stale terminal, post for those that ringing does not help; return how many.

    `alive` is called before each step that may take seconds, so that a supervisor knows that the sweep is not frozen.
    """
    rung = 0
    deserted: list[int] = []
    for terminal_id in stale_terminals():
        is_deserted = retrying(lambda: claim_ring(terminal_id), name="claim_ring")  # noqa: B023 - called at once
        if is_deserted is None:
            continue
        if is_deserted or not dispatch.ring(terminal_id, receipt=oldest_receipt(terminal_id)):
            deserted.append(terminal_id)
        else:
            rung += 1
            counters.count("caisse_sweep_rings_total")
    posted = _post_in_turns(deserted, alive, must_stop)
    if rung or posted:
        log.info("swept", rung=rung, posted=posted, terminals=len(deserted))
    return Turn(rung, posted)


def stale_terminals() -> list[int]:
    """Return the terminals whose oldest waiting batch has not moved for STALE, the longest first."""
    now = datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT b.terminal_id FROM sales_batch b"
            " JOIN (SELECT MIN(id) AS id FROM sales_batch WHERE settled_at IS NULL GROUP BY terminal_id) oldest"
            " ON oldest.id = b.id WHERE (b.moved_at < %s OR b.moved_at > %s)"
            f" AND {sql.NOT_PAUSED} ORDER BY b.moved_at LIMIT %s",
            # A time in the future was stamped by a clock that has been set back since, or by another machine's clock.
            [dialect.naive_utc(now - STALE), dialect.naive_utc(now + STALE), TERMINALS_MAX],
        )
        return [row[0] for row in cursor.fetchall()]


def claim_ring(terminal_id: int) -> bool | None:
    """Take the right to ring for this terminal now. Return None if it was rung just now or is being posted, else
    whether the last ring moved nothing: then no worker is there for the next ring either."""
    now = datetime.now(UTC)
    with transaction.atomic(durable=True):
        # Both before and after now: a ring in the future was stamped by a clock that has been set back since.
        due = Lane.objects.exclude(rung_at__range=(now - RING_EVERY, now + RING_EVERY))
        lane = due.filter(pk=terminal_id).select_for_update(skip_locked=_can_skip()).first()
        if lane is None:
            return None
        rung_before = lane.rung_at
        lane.rung_at = now
        lane.save(update_fields=["rung_at"])
    if rung_before is None:
        return False
    oldest = Batch.objects.filter(settled_at=None, terminal_id=terminal_id).order_by("pk").first()
    if oldest is None or rung_before < oldest.received_at <= now + STALE:
        return False
    return not SaleOutcome.objects.filter(terminal_id=terminal_id, at__gt=rung_before, at__lte=now + STALE).exists()


def oldest_receipt(terminal_id: int) -> str:
    """Return the receipt of the terminal's oldest waiting batch, which Flower shows with the ring."""
    waiting = Batch.objects.filter(settled_at=None, terminal_id=terminal_id).order_by("pk")
    return str(waiting.values_list("receipt", flat=True).first() or "")


def _can_skip() -> bool:
    return connection.features.has_select_for_update_skip_locked


def _post_in_turns(terminal_ids: Iterable[int], alive: Callable[[], None], must_stop: Callable[[], bool]) -> int:
    """Post a slice of each terminal in turn until nothing is left or TURN_S is over; return how many sales."""
    posted = 0
    waiting = list(terminal_ids)
    deadline = time.monotonic() + TURN_S
    while waiting and time.monotonic() < deadline and not must_stop():
        still_waiting = []
        for terminal_id in waiting:
            report = _post_slice(terminal_id, alive)
            posted += report.posted
            counters.count("caisse_sweep_posted_sales_total", report.posted)
            if report.has_more:
                still_waiting.append(terminal_id)
        waiting = still_waiting
    return posted


def _post_slice(terminal_id: int, alive: Callable[[], None]) -> SliceReport:
    """Post one slice. A terminal that waits for a lock must not keep the sweep from the others."""
    try:
        return post_slice(terminal_id, alive=alive)
    except (OperationalError, InterfaceError) as error:
        if not is_transient(error):
            raise
        log.warning("slice_interrupted", terminal=terminal_id, error=str(error))
        return SliceReport(0, has_more=False)
