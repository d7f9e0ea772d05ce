"""The database dies, freezes or goes silent: acknowledged batches are stored, and others are not acknowledged."""

import contextlib
import http.client
import json
import socket

import pytest
from django.db import connection

from backend.localrun.processes import Service, wait_until
from backend.localrun.servers import PrivateMariaDB
from backend.localrun.stack import Stack
from backend.sales.models import Batch
from tests.faults.conftest import Till
from tests.faults.proxy import FaultProxy
from tests.invariants import check_invariants


def post(api: Service, till: Till, *sales: dict, key: str = "") -> tuple[int, dict]:
    client = http.client.HTTPConnection("127.0.0.1", int(api.url.rpartition(":")[2]), timeout=60)
    headers = {"Content-Type": "application/json", "X-Device-Serial": till.device.serial}
    if key:
        headers["Idempotency-Key"] = key
    with contextlib.closing(client):
        client.request("POST", "/api/v2/simple/ventes/sync", json.dumps(list(sales)), headers)
        answer = client.getresponse()
        return answer.status, json.loads(answer.read())


def test_every_acknowledged_batch_outlives_the_death_of_the_database(
    till: Till, stack: Stack, mariadb_server: PrivateMariaDB
) -> None:
    api = stack.add_api().start_ready()
    receipts = []
    for _ in range(3):
        status, answer = post(api, till, till.sale())
        assert status == 202
        receipts.append(answer["recu"])
        mariadb_server.kill9()
        status, answer = post(api, till, till.sale())
        assert status == 503
        assert answer["code"] == "indisponible"
        mariadb_server.start()
        connection.close()
    assert {str(receipt) for receipt in Batch.objects.values_list("receipt", flat=True)} == set(receipts)
    stack.add_sweep().start_ready()
    assert wait_until(lambda: not Batch.objects.filter(settled_at=None).exists(), timeout_s=30)
    assert till.statuses() == ["created"] * 3
    check_invariants()


def test_workers_and_sweeps_outlive_the_death_of_the_database(
    till: Till, stack: Stack, mariadb_server: PrivateMariaDB
) -> None:
    worker = stack.add_worker(concurrency=1).start_ready()
    sweep = stack.add_sweep().start_ready()
    till.hand_over(*[till.sale() for _ in range(300)])
    assert wait_until(lambda: len(till.statuses()) > 20, timeout_s=20)
    mariadb_server.kill9()
    mariadb_server.start()
    connection.close()
    assert wait_until(lambda: not Batch.objects.filter(settled_at=None).exists(), timeout_s=60)
    assert till.statuses() == ["created"] * 300
    assert worker.is_running()
    assert sweep.is_running()
    check_invariants()


@pytest.mark.parametrize("key", ["", "cle-1"])
def test_a_batch_whose_commit_was_not_answered_is_stored_once(key: str, till: Till, stack: Stack) -> None:
    settings = connection.settings_dict
    login = settings["USER"] + (f":{settings['PASSWORD']}" if settings["PASSWORD"] else "")
    with FaultProxy((settings["HOST"], int(settings["PORT"]))) as proxy:
        url = f"mysql://{login}@127.0.0.1:{proxy.port}/{settings['NAME']}"
        api = stack.add_api(environment={"DATABASE_URL": url}).start_ready()
        assert post(api, till, till.sale())[0] == 202
        proxy.swallow_answer_to(b"\x03COMMIT")
        status, answer = post(api, till, till.sale(), key=key)
        proxy.wait_for_faults(1)
    assert status == 202
    assert Batch.objects.filter(receipt=answer["recu"]).exists()
    assert Batch.objects.count() == 2


def test_a_silent_database_makes_the_till_try_again(till: Till, stack: Stack) -> None:
    """Nothing was stored, and the till is not told otherwise: it gets a 503, or no answer at all."""
    settings = connection.settings_dict
    with FaultProxy((settings["HOST"], int(settings["PORT"]))) as proxy:
        url = f"mysql://{settings['USER']}@127.0.0.1:{proxy.port}/{settings['NAME']}"
        api = stack.add_api(environment={"DATABASE_URL": url}).start_ready()
        assert post(api, till, till.sale())[0] == 202
        proxy.refuse()
        status, answer = post(api, till, till.sale())
        assert status == 503
        assert answer["error"]
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", proxy.port), timeout=1):
            pytest.fail("the proxy still listens")
    assert Batch.objects.count() == 1
