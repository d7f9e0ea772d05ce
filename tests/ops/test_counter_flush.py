"""Counts are written from many processes to shared rows: none twice, and none lost when a process ends properly."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from backend.api.problems import PROBLEMS
from backend.api.views import sync  # noqa: F401  # registers the answers that it counts
from backend.db.transients import CONTENTION
from backend.observability import counters
from backend.observability.counters import CATALOGUE, OTHER, SERIES_MAX, Series
from backend.ops.counter_flush import flush
from backend.ops.models import Tally
from backend.sales.errors import SaleRefused
from backend.sales.models import OutcomeStatus
from tests.ops import counter
from tests.plugin import Rig

embedded = pytest.mark.embedded
PROCESSES = 3


@pytest.fixture(autouse=True)
def forget_counts() -> Iterator[None]:
    """Discard what other tests made this process count."""
    counters.take()
    yield
    counters.take()


def start(mode: str, rig: Rig, **environment: str) -> subprocess.Popen:
    settings = {"DATABASE_URL": rig.database_url, "DJANGO_SETTINGS_MODULE": "backend.config.settings"}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.ops.counter", mode],
        env={**os.environ, **settings, "ROLE": "worker", **environment},
        cwd=Path(__file__).parents[2],
    )


def rows() -> dict[str, float]:
    return {f"{name}{labels}": value for name, labels, value in Tally.objects.values_list("name", "labels", "value")}


@embedded
def test_a_name_or_a_label_that_is_not_declared_is_a_typo() -> None:
    counters.count("caisse_sales_total", status="created")
    with pytest.raises(KeyError):
        counters.count("caisse_sale_total", status="created")
    with pytest.raises(KeyError):
        counters.count("caisse_sales_total", state="created")
    with pytest.raises(KeyError):
        counters.observe("caisse_posting_second", 1)


@embedded
def test_what_is_no_code_makes_no_series_of_its_own() -> None:
    for value in ("Riz 25 kg", "x" * 41, "", "serie-000001"):
        counters.count("caisse_intake_total", answer=value)
    assert counters.take() == {Series("caisse_intake_total", f'{{"answer":"{OTHER}"}}'): 4}
    for number in range(2 * SERIES_MAX):
        counters.count("caisse_intake_total", answer=f"code_{number}")
    counted = counters.take()
    assert len(counted) <= SERIES_MAX + 1
    assert sum(counted.values()) == 2 * SERIES_MAX


@embedded
def test_the_codes_told_from_the_start_are_those_there_are() -> None:
    """If a series does not exist before its first count, `increase` does not see that count."""
    codes = {kind.code for kind in _kinds_of(SaleRefused)}
    assert set(CATALOGUE["caisse_refusals_total"].values) == codes
    assert set(CATALOGUE["caisse_sales_total"].values) == set(OutcomeStatus.values)
    intake = set(CATALOGUE["caisse_intake_total"].values)
    assert (
        {"accepted", "repeated", "lot_vide", "enregistrement_en_cours"} < intake <= {"accepted", "repeated", *PROBLEMS}
    )
    reasons = {*CONTENTION.values(), "disconnected", "distress", "sqlite_busy", "too_long"}
    assert set(CATALOGUE["caisse_retries_total"].values) == reasons
    assert all(len(counter.values) < SERIES_MAX for counter in CATALOGUE.values())


def _kinds_of(kind: type[SaleRefused]) -> Iterator[type[SaleRefused]]:
    for one in kind.__subclasses__():
        yield one
        yield from _kinds_of(one)


@embedded
def test_a_duration_falls_into_one_bucket() -> None:
    for seconds in (0.001, 0.0011, 7):
        counters.observe("caisse_posting_seconds", seconds)
    counted = counters.take()
    assert counted.pop(Series("caisse_posting_seconds_sum")) == pytest.approx(7.0021)
    assert {series.labels: value for series, value in counted.items()} == {
        '{"le":"0.001"}': 1, '{"le":"0.002"}': 1, '{"le":"+Inf"}': 1,
    }  # fmt: skip


@embedded
def test_what_cannot_be_written_stays_and_goes_in_later(real_database: None) -> None:
    counters.count("caisse_sweep_rings_total", 2)
    with connection.execute_wrapper(_refuse):
        assert not flush()
    counters.count("caisse_sweep_rings_total")
    assert flush()
    assert flush()
    assert rows() == {"caisse_sweep_rings_total{}": 3}


def _refuse(execute: object, sql: str, params: object, many: object, context: object) -> object:
    from django.db import OperationalError

    raise OperationalError(2006, "Server has gone away")


@embedded
def test_processes_that_begin_on_an_empty_table_lose_and_double_nothing(real_database: None, rig: Rig) -> None:
    started = [start("settle", rig) for _ in range(PROCESSES)]
    assert [process.wait(timeout=60) for process in started] == [0] * PROCESSES
    total = PROCESSES * counter.ROUNDS
    found = rows()
    statuses = CATALOGUE["caisse_sales_total"].values
    assert {status: found[f'caisse_sales_total{{"status":"{status}"}}'] for status in statuses} == dict.fromkeys(
        statuses, total
    )
    assert sum(value for name, value in found.items() if name.startswith("caisse_posting_seconds_bucket")) == total


def test_who_meets_another_at_a_first_row_adds_to_it(real_database: None) -> None:
    """Another process makes the row between UPDATE and INSERT. On SQLite that cannot happen."""

    def write() -> None:
        Tally.objects.create(name="caisse_sweep_rings_total", labels="{}", value=5)
        connection.close()

    def come_between(execute: Callable, sql: str, *rest: object) -> object:
        if sql.startswith("INSERT INTO ops_tally"):
            other = threading.Thread(target=write)
            other.start()
            other.join()
        return execute(sql, *rest)

    counters.count("caisse_sweep_rings_total", 2)
    with connection.execute_wrapper(come_between):
        assert flush()
    assert rows() == {"caisse_sweep_rings_total{}": 7}


@embedded
def test_a_fork_takes_no_count_of_its_parent_with_it(real_database: None, rig: Rig) -> None:
    assert start("fork", rig).wait(timeout=60) == 0
    assert rows() == {
        "caisse_sweep_rings_total{}": 1,
        "caisse_sweep_posted_sales_total{}": counter.CHILDREN_COUNT + 1,
    }


@embedded
def test_a_child_of_the_pool_writes_down_its_last_second(real_database: None, rig: Rig) -> None:
    assert start("child", rig).wait(timeout=60) == 0
    assert rows() == {"caisse_sweep_rings_total{}": 1}


@embedded
def test_a_command_writes_nothing_down(real_database: None, rig: Rig) -> None:
    assert start("fork", rig, ROLE="command").wait(timeout=60) == 0
    assert rows() == {}
