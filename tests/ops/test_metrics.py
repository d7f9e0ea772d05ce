"""The metrics: the same from every process, and without values that cannot be read."""

import http.client
import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError, connection
from django.db.models import Count
from django.http import HttpResponse
from django.test import Client, override_settings
from prometheus_client.parser import text_string_to_metric_families

from backend.db.transients import REASONS, TookTooLong, reason_of, retrying
from backend.inventory.models import MovementType
from backend.inventory.stock import move_stock
from backend.localrun.processes import Service, wait_until
from backend.localrun.servers import PrivateMariaDB, PrivateRedis
from backend.localrun.stack import Stack
from backend.observability import counters
from backend.observability.counters import CATALOGUE
from backend.ops.counter_flush import flush
from backend.ops.gauges import GAUGES
from backend.ops.models import DoctorRun, Tally
from backend.ops.sweeps import TurnNotes
from backend.sales.errors import SALE_CODES, InternalFailure
from backend.sales.models import Batch, OutcomeHistory, OutcomeStatus, SaleOutcome
from backend.sales.posting import post_sale
from backend.sales.posting.context import PostingContext
from backend.sales.posting.post_sale import settle_as_failed
from backend.sales.repair.retry import retry_outcome
from backend.sales.tills.pauses import pause
from backend.shops.models import Device
from backend.testing import Cast, make_article
from tests.faults.conftest import ShopOfFaults, Till
from tests.tills import Till as PostingTill
from tests.tills import line
from tests.tills import sale as shop_sale

# A scrape is bounded by what it waits for: three seconds of a frozen database at worst, on a busy machine.
SCRAPE_S_MAX = 10
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def shop(real_database: None) -> ShopOfFaults:
    return ShopOfFaults()


@pytest.fixture
def till(shop: ShopOfFaults) -> Till:
    return shop.till()


@pytest.fixture
def cast(real_database: None) -> Cast:
    return Cast()


def fetch(api: Service, path: str, **headers: str) -> tuple[int, str]:
    address = urlsplit(api.url)
    client = http.client.HTTPConnection(address.hostname, address.port, timeout=SCRAPE_S_MAX)
    try:
        client.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = client.getresponse()
        return answer.status, answer.read().decode()
    finally:
        client.close()


def read(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(api: Service) -> Samples:
    status, text = fetch(api, "/metrics")
    assert status == 200, text
    return read(text)


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, tuple(sorted(labels.items()))))


def written() -> dict[str, int]:
    """Return how many outcomes were ever written, by status: present and replaced ones."""
    counts: dict[str, int] = {}
    for rows in (SaleOutcome.objects, OutcomeHistory.objects):
        for status, number in rows.values_list("status").annotate(Count("at")):
            counts[status] = counts.get(status, 0) + number
    return counts


def counted(samples: Samples, name: str) -> dict[str, float]:
    """Return a counter's values by its label, without zeros."""
    return {labels[0][1]: number for (found, labels), number in samples.items() if found == name and number}


def post(api: Service, till: Till, *sales: dict, **headers: str) -> int:
    address = urlsplit(api.url)
    client = http.client.HTTPConnection(address.hostname, address.port, timeout=SCRAPE_S_MAX)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"Content-Type": "application/json", "X-Device-Serial": till.device.serial, **given}
    try:
        client.request("POST", "/api/v2/simple/ventes/sync", json.dumps(list(sales)), sent)
        return client.getresponse().status
    finally:
        client.close()


def all_settled() -> bool:
    return not Batch.objects.filter(settled_at=None).exists()


def a_day_of(till: Till) -> list[list[dict]]:
    """Return batches with every kind of outcome: recorded, sold out, duplicate, conflict, a void before its sale."""
    sale, other = till.sale("FAC-1"), till.sale("FAC-2")
    void = {"numero_facture": "AVO-1", "type": "annulation", "origine": {"numero_facture": "FAC-9"}}
    return [
        [sale, other, void, till.sale("FAC-3", quantity="999999")],
        [sale, other | {"devise": "USD"}, till.sale("FAC-9")],
        [till.sale() for _ in range(20)],
    ]


