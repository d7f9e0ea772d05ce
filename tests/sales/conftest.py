"""Alice's shop with its tills, and one way to see what a posting did."""

import pytest

from backend.testing import Cast
from tests.tills import Till


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


@pytest.fixture
def till(cast: Cast) -> Till:
    return Till(cast.device)
