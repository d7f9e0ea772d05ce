"""Redis down, Redis frozen, no worker: the till is answered at once, and its sales are posted all the same."""

import http.client
import json
from urllib.parse import urlsplit

import pytest

from backend.localrun.processes import Service, wait_until
from backend.localrun.servers import PrivateRedis
from backend.localrun.stack import Stack
from backend.sales.models import Batch
from tests.faults.conftest import Till
from tests.invariants import check_invariants

# How long a till waits in these tests: they assert this limit.
ANSWER_S_MAX = 1.0


def post(api: Service, till: Till, *sales: dict) -> int:
    """Post as a till does and return the status; a later answer than ANSWER_S_MAX raises TimeoutError."""
    address = urlsplit(api.url)
    client = http.client.HTTPConnection(address.hostname, address.port, timeout=ANSWER_S_MAX)
    headers = {"Content-Type": "application/json", "X-Device-Serial": till.device.serial}
    try:
        client.request("POST", "/api/v2/simple/ventes/sync", json.dumps(list(sales)), headers)
        return client.getresponse().status
    finally:
        client.close()


def all_settled() -> bool:
    return not Batch.objects.filter(settled_at=None).exists()


@pytest.mark.parametrize("fault", ["stopped", "frozen"])
def test_a_till_is_answered_within_a_second_without_redis(
    fault: str, till: Till, stack: Stack, redis_server: PrivateRedis
) -> None:
    api = stack.add_api().start_ready()
    assert post(api, till, till.sale()) == 202
    redis_server.kill9() if fault == "stopped" else redis_server.freeze()
    for _ in range(3):
        assert post(api, till, till.sale()) == 202
    assert Batch.objects.count() == 4
    stack.add_sweep().start_ready()
    assert wait_until(all_settled, timeout_s=60)
    assert till.statuses() == ["created"] * 4
    check_invariants()


def test_the_sweep_posts_when_redis_is_up_and_no_worker_runs(till: Till, stack: Stack) -> None:
    api = stack.add_api().start_ready()
    assert post(api, till, till.sale(), till.sale()) == 202
    stack.add_sweep().start_ready()
    assert wait_until(all_settled, timeout_s=60)
    assert till.statuses() == ["created"] * 2
    check_invariants()


def test_the_sweep_rings_for_a_lost_message(till: Till, stack: Stack) -> None:
    """The batch came without a ring, as if Redis had lost it: a worker must be rung again."""
    till.hand_over(till.sale())
    worker = stack.add_worker(concurrency=1).start_ready()
    stack.add_sweep().start_ready()
    assert wait_until(all_settled, timeout_s=60)
    assert " succeeded in " in worker.log.read_text()
    check_invariants()


def test_it_runs_without_any_broker(till: Till, stack: Stack) -> None:
    stack.environment["BROKER_URL"] = ""
    api = stack.add_api().start_ready()
    assert post(api, till, till.sale(), till.sale()) == 202
    stack.add_sweep().start_ready()
    assert wait_until(all_settled, timeout_s=60)
    check_invariants()
