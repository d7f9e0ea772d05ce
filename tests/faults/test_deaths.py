"""Processes that die, freeze or raise during a posting: the next process goes on after the last committed sale."""

import pytest

from backend.localrun.processes import wait_until
from backend.localrun.stack import Stack
from backend.sales.dispatch import ring
from backend.sales.models import Batch, Lane, Sale
from tests.faults.conftest import Poster, ShopOfFaults, Till, finish
from tests.invariants import check_invariants

POINTS = (
    "started", "claimed", "read", "looked_up", "locked", "document", "lines", "movements", "money", "stock", "outcome",
    "numbered", "moved", "committed",
)  # fmt: skip
KILLED = -9


@pytest.mark.parametrize("point", POINTS)
def test_a_poster_killed_anywhere_leaves_no_half_sale(point: str, till: Till, poster: Poster) -> None:
    till.hand_over(till.sale("FAC-1"), till.sale("FAC-2"), till.sale("FAC-3"))
    assert poster(till.terminal.pk, FAULT=f"kill@{point}").wait(timeout_s=20) == KILLED
    check_invariants(is_settled=False)
    finish(poster, till)
    assert till.statuses() == ["created"] * 3
    check_invariants()


def test_with_production_settings_no_environment_kills_a_poster(till: Till, poster: Poster) -> None:
    environment = {"FAULT": "kill@stock", "FAILPOINTS_ENABLED": "1"}
    till.hand_over(till.sale("FAC-1"))
    process = poster(till.terminal.pk, DJANGO_SETTINGS_MODULE="backend.config.settings", **environment)
    assert process.wait(timeout_s=20) == 0
    assert till.statuses() == ["created"]
    # The same environment with the tests' settings: this posting does reach the point.
    till.hand_over(till.sale("FAC-2"))
    assert poster(till.terminal.pk, **environment).wait(timeout_s=20) == KILLED


@pytest.mark.parametrize("point", ["locked", "numbered"])
def test_a_poster_frozen_with_locks_held_stops_the_shop_for_seconds_only(
    point: str, shop: ShopOfFaults, poster: Poster
) -> None:
    frozen_till, other_till = shop.till(), shop.till()
    frozen_till.hand_over(frozen_till.sale(), frozen_till.sale())
    other_till.hand_over(other_till.sale())
    frozen = poster(frozen_till.terminal.pk, FAULT=f"freeze@{point}")
    assert wait_until(lambda: _is_stopped(frozen.pid), timeout_s=20)
    # The same units, and the same register: the frozen process holds both until the server ends its session.
    finish(poster, other_till, timeout_s=20)
    finish(poster, frozen_till, timeout_s=20)
    # Another process has posted its sale: what it still does must change nothing.
    frozen.thaw()
    frozen.wait(timeout_s=20)
    assert frozen_till.statuses() == ["created"] * 2
    check_invariants()


def _is_stopped(pid: int) -> bool:
    with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 - a pseudo-file
        return stat.read().rpartition(")")[2].split()[0] == "T"


def test_a_sale_that_kills_its_process_is_settled_as_failed_and_blocks_no_other(till: Till, poster: Poster) -> None:
    till.hand_over(till.sale("FAC-1"), till.sale("FAC-POISON"), till.sale("FAC-3"))
    batch = Batch.objects.get()
    deaths = 0

    def is_settled() -> bool:
        nonlocal deaths
        deaths += poster(till.terminal.pk, FAULT="kill@lines", FAULT_NUMBER="FAC-POISON").wait(timeout_s=20) == KILLED
        batch.refresh_from_db()
        return batch.settled_at is not None

    assert wait_until(is_settled, timeout_s=60, pause_s=0.3)
    # Once in an ordinary slice (unless a slow first slice is over by then), five counted starts, one try alone.
    assert deaths in (6, 7)
    assert till.statuses() == ["created", "failed", "created"]
    assert till.codes() == ["", "echec_processus", ""]
    check_invariants()


