"""Fixtures of the pages' tests: the cast, and signed-in people."""

import pytest
from django.test import Client

from backend.testing import Cast


@pytest.fixture
def cast(standing_cast: Cast) -> Cast:
    return standing_cast


@pytest.fixture
def alice(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.alice)
    return client


@pytest.fixture
def bob(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.bob)
    return client


@pytest.fixture
def victor(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.victor)
    return client


@pytest.fixture
def charlie(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.charlie)
    return client
