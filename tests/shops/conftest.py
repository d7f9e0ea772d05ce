"""Alice's shop and Charlie's."""

import pytest

from backend.testing import Cast


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()
