"""Settings that break a promise: changed for a moment on the test's own server or session, and found."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from django.db import connection, connections
from pytest_django import Settings

from backend.config.checks import check_server
from backend.db.dialect import is_sqlite
from backend.db.server_settings import PACKET_BYTES_MIN
from backend.doctor.checks.servers import may_drop
from tests.doctor.examination import found_by, look
from tests.plugin import Rig

SERVER_CHECKS = (
    "durability_settings",
    "session_settings",
    "session_patience",
    "machine_clock",
    "secret_key",
    "broker",
)


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def read(expression: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression}")
        return cursor.fetchone()[0]


@contextmanager
def server_says(name: str, value: int, *, scope: str = "GLOBAL") -> Iterator[None]:
    """Set a variable of the run's own server, and set it back."""
    before = read(f"@@{scope}.{name}")
    run(f"SET {scope} {name} = {value}")
    try:
        yield
    finally:
        run(f"SET {scope} {name} = {before}")


@pytest.fixture
def our_server(db: None, rig: Rig) -> None:
    if not rig.mariadb:
        pytest.skip("the settings of this server are not ours to change")


@pytest.mark.embedded
@pytest.mark.usefixtures("db")
def test_the_settings_of_the_tests_keep_the_promises() -> None:
    findings = {name: [f for f in look(name).seen.findings if not f.is_note] for name in SERVER_CHECKS}
    assert findings == {name: [] for name in SERVER_CHECKS}


@pytest.mark.parametrize("name", ["innodb_flush_log_at_trx_commit", "sync_binlog"])
def test_a_server_that_answers_before_it_has_written_is_found(name: str, our_server: None) -> None:
    if name == "sync_binlog" and not read("@@log_bin"):
        pytest.skip("without a binary log it means nothing")
    with server_says(name, 0):
        assert f"{name} vaut 0, il faut 1" in found_by("durability_settings")[0]
        # The system checks of every start report it too, by the same rule.
        assert [message.id for message in check_server(databases=["default"])] == ["caisse.W003"]
    assert found_by("durability_settings") == []


def test_a_server_without_a_binary_log_need_not_write_it(our_server: None) -> None:
    if read("@@log_bin"):
        pytest.skip("this server has one")
    with server_says("sync_binlog", 0):
        assert found_by("durability_settings") == []


def test_a_packet_too_small_for_a_large_batch_is_found(real_database: None, rig: Rig) -> None:
    if not rig.mariadb:
        pytest.skip("the settings of this server are not ours to change")
    with server_says("max_allowed_packet", PACKET_BYTES_MIN // 2):
        connection.close()  # a session keeps the size that it connected with
        assert "max_allowed_packet" in found_by("session_settings")[0]
    connection.close()
    assert found_by("session_settings") == []


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("sql_mode", "SET SESSION sql_mode = ''"),
        ("time_zone", "SET SESSION time_zone = '+01:00'"),
        ("character_set_connection", "SET SESSION character_set_connection = latin1"),
        ("transaction_isolation", "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
    ],
)
def test_a_session_under_other_rules_is_found(name: str, broken: str, real_database: None) -> None:
    assert found_by("session_settings") == []
    run(broken)
    assert f"Le réglage {name} vaut" in found_by("session_settings")[0]
    connection.close()


@pytest.mark.parametrize(
    ("name", "init_command"),
    [
        ("wait_timeout", "SET SESSION wait_timeout=28800, innodb_lock_wait_timeout=5"),
        ("innodb_lock_wait_timeout", "SET SESSION wait_timeout=5, innodb_lock_wait_timeout=50"),
    ],
)
@pytest.mark.usefixtures("db")
def test_a_session_that_may_keep_its_locks_for_long_is_found(name: str, init_command: str) -> None:
    with patch.dict(connection.settings_dict["OPTIONS"], init_command=init_command):
        (found,) = found_by("session_patience")
    assert f"Le réglage {name} vaut" in found
    assert found_by("session_patience") == []


@pytest.mark.parametrize("read_timeout", [None, 3])
@pytest.mark.usefixtures("db")
def test_a_read_timeout_that_is_missing_or_shorter_than_a_lock_is_found(read_timeout: int | None) -> None:
    options = {**connection.settings_dict["OPTIONS"], "read_timeout": read_timeout or 3}
    with patch.dict(connection.settings_dict["OPTIONS"], options):
        if read_timeout is None:
            del connection.settings_dict["OPTIONS"]["read_timeout"]
        assert "read_timeout" in found_by("session_patience")[0]


@pytest.mark.usefixtures("db")
def test_a_clock_that_differs_from_the_databases_is_found() -> None:
    run("SET SESSION timestamp = UNIX_TIMESTAMP(NOW(6)) - 30")
    try:
        assert "avance de 30 s" in found_by("machine_clock")[0]
    finally:
        run("SET SESSION timestamp = DEFAULT")
    assert found_by("machine_clock") == []


@pytest.mark.embedded
@pytest.mark.usefixtures("db")
def test_a_short_secret_key_is_found(settings: Settings) -> None:
    settings.SECRET_KEY = "court"
    assert "5 caractères" in found_by("secret_key")[0]


@pytest.mark.embedded
@pytest.mark.usefixtures("db")
def test_no_broker_is_a_note_and_one_that_is_away_a_finding(settings: Settings) -> None:
    settings.BROKER_URL = ""
    seen = look("broker").seen
    assert (seen.finding_count, seen.note_count) == (0, 1)
    settings.BROKER_URL = "redis://127.0.0.1:1/0"
    seen = look("broker").seen
    assert (seen.finding_count, seen.note_count) == (1, 0)


@pytest.mark.parametrize(
    ("grant", "expected"),
    [
        ("GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION", True),
        ("GRANT SELECT, INSERT, UPDATE, DELETE ON `caisse`.* TO `app`@`%`", False),
        ("GRANT SELECT, DROP, ALTER ON `caisse`.* TO `app`@`%`", True),
        (r"GRANT ALL PRIVILEGES ON `ca\_isse`.* TO `app`@`%`", False),
        ("GRANT ALL PRIVILEGES ON `autre`.* TO `app`@`%`", False),
        ("GRANT USAGE ON *.* TO `app`@`%` IDENTIFIED BY PASSWORD 'x'", False),
    ],
)
def test_the_right_to_empty_tables_is_read_from_a_grant(grant: str, expected: bool) -> None:
    assert may_drop(grant, database="caisse") is expected


@pytest.mark.usefixtures("db")
def test_the_right_to_empty_tables_is_no_more_than_a_note() -> None:
    seen = look("account_privileges").seen
    assert (seen.finding_count, seen.note_count) == (0, 1)


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("check", "pragma", "value"),
    [("durability_settings", "synchronous", "NORMAL"), ("session_settings", "foreign_keys", "OFF")],
)
def test_a_weaker_sqlite_is_found(check: str, pragma: str, value: str, real_database: None) -> None:
    if not is_sqlite(connection):
        pytest.skip("a pragma is SQLite's")
    run(f"PRAGMA {pragma} = {value}")
    assert pragma in found_by(check)[0]
    connections["default"].close()
    assert found_by(check) == []


@pytest.mark.embedded
def test_a_sqlite_whose_transactions_begin_as_readers_is_found(real_database: None) -> None:
    if not is_sqlite(connection):
        pytest.skip("SQLite's own option")
    with patch.dict(connection.settings_dict["OPTIONS"], transaction_mode="DEFERRED"):
        assert "transaction_mode vaut DEFERRED" in found_by("session_settings")[0]
