"""Alice's and Charlie's shops."""

import pytest

from backend.testing import Cast


@pytest.fixture
def cast(standing_cast: Cast) -> Cast:
    return standing_cast
