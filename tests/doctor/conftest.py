"""Alice's shop for the doctor to look at: in a transaction, or really committed where the schema is what is wrong."""

import pytest

from backend.testing import Cast
from tests.doctor.planting import busy_day
from tests.tills import Till


@pytest.fixture
def cast(standing_cast: Cast) -> Cast:
    return standing_cast


@pytest.fixture
def till(cast: Cast) -> Till:
    return Till(cast.device)


@pytest.fixture
def busy(cast: Cast) -> Till:
    """Alice's first till after a day on which everything happened, one sale still to be posted."""
    return busy_day(cast)
