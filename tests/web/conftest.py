"""Fixtures of the pages' tests: the cast, and signed-in people."""

import pytest
from django.test import Client
from pytest_django import Settings

from backend.testing import Cast


@pytest.fixture
def cast(db: None, settings: Settings) -> Cast:
    # Hashing four passwords with the real, slow hasher would take most of a test's time.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return Cast()


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
