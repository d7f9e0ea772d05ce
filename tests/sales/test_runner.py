"""Several messages for one terminal at once: a poster that leaves the lane to another never leaves it to none."""

import threading

import pytest
from django.db import connection, connections, transaction

from backend.sales.posting import runner, sql
from backend.sales.posting.context import PostingContext
from backend.sales.posting.crash_guard import Start, count_start
from backend.testing import Cast
from tests.tills import Till, line, sale


@pytest.fixture
def real_cast(real_database: None) -> Cast:
    return Cast()


def hold_lane(terminal_id: int, *, is_held: threading.Event, seconds: float) -> None:
    """Claim a lane as a second poster does, which finds a start counted just now and goes away."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            assert sql.claim_lane(cursor, terminal_id=terminal_id)
            is_held.set()
            threading.Event().wait(seconds)
    finally:
        connections.close_all()


def test_a_poster_waits_for_a_second_one_that_only_looks_at_its_lane(
    real_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second sees that the first has begun and drops its message; it holds the lane while it looks."""
    till = Till(real_cast.device)
    till.hand_over(sale("FAC-1", line(real_cast.rice)))
    lookers: list[threading.Thread] = []

    def count_start_and_be_looked_at(context: PostingContext) -> Start:
        start = count_start(context)
        is_held = threading.Event()
        looker = threading.Thread(
            target=hold_lane, args=(context.terminal_id,), kwargs={"is_held": is_held, "seconds": 0.03}
        )
        looker.start()
        lookers.append(looker)
        assert is_held.wait(10)
        return start

    monkeypatch.setattr(runner, "count_start", count_start_and_be_looked_at)

    report = runner.post_slice(till.device.terminal_id)

    lookers[0].join()
    assert (report.posted, report.was_busy) == (1, False)
    assert till.outcomes() == ["created"]