def test_a_worker_and_a_sweep_get_past_a_sale_that_kills_them(till: Till, stack: Stack) -> None:
    till.hand_over(till.sale("FAC-1"), till.sale("FAC-POISON"), till.sale("FAC-3"))
    poison = {"FAULT": "kill@lines", "FAULT_NUMBER": "FAC-POISON"}
    stack.add_worker(concurrency=1, environment=poison).start_ready()
    sweep = stack.add_sweep(environment=poison)
    sweep.start()
    sweep_deaths = 0

    def is_settled() -> bool:
        nonlocal sweep_deaths
        if not sweep.is_running():
            sweep_deaths += 1
            sweep.start()
        return not Batch.objects.filter(settled_at=None).exists()

    assert wait_until(is_settled, timeout_s=120, pause_s=0.2)
    assert till.statuses() == ["created", "failed", "created"]
    assert sweep_deaths >= 1
    assert "WorkerLostError" in stack["worker"].log.read_text() or "SIGKILL" in stack["worker"].log.read_text()
    check_invariants()


def test_a_sale_whose_posting_raises_is_parked_after_a_few_tries(till: Till, poster: Poster) -> None:
    till.hand_over(till.sale("FAC-1"), till.sale("FAC-BROKEN"), till.sale("FAC-3"))
    process = poster(till.terminal.pk, FAULT="raise@stock", FAULT_NUMBER="FAC-BROKEN")
    assert process.wait(timeout_s=20) == 0
    assert till.statuses() == ["created", "failed", "created"]
    assert process.log.read_text().count("posting_broke") == 3
    check_invariants()


def test_a_bug_that_passes_fails_no_sale(till: Till, poster: Poster) -> None:
    till.hand_over(till.sale("FAC-1"))
    process = poster(till.terminal.pk, FAULT="raise@stock", FAULT_TIMES="2")
    assert process.wait(timeout_s=20) == 0
    assert process.log.read_text().count("posting_broke") == 2
    assert till.statuses() == ["created"]
    check_invariants()


def test_five_transient_faults_in_a_row_fail_no_sale(till: Till, poster: Poster) -> None:
    till.hand_over(till.sale("FAC-1"))
    # Six attempts a slice: seven slices end with the fault, more than the starts after which a sale is failed.
    process = poster(till.terminal.pk, FAULT="wear@looked_up", FAULT_TIMES="42")
    assert process.wait(timeout_s=60) == 0
    assert process.log.read_text().count("interrupted") == 7
    assert till.statuses() == ["created"]
    assert Lane.objects.get(pk=till.terminal.pk).starts == 0
    check_invariants()


def test_messages_that_come_all_at_once_fail_no_healthy_sale(till: Till, poster: Poster) -> None:
    """Each counts a start before the first sale commits; none of them is a death."""
    till.hand_over(till.sale("FAC-1"))
    processes = [poster(till.terminal.pk, FAULT="wear@looked_up", FAULT_TIMES="3") for _ in range(8)]
    for process in processes:
        process.wait(timeout_s=30)
    finish(poster, till)
    assert till.statuses() == ["created"]
    check_invariants()


def test_the_sweep_posts_what_a_killed_worker_child_left(till: Till, stack: Stack, tmp_path) -> None:
    batch = till.hand_over(*[till.sale() for _ in range(30)])
    marker = tmp_path / "hold"
    marker.touch()
    hold = {"FAULT": "wait@stock", "FAULT_FILE": str(marker), "FAULT_NUMBER": f"FAC-{till.terminal.pk}-10"}
    worker = stack.add_worker(concurrency=1, environment=hold).start_ready()
    assert ring(till.terminal.pk)
    assert wait_until((tmp_path / "hold.reached").exists, timeout_s=20)
    worker.kill9()
    marker.unlink()
    stack.add_sweep().start_ready()
    assert wait_until(lambda: Batch.objects.get(pk=batch.pk).settled_at, timeout_s=40)
    assert Sale.objects.count() == 30
    check_invariants()
