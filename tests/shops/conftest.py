"""Alice's and Charlie's shops."""

import pytest

from backend.testing import Cast


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()
