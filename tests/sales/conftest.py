"""Alice's shop and one of its tills."""

import pytest

from backend.testing import Cast
from tests.tills import Till


@pytest.fixture
def cast(standing_cast: Cast) -> Cast:
    return standing_cast


@pytest.fixture
def till(cast: Cast) -> Till:
    return Till(cast.device)
