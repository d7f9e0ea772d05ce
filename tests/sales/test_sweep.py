"""The sweep calls `alive` before it waits for a lock: killed as frozen several times, it would fail a healthy sale."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.conf import LazySettings
from django.db import OperationalError

from backend.db.transients import ATTEMPTS_MAX
from backend.sales.models import Batch, Lane
from backend.sales.posting import sql
from backend.sales.posting.sweep import sweep_once
from backend.testing import Cast
from tests.tills import Till, line, sale

pytestmark = pytest.mark.embedded


def test_a_sweep_calls_alive_before_each_wait_for_a_lock(
    cast: Cast, till: Till, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BROKER_URL = ""
    till.hand_over(sale("FAC-1", line(cast.rice)))
    Batch.objects.update(moved_at=datetime.now(UTC) - timedelta(minutes=1))
    happened: list[str] = []

    def wait_in_vain(*_: object, **__: object) -> None:
        happened.append("waited")
        raise OperationalError(1205, "Lock wait timeout exceeded")

    monkeypatch.setattr(sql, "lock_units", wait_in_vain)

    sweep_once(alive=lambda: happened.append("alive"))

    assert happened.count("waited") == ATTEMPTS_MAX
    assert all(before == "alive" for before, what in pairwise(happened) if what == "waited")
    assert Lane.objects.get().starts == 0
    assert till.outcomes() == []
