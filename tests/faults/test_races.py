"""Two processes at the same terminal, the same units, the same number: each race is forced."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection, connections, transaction

from backend.inventory.models import ArticleUnit
from backend.localrun.processes import wait_until
from backend.localrun.stack import Stack
from backend.sales.dispatch import ring
from backend.sales.intake import Caller, receive_batch
from backend.sales.models import Batch, InvoiceSequence, Sale, SaleOutcome
from backend.sales.posting.runner import post_slice
from tests.faults.conftest import Poster, ShopOfFaults, Till, finish
from tests.faults.proxy import FaultProxy
from tests.invariants import check_invariants
from tests.plugin import Rig


def test_two_workers_on_one_terminal_keep_its_order(till: Till, poster: Poster) -> None:
    for _ in range(10):
        till.hand_over(*[till.sale() for _ in range(20)])
    processes = [poster(till.terminal.pk) for _ in range(2)]
    for process in processes:
        process.wait(timeout_s=60)
    finish(poster, till)
    assert till.statuses() == ["created"] * 200
    check_invariants()


def test_a_second_worker_finds_the_lane_busy_and_returns_at_once(till: Till, poster: Poster, tmp_path: Path) -> None:
    till.hand_over(till.sale(), till.sale())
    hold = tmp_path / "hold"
    hold.touch()
    first = poster(till.terminal.pk, FAULT="wait@locked", FAULT_FILE=str(hold), FAULT_TIMES="1")
    assert wait_until(Path(f"{hold}.reached").exists, timeout_s=20)
    report = post_slice(till.terminal.pk)
    assert report.was_busy
    assert report.posted == 0
    assert till.statuses() == []
    hold.unlink()
    first.wait(timeout_s=20)
    assert till.statuses() == ["created"] * 2
    check_invariants()


def test_the_same_message_delivered_three_times_posts_once(till: Till, stack: Stack) -> None:
    """Intake rings once, and three copies of that ring follow."""
    batch = till.hand_over(*[till.sale() for _ in range(5)])
    for _ in range(3):
        assert ring(till.terminal.pk, receipt=str(batch.receipt))
    worker = stack.add_worker(concurrency=2).start_ready()
    # At least: the worker also takes rings that earlier tests left in the broker.
    assert wait_until(lambda: worker.log.read_text().count(" succeeded in ") >= 4, timeout_s=30)
    assert wait_until(lambda: len(till.statuses()) == 5, timeout_s=30)
    assert till.statuses() == ["created"] * 5
    check_invariants()


@pytest.mark.parametrize("sales_before", [0, 2])
def test_a_ring_that_meets_a_holder_which_found_nothing_is_not_lost(
    sales_before: int, till: Till, poster: Poster, tmp_path: Path
) -> None:
    """The holder has read "nothing left" and still holds the lane; a batch comes, and its ring finds the lane busy."""
    first = till.hand_over(till.sale()) if sales_before == 0 else till.hand_over(till.sale(), till.sale())
    if sales_before == 0:
        poster(till.terminal.pk).wait(timeout_s=20)
        assert Batch.objects.get(pk=first.pk).settled_at
    hold = tmp_path / "hold"
    hold.touch()
    holders = []

    def has_read_nothing() -> bool:
        # On a slow machine the first slice may be over before the sales are.
        if not holders or not holders[-1].is_running():
            fault = {"FAULT": "wait@nothing", "FAULT_FILE": str(hold), "FAULT_TIMES": "1"}
            holders.append(poster(till.terminal.pk, "--once", **fault))
        return Path(f"{hold}.reached").exists()

    assert wait_until(has_read_nothing, timeout_s=40)
    late = till.hand_over(till.sale("FAC-LATE"))
    assert post_slice(till.terminal.pk).was_busy
    hold.unlink()
    holders[-1].wait(timeout_s=20)
    assert Batch.objects.get(pk=late.pk).settled_at
    check_invariants()


def test_a_deadlock_is_tried_again_and_costs_nothing(till: Till, poster: Poster, tmp_path: Path) -> None:
    till.hand_over(till.sale("FAC-1", articles=2))
    units = [article.base_unit_id for article in till.shop.articles]
    process = None
    try:
        with transaction.atomic():
            # Against the usual order: the second unit first, and a large transaction, so that the other is the victim.
            ArticleUnit.objects.filter(pk=units[1]).update(mark="X")
            with connection.cursor() as cursor:
                cursor.execute("CREATE TEMPORARY TABLE ballast (id INT PRIMARY KEY) ENGINE=InnoDB")
                cursor.executemany("INSERT INTO ballast VALUES (%s)", [(n,) for n in range(2000)])
            process = poster(till.terminal.pk)
            # InnoDB refreshes its list of transactions only when it was not read for a tenth of a second.
            assert wait_until(_waits_for_a_lock, timeout_s=20, pause_s=0.3)
            ArticleUnit.objects.filter(pk=units[0]).update(mark="X")
    except OperationalError:
        pytest.fail("the database chose the test's own transaction")
    process.wait(timeout_s=30)
    assert "1213" in process.log.read_text()
    assert till.statuses() == ["created"]
    check_invariants()


def _waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'")
        return cursor.fetchone()[0] > 0


@pytest.mark.parametrize("lost_answers", [1, 2, 3])
def test_a_lost_answer_to_commit_neither_loses_nor_doubles_a_sale(
    lost_answers: int, till: Till, poster: Poster, rig: Rig
) -> None:
    """The first COMMIT is the counted start's, the second and third are sales'."""
    till.hand_over(till.sale("FAC-1"), till.sale("FAC-2"), till.sale("FAC-3"))
    settings = connection.settings_dict
    with FaultProxy((settings["HOST"], int(settings["PORT"]))) as proxy:
        proxy.swallow_answer_to(b"\x03COMMIT", times=lost_answers)
        name = connection.settings_dict["NAME"]
        login = f"{settings['USER']}:{settings['PASSWORD']}@" if settings["PASSWORD"] else f"{settings['USER']}@"
        poster(till.terminal.pk, database_url=f"mysql://{login}127.0.0.1:{proxy.port}/{name}").wait(timeout_s=30)
        assert proxy.faults >= 1
    finish(poster, till)
    assert till.statuses() == ["created"] * 3
    check_invariants()


def test_the_first_sales_of_a_month_from_two_tills_leave_no_gap(shop: ShopOfFaults, poster: Poster) -> None:
    tills = [shop.till(), shop.till()]
    last_month = (datetime.now(UTC).replace(day=1) - timedelta(days=1)).date()
    for till in tills:
        dated = f"{last_month}T10:00:00+01:00"
        till.hand_over(*[till.sale(date_vente=dated) for _ in range(10)], *[till.sale() for _ in range(10)])
    for process in [poster(till.terminal.pk) for till in tills]:
        process.wait(timeout_s=60)
    finish(poster, *tills)
    assert InvoiceSequence.objects.count() == 2
    assert sorted(InvoiceSequence.objects.values_list("last_number", flat=True)) == [20, 20]
    check_invariants()


def test_a_single_sale_overtakes_another_tills_thousand(shop: ShopOfFaults, stack: Stack) -> None:
    busy, quick = shop.till(), shop.till()
    stack.add_worker(concurrency=1).start_ready()
    thousand = busy.hand_over(*[busy.sale(articles=1) for _ in range(1000)])
    assert ring(busy.terminal.pk)
    assert wait_until(lambda: Batch.objects.get(pk=thousand.pk).next_position > 1, timeout_s=20)
    single = quick.hand_over(quick.sale())
    assert ring(quick.terminal.pk)
    assert wait_until(lambda: Batch.objects.get(pk=thousand.pk).settled_at, timeout_s=60)
    thousand.refresh_from_db()
    single.refresh_from_db()
    assert single.settled_at < thousand.settled_at
    check_invariants()


def test_one_key_sent_by_many_at_once_is_one_batch(till: Till) -> None:
    body = json.dumps([till.sale("FAC-1")]).encode()

    def post(_: int) -> int:
        try:
            return receive_batch(caller=Caller(till.device), body=body, key="cle-1").batch.pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        batches = set(pool.map(post, range(24)))
    assert len(batches) == 1
    assert Batch.objects.count() == 1


def test_two_tills_cannot_both_sell_the_last_piece(shop: ShopOfFaults, poster: Poster) -> None:
    tills = [shop.till() for _ in range(3)]
    for till in tills:
        till.hand_over(*[till.sale(articles=1, quantity="1000") for _ in range(5)])
    for process in [poster(till.terminal.pk) for till in tills]:
        process.wait(timeout_s=60)
    finish(poster, *tills)
    assert Sale.objects.count() == 10
    assert SaleOutcome.objects.filter(code="stock_insuffisant").count() == 5
    assert ArticleUnit.objects.get(pk=shop.articles[0].base_unit_id).stock == 0
    check_invariants()
