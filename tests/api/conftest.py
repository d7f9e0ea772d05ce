"""The tills of Alice's and Charlie's shops, as callers of the API."""

import math

import pytest

from backend.sales.receipts import backlog
from backend.testing import Cast
from tests.tills import Till


@pytest.fixture(autouse=True)
def _forget_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clears what this process caches for a while: the count of waiting sales."""
    monkeypatch.setattr(backlog._backlog, "read_at", -math.inf)


@pytest.fixture
def cast(standing_cast: Cast) -> Cast:
    return standing_cast


@pytest.fixture
def till(cast: Cast) -> Till:
    return Till(cast.device)


@pytest.fixture
def token_till(cast: Cast) -> Till:
    return Till(cast.token_device, token=cast.token)


@pytest.fixture
def complete_till(cast: Cast) -> Till:
    return Till(cast.complete_device)


@pytest.fixture
def charlies_till(cast: Cast) -> Till:
    return Till(cast.other_device)
