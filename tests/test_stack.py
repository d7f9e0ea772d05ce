"""The stack's processes start on the test database, answer, can be frozen and killed, and leave nothing behind."""

import base64
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

import pytest
import redis

from backend.health.probes import worker_answers, worker_has_started
from backend.localrun.processes import free_port, process_table, wait_until
from backend.localrun.servers import PrivateRedis
from backend.localrun.stack import Stack
from tests.plugin import Rig

pytestmark = pytest.mark.embedded


def living() -> set[int]:
    return {pid for pid, _parent, _group in process_table()}


def test_a_worker_answers_until_it_is_frozen_and_dies_with_its_children(stack: Stack) -> None:
    worker = stack.add_worker(concurrency=2).start_ready()
    children = worker.children()
    assert len(children) == 2
    assert worker.is_ready
    assert worker.is_ready()
    worker.freeze()
    assert not worker.is_ready()
    worker.thaw()
    assert wait_until(worker.is_ready, timeout_s=20)
    worker.kill9()
    assert wait_until(lambda: not living() & {worker.pid, *children}, timeout_s=5)


def test_a_broker_that_is_down_condemns_no_worker_and_proves_none() -> None:
    assert worker_answers(node="worker@nowhere", broker_url="redis://127.0.0.1:1/0")
    assert not worker_has_started(node="worker@nowhere", broker_url="redis://127.0.0.1:1/0")


def test_a_worker_is_asked_anew_when_its_broker_was_restarted(stack: Stack, redis_server: PrivateRedis) -> None:
    worker = stack.add_worker(concurrency=1).start_ready()
    assert worker.is_ready
    redis_server.kill9()
    assert not worker.is_ready()
    redis_server.start()
    assert wait_until(worker.is_ready, timeout_s=30)


@pytest.mark.parametrize("password", ["--help", """a:b@c/d?#%41 it's "q" $HOME \\"""])
def test_a_broker_and_flower_take_passwords_of_any_characters(
    real_database: None, rig: Rig, tmp_path: Path, password: str
) -> None:
    with PrivateRedis(tmp_path / "redis") as server:
        assert redis.Redis(port=server.port).config_set("requirepass", password)
        url = f"redis://:{quote(password, safe='')}@127.0.0.1:{server.port}/0"
        environment = {"DATABASE_URL": rig.database_url, "BROKER_URL": url}
        with Stack(folder=tmp_path, environment=environment) as stack:
            worker = stack.add_worker(concurrency=1)
            flower = stack.add_flower(port=free_port(), user="-x", password=password)
            for service in (worker, flower):
                service.start()
            # Through the broker, which answers nobody without its password.
            worker.wait_ready()
            flower.wait_ready()
            assert status_of(f"{flower.url}/workers", "-x", password) == 200
            assert status_of(f"{flower.url}/workers", "-x", f"{password}x") == 401
            # What the queues hold it reads from the broker itself.
            assert status_of(f"{flower.url}/broker", "-x", password) == 200
            assert password not in "".join(command_lines(worker.pid, flower.pid))


def status_of(url: str, user: str, password: str) -> int:
    login = base64.b64encode(f"{user}:{password}".encode()).decode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": f"Basic {login}"})) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


def command_lines(*pids: int) -> list[str]:
    """Return what `ps` shows of these processes to every user of the machine."""
    return [Path(f"/proc/{pid}/cmdline").read_text() for pid in pids]


def test_a_sweep_touches_its_heartbeat_and_ends_when_asked(stack: Stack) -> None:
    sweep = stack.add_sweep().start_ready()
    assert sweep.answers
    assert sweep.answers()
    sweep.stop()
    assert sweep.exit_code() == 0


def test_an_api_serves_on_a_port_of_its_own(stack: Stack) -> None:
    first = stack.add_api(name="api-1", processes=2).start_ready()
    second = stack.add_api(name="api-2").start_ready()
    assert first.url != second.url
    workers = first.children()
    assert len(workers) == 2
    first.freeze()
    assert first.answers
    assert second.answers
    assert not first.answers()
    assert second.answers()
    first.kill9()
    assert wait_until(lambda: not living() & {first.pid, *workers}, timeout_s=5)


def test_a_name_is_used_once(stack: Stack) -> None:
    stack.add_sweep()
    with pytest.raises(ValueError, match="called sweep already"):
        stack.add_sweep()
