"""Redis with a sentinel: when the Redis in charge dies, another takes over, and rings go on by themselves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.localrun.processes import Service, free_port, wait_until
from backend.localrun.servers import PrivateRedis, find_program
from backend.localrun.stack import Stack
from tests.faults.conftest import Till
from tests.faults.test_brokers import all_settled, post

MASTER = "caisse"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[PrivateRedis, PrivateRedis, str]]:
    """The Redis in charge, its replica, and the address of the sentinel that watches both."""
    with PrivateRedis(tmp_path / "first") as first:
        second = PrivateRedis(tmp_path / "second")
        second.process.command += ["--replicaof", "127.0.0.1", str(first.port)]
        with second:
            port = free_port()
            rules = tmp_path / "sentinel.conf"
            rules.write_text(
                f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\n"
                f"sentinel monitor {MASTER} 127.0.0.1 {first.port} 1\n"
                f"sentinel down-after-milliseconds {MASTER} 1000\nsentinel failover-timeout {MASTER} 5000\n"
            )
            program = find_program("redis-server", "valkey-server")
            sentinel = Service(
                name="sentinel", command=[program, str(rules), "--sentinel"], log=tmp_path / "sentinel.log"
            )
            sentinel.answers = lambda: "+slave" in sentinel.log_tail(lines=50)
            try:
                sentinel.start_ready()
                yield first, second, f"sentinel://127.0.0.1:{port}/0"
            finally:
                sentinel.kill9()


def test_rings_reach_the_redis_that_has_taken_over(
    till: Till,
    stack: Stack,
    servers: tuple[PrivateRedis, PrivateRedis, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, _second, url = servers
    # In the environment, where every process that uses the broker finds it, this stack included.
    monkeypatch.setenv("BROKER_SENTINEL_MASTER", MASTER)
    stack.environment |= {"BROKER_URL": url, "BROKER_SENTINEL_MASTER": MASTER}
    api = stack.add_api().start_ready()
    worker = stack.add_worker(concurrency=1)
    worker.start_ready()
    assert post(api, till, till.sale()) == 202
    assert wait_until(all_settled, timeout_s=20)

    first.kill9()
    assert post(api, till, till.sale()) == 202  # no Redis in charge: stored all the same

    def works_again() -> bool:
        post(api, till, till.sale())
        return wait_until(all_settled, timeout_s=2)

    assert wait_until(works_again, timeout_s=90, pause_s=1)
