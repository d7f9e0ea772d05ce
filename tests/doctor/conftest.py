"""Alice's shop for the doctor to examine: in a transaction, or committed where a test changes the schema."""

import pytest

from backend.testing import Cast
from tests.tills import Till


@pytest.fixture
def cast(standing_cast: Cast) -> Cast:
    return standing_cast


@pytest.fixture
def till(cast: Cast) -> Till:
    return Till(cast.device)


@pytest.fixture
def busy(standing_day: Cast) -> Till:
    """Alice's first till after a day with a bit of everything, with one sale still to be posted."""
    return Till(standing_day.device)
