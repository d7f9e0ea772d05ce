"""The sweep when a clock was set back, or another machine's clock is ahead: no terminal waits for that time."""

from datetime import UTC, datetime, timedelta

import pytest

from backend.sales.models import Batch, Lane, SaleOutcome
from backend.sales.posting.sweep import claim_ring, stale_terminals
from backend.testing import Cast
from tests.tills import Till, line, sale

pytestmark = pytest.mark.embedded

AHEAD = timedelta(hours=2)
LONG_AGO = timedelta(minutes=5)


@pytest.fixture
def waiting(cast: Cast, till: Till) -> int:
    """A terminal with one sale posted and one that has waited for a while; return its id."""
    till.hand_over(sale("FAC-1", line(cast.rice)), sale("FAC-2", line(cast.rice)))
    till.post_next()
    past = datetime.now(UTC) - LONG_AGO
    Batch.objects.update(received_at=past, moved_at=past)
    SaleOutcome.objects.update(at=past)
    return till.device.terminal_id


def test_a_batch_that_moved_just_now_is_left_alone_and_one_that_has_not_is_found(waiting: int) -> None:
    assert stale_terminals() == [waiting]
    Batch.objects.update(moved_at=datetime.now(UTC))
    assert stale_terminals() == []


def test_a_batch_that_moved_in_the_future_is_found(waiting: int) -> None:
    Batch.objects.update(moved_at=datetime.now(UTC) + AHEAD)
    assert stale_terminals() == [waiting]


def test_a_lane_is_rung_once_in_a_while(waiting: int) -> None:
    assert claim_ring(waiting) is False
    assert claim_ring(waiting) is None


def test_a_lane_that_was_rung_in_the_future_is_rung_now(waiting: int) -> None:
    Lane.objects.update(rung_at=datetime.now(UTC) + AHEAD)
    assert claim_ring(waiting) is not None
    assert Lane.objects.get().rung_at < datetime.now(UTC) + LONG_AGO


@pytest.mark.parametrize("row", ["batch", "outcome"])
def test_a_time_in_the_future_does_not_prove_that_the_last_ring_worked(waiting: int, row: str) -> None:
    now = datetime.now(UTC)
    Lane.objects.update(rung_at=now - timedelta(minutes=1))
    if row == "batch":
        Batch.objects.update(received_at=now + AHEAD)
    else:
        SaleOutcome.objects.update(at=now + AHEAD)
    assert claim_ring(waiting) is True


def test_an_outcome_since_the_last_ring_proves_that_it_worked(waiting: int) -> None:
    Lane.objects.update(rung_at=datetime.now(UTC) - timedelta(minutes=1))
    SaleOutcome.objects.update(at=datetime.now(UTC))
    assert claim_ring(waiting) is False
