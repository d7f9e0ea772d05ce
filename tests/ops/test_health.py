"""The health calls: alive, ready, ready for intake, and which missing parts change which answer."""

import http.client
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection

from backend.localrun.processes import Service, wait_until
from backend.localrun.servers import PrivateMariaDB, PrivateRedis
from backend.localrun.stack import Stack
from backend.ops.models import SweepTurn

# How long an orchestrator's probe waits; the parts' timeouts add up to less.
ANSWER_S_MAX = 10


def ask(api: Service, path: str) -> tuple[int, str]:
    address = urlsplit(api.url)
    client = http.client.HTTPConnection(address.hostname, address.port, timeout=ANSWER_S_MAX)
    try:
        client.request("GET", path)
        answer = client.getresponse()
        return answer.status, answer.read().decode()
    finally:
        client.close()


def missing(api: Service, path: str = "/readyz") -> set[str]:
    """Return the parts that are not ready; assert that the answer's status and `ready` agree."""
    status, text = ask(api, path)
    told = json.loads(text)
    bad = {name for name, check in told["checks"].items() if not check["ok"]}
    assert told["ready"] == (status == 200) == (not bad)
    # Anybody may ask: the answer shows no address, no port, no driver's error.
    assert not any(secret in text for secret in ("127.0.0.1", "localhost", "redis://", "mysql", "Error"))
    return bad


def intake_is_ready(api: Service) -> bool:
    return not missing(api, "/readyz?for=intake")


def becomes(api: Service, *parts: str) -> bool:
    """Wait until exactly these parts are missing: the number of workers is cached for ten seconds."""
    return wait_until(lambda: missing(api) == set(parts), timeout_s=60)


def test_who_is_missing_is_named_and_intake_goes_on_without_them(stack: Stack, redis_server: PrivateRedis) -> None:
    api = stack.add_api().start_ready()
    assert missing(api) == {"worker", "sweep"}
    assert intake_is_ready(api)
    worker = stack.add_worker(concurrency=1).start_ready()
    sweep = stack.add_sweep().start_ready()
    assert becomes(api)
    worker.kill9()
    assert becomes(api, "worker")
    redis_server.freeze()
    assert becomes(api, "broker", "worker")
    assert intake_is_ready(api)
    redis_server.thaw()
    assert becomes(api, "worker")
    sweep.kill9()
    SweepTurn.objects.update(at=datetime.now(UTC) - timedelta(seconds=31))
    assert becomes(api, "worker", "sweep")


@pytest.mark.parametrize("fault", ["frozen", "stopped"])
def test_without_its_database_nothing_is_ready_and_the_process_is_alive(
    fault: str, stack: Stack, mariadb_server: PrivateMariaDB
) -> None:
    stack.environment["BROKER_URL"] = ""
    api = stack.add_api().start_ready()
    # A broker that is not configured is not missing.
    assert missing(api) == {"sweep"}
    assert intake_is_ready(api)
    mariadb_server.freeze() if fault == "frozen" else mariadb_server.kill9()
    assert becomes(api, "database", "migrations", "sweep")
    assert missing(api, "/readyz?for=intake") == {"database", "migrations"}
    assert ask(api, "/healthz") == (200, "ok\n")
    connection.close()
    mariadb_server.thaw() if fault == "frozen" else mariadb_server.start()
    assert wait_until(lambda: intake_is_ready(api), timeout_s=30)


def test_a_schema_that_is_behind_is_not_ready_for_intake(stack: Stack) -> None:
    """As while a new version starts before its migrations are applied."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name, applied FROM django_migrations WHERE app = 'ops' ORDER BY id DESC LIMIT 1")
        newest = cursor.fetchone()
        cursor.execute("DELETE FROM django_migrations WHERE app = %s AND name = %s", newest[:2])
    try:
        api = stack.add_api().start_ready()
        assert missing(api, "/readyz?for=intake") == {"migrations"}
    finally:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)", newest)
    assert wait_until(lambda: intake_is_ready(api), timeout_s=30)