def test_any_process_tells_what_all_of_them_did_and_nothing_ever_falls(shop: ShopOfFaults, stack: Stack) -> None:
    api = stack.add_api(processes=2).start_ready()
    stack.add_worker(concurrency=2).start_ready()
    stack.add_sweep().start_ready()
    tills = [shop.till() for _ in range(3)]
    before: Samples = {}

    def look() -> Samples:
        """Scrape, asking two processes in turn."""
        nonlocal before
        now = scrape(api)
        fallen = {
            key: (then, now.get(key))
            for key, then in before.items()
            if key[0].endswith(("_total", "_bucket", "_sum", "_count")) and now.get(key, -1) < then
        }
        assert fallen == {}
        before = now
        return now

    for batch in zip(*(a_day_of(till) for till in tills), strict=True):
        for till, sales in zip(tills, batch, strict=True):
            assert post(api, till, *sales, Idempotency_Key=f"{till.device.pk}-{sales[-1]['numero_facture']}") == 202
            look()
    assert post(api, tills[0], *a_day_of(tills[1])[2], Idempotency_Key="again") == 202
    assert post(api, tills[0]) == 400
    assert wait_until(all_settled, timeout_s=60)

    # The second in which each counting process writes its counts.
    assert wait_until(lambda: counted(look(), "caisse_sales_total") == written(), timeout_s=20)
    for _ in range(8):
        assert counted(look(), "caisse_sales_total") == written()
    assert {"created", "duplicate", "conflict", "rejected", "deferred", "voided"} == set(written())
    samples = look()
    codes = counted(samples, "caisse_refusals_total")
    assert codes["stock_insuffisant"] == codes["origine_inconnue"] == codes["deja_existante"] == 3
    assert counted(samples, "caisse_intake_total") == {"accepted": 10, "lot_vide": 1}
    # A void that waited was written twice, in no posting of its own the second time.
    assert value(samples, "caisse_posting_seconds_count") == SaleOutcome.objects.count()
    assert value(samples, "caisse_database_up") == value(samples, "caisse_broker_up") == 1
    assert value(samples, "caisse_workers_alive") == 1
    assert value(samples, "caisse_sweep_last_turn_age_seconds") is not None

    # A process that ends in good order within the second loses nothing.
    assert post(api, tills[0], tills[0].sale()) == 202
    api.stop()
    api.start_ready()
    assert counted(look(), "caisse_intake_total") == {"accepted": 11, "lot_vide": 1}


def test_all_that_is_declared_is_told_and_nothing_else(cast: Cast) -> None:
    """Once everything has happened, each metric has samples, in a format that Prometheus reads."""
    till = PostingTill(cast.device)
    till.hand_over(shop_sale("FAC-1", line(cast.rice)))
    pause()
    Device.objects.filter(pk=cast.device.pk).update(clock_skew_s=-900)
    DoctorRun.objects.create(at=datetime.now(UTC), duration_s=1, finding_count=0)
    TurnNotes().note()
    text = Client().get("/metrics").content.decode()
    families = list(text_string_to_metric_families(text))
    names = {name.removesuffix("_total") for name in (*CATALOGUE, *GAUGES)}
    assert {family.name for family in families} == names
    assert {family.name for family in families if not family.samples} == set()
    samples = read(text)
    assert value(samples, "caisse_sales_waiting", paused="yes") == 1
    till_label = f"{cast.terminal.name} ({cast.terminal.pk})"
    assert value(samples, "caisse_till_clock_skew_seconds", shop="BTQ-009", till=till_label) == -900
    # Shown from the start, so that the first count is seen as a rise.
    assert value(samples, "caisse_sales_total", status="failed") == 0


def test_every_code_stands_at_zero_before_it_is_counted(real_database: None) -> None:
    """For Prometheus, a series that begins at sixty has not risen."""
    samples = read(Client().get("/metrics").content.decode())
    expected = {
        "caisse_sales_total": ("status", OutcomeStatus.values),
        "caisse_refusals_total": ("code", SALE_CODES),
        "caisse_retries_total": ("reason", REASONS),
        "caisse_intake_total": ("answer", CATALOGUE["caisse_intake_total"].values),
    }
    for name, (label, values) in expected.items():
        assert {one: value(samples, name, **{label: one}) for one in values} == dict.fromkeys(values, 0)
    assert len(CATALOGUE["caisse_intake_total"].values) == 21


def test_what_is_found_and_refused_is_counted_with_its_reason(cast: Cast) -> None:
    """By a posting, a posting that gave up, a person's retry, and the documents that either of them woke."""
    till = PostingTill(cast.device)
    counters.take()
    void = {"numero_facture": "AVO-1", "type": "annulation", "origine": {"numero_facture": "FAC-1"}}
    other = {"numero_facture": "AVO-3", "type": "annulation", "origine": {"numero_facture": "FAC-3"}}
    till.settle(other, shop_sale("FAC-3", line(cast.rice)))
    scarce = make_article(cast.shop, stock=1)
    till.settle(void, shop_sale("FAC-1", line(scarce, quantity=2)))
    till.hand_over(shop_sale("FAC-2", line(cast.rice)))
    settle_as_failed(PostingContext(cast.terminal.pk), InternalFailure("essai"))
    assert flush()
    assert totals() == {"deferred": 2, "created": 1, "voided": 1, "rejected": 1, "failed": 1} == written()
    scarce.base_unit.refresh_from_db()
    move_stock(unit=scarce.base_unit, quantity=Decimal(9), movement_type=MovementType.ENTRY, author="test")
    for outcome in SaleOutcome.objects.filter(status__in=["rejected", "failed"]):
        for _ in range(2):
            retry_outcome(batch_id=outcome.batch_id, position=outcome.position, author="alice", reason="essai")
    assert flush()
    assert totals() == {"deferred": 2, "created": 3, "voided": 2, "rejected": 1, "failed": 1} == written()
    codes = Tally.objects.filter(name="caisse_refusals_total").values_list("labels", "value")
    assert dict(codes) == {
        '{"code":"origine_inconnue"}': 2, '{"code":"stock_insuffisant"}': 1, '{"code":"echec_interne"}': 1,
    }  # fmt: skip


