"""The rig: a test's commits are gone in the next test, and a server that it broke works again."""

import os
import sys
import time

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection

from backend.db import dialect
from backend.inventory.models import StockMovement
from backend.localrun.servers import PrivateMariaDB, PrivateRedis
from backend.testing import make_article, make_shop
from tests.tables import empty_tables

pytestmark = pytest.mark.embedded


@pytest.mark.parametrize("turn", ["first", "second"])
def test_a_commit_does_not_outlive_its_test(real_database: None, turn: str) -> None:
    assert not Group.objects.exists()
    Group.objects.create(name="left behind")


def test_ids_begin_anew_in_a_table_that_was_emptied(real_database: None) -> None:
    Group.objects.create(name="before")
    empty_tables(connection)
    assert Group.objects.create(name="after").pk == 1


def test_append_only_tables_are_emptied_and_guarded_again(real_database: None) -> None:
    make_article(make_shop(), stock=5)  # which writes a movement
    with pytest.raises(DatabaseError, match="append-only"):
        StockMovement.objects.all().delete()
    empty_tables(connection)
    assert not StockMovement.objects.exists()
    assert dialect.missing_triggers(connection) == []


@pytest.mark.parametrize("turn", ["first", "second"])
def test_a_killed_database_is_back_for_the_next_test(
    mariadb_server: PrivateMariaDB, real_database: None, turn: str
) -> None:
    Group.objects.create(name="there before the server died")
    mariadb_server.kill9()
    mariadb_server.start()
    connection.close()
    assert Group.objects.count() == 1


@pytest.mark.parametrize("turn", ["first", "second"])
def test_a_frozen_redis_answers_again_for_the_next_test(redis_server: PrivateRedis, turn: str) -> None:
    assert redis_server.answers()
    redis_server.freeze()
    started = time.monotonic()
    assert not redis_server.answers()
    assert time.monotonic() - started < 10


def test_what_is_compiled_once_is_kept_for_the_next_process() -> None:
    assert not sys.dont_write_bytecode
    assert "PYTHONDONTWRITEBYTECODE" not in os.environ
