"""Alice's shop and one of its tills."""

import pytest

from backend.testing import Cast
from tests.tills import Till


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


@pytest.fixture
def till(cast: Cast) -> Till:
    return Till(cast.device)