def totals() -> dict[str, float]:
    rows = Tally.objects.filter(name="caisse_sales_total").values_list("labels", "value")
    return {json.loads(labels)["status"]: number for labels, number in rows}


def test_a_posting_that_takes_long_is_named_without_what_was_sold(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    till = PostingTill(cast.device)
    till.settle(shop_sale("FAC-1", line(cast.rice)))
    assert "posting_slow" not in caplog.text
    monkeypatch.setattr(post_sale, "SLOW_S", 0)
    receipt = till.settle(shop_sale("FAC-2", line(cast.rice)))["recu"]
    (told,) = [record.msg for record in caplog.records if "posting_slow" in str(record.msg)]
    assert (told["receipt"], told["position"]) == (receipt, 1)
    assert not {"number", "amount", "lines"} & set(told)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OperationalError(1213, "Deadlock found"), "deadlock"),
        (OperationalError(1205, "Lock wait timeout exceeded"), "lock_wait"),
        (OperationalError(1020, "Record has changed"), "snapshot_changed"),
        (OperationalError(2006, "Server has gone away"), "disconnected"),
        (OperationalError(1021, "Disk full"), "distress"),
        (OperationalError("database is locked"), "sqlite_busy"),
        (TookTooLong("the transaction lasted"), "too_long"),
    ],
)
def test_each_fault_that_passes_has_its_word(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason


def test_each_retry_is_counted(db: None) -> None:
    failures = [OperationalError(1213, "Deadlock found"), OperationalError(1205, "Lock wait timeout exceeded")]

    def operation() -> None:
        if failures:
            raise failures.pop()

    counters.take()
    retrying(operation, name="test")
    counted = {series.labels: number for series, number in counters.take().items()}
    assert counted == {'{"reason":"deadlock"}': 1, '{"reason":"lock_wait"}': 1}


def plain(answer: HttpResponse) -> bytes:
    """Return a page without the parts that change with each answer: its own address, and the form's token."""
    return re.sub(rb'/metri[a-z]+|name="csrfmiddlewaretoken" value="[^"]+"', b"", answer.content)


def test_strangers_find_nothing_here(real_database: None) -> None:
    client = Client()
    nothing = client.get("/metriques")
    strangers = (
        {"REMOTE_ADDR": "192.0.2.7"},
        {"REMOTE_ADDR": ""},
        {"headers": {"X-Forwarded-For": "127.0.0.1"}},
        {"headers": {"Forwarded": "for=127.0.0.1"}},
    )
    for stranger in strangers:
        answer = client.get("/metrics", **stranger)
        assert (answer.status_code, plain(answer)) == (404, plain(nothing)), stranger
    assert client.get("/metrics").status_code == client.get("/metrics", REMOTE_ADDR="::1").status_code == 200


@override_settings(METRICS_TOKEN="un-jeton-é")
def test_a_token_opens_and_nothing_else_does(real_database: None) -> None:
    client = Client()
    right = {"Authorization": "Bearer un-jeton-é"}
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.7", headers=right).status_code == 200
    for wrong in (
        {},
        {"Authorization": "Bearer un-jeton"},
        {"Authorization": "Basic un-jeton-é"},
        {"Authorization": "Bearer"},
    ):
        assert client.get("/metrics", headers=wrong).status_code == 404, wrong


def test_what_cannot_be_read_is_left_out(
    till: Till, stack: Stack, redis_server: PrivateRedis, mariadb_server: PrivateMariaDB
) -> None:
    api = stack.add_api().start_ready()
    assert post(api, till, till.sale()) == 202
    assert wait_until(lambda: counted(scrape(api), "caisse_rings_total") == {"api": 1}, timeout_s=20)
    redis_server.kill9()
    # A ring that is skipped, because the last one failed a moment ago, counts as failed too.
    for _ in range(2):
        assert post(api, till, till.sale()) == 202
    assert wait_until(lambda: counted(scrape(api), "caisse_ring_failures_total") == {"api": 2}, timeout_s=20)
    assert wait_until(lambda: value(scrape(api), "caisse_broker_up") == 0, timeout_s=20)
    without_broker = scrape(api)
    assert value(without_broker, "caisse_workers_alive") is None
    assert value(without_broker, "caisse_database_up") == 1
    assert value(without_broker, "caisse_sales_waiting", paused="no") == 3

    mariadb_server.freeze()
    # Cached values are left out too, and the answer takes less time than the sockets' timeouts.
    assert scrape(api) == {("caisse_database_up", ()): 0, ("caisse_broker_up", ()): 0}
    mariadb_server.thaw()
    mariadb_server.kill9()
    assert scrape(api) == {("caisse_database_up", ()): 0, ("caisse_broker_up", ()): 0}
    mariadb_server.start()
    connection.close()
    assert wait_until(lambda: value(scrape(api), "caisse_database_up") == 1, timeout_s=30)
    assert counted(scrape(api), "caisse_intake_total") == {"accepted": 3}
