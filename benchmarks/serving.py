"""Compares the whole system, HTTP and Celery included: gunicorn, workers and a sweep on a private MariaDB and Redis."""

import contextlib
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from backend.localrun.processes import wait_until
from backend.localrun.servers import PrivateMariaDB, PrivateRedis
from backend.localrun.stack import Stack
from backend.sales.models import Batch, Sale
from backend.sales.receipts import receipt
from benchmarks import databases, posting
from benchmarks.report import Comparison, Target, median, milliseconds, per_s
from benchmarks.tills_online import OURS, SYNCHRONOUS, Poller, post, post_together
from benchmarks.together import cpu_s_of
from benchmarks.world import Till

SERVED = "served"
API_PROCESSES = 2
BATCHES_EACH, BATCH_SALES = 3, 100
POLLS = 300
SETTLED_S_MAX = 120


class Served:
    """A running system on its own database, with the addresses of the comparison beside the API's."""

    def __init__(self, stack: Stack, mariadb: PrivateMariaDB, *, workers: int) -> None:
        self.workers = workers
        self.api = stack.add_api(processes=API_PROCESSES).start_ready()
        self.worker = stack.add_worker(concurrency=workers).start_ready()
        stack.add_sweep().start_ready()
        self.pids = {"web": self.api.pid, "workers": self.worker.pid, "MariaDB": mariadb.process.pid}

    def cpu_s(self) -> dict[str, float]:
        return {name: cpu_s_of(pid) for name, pid in self.pids.items()}


@contextlib.contextmanager
def serve(*, folder: Path, mariadb: PrivateMariaDB, workers: int) -> Iterator[Served]:
    """Start the system and stop it at the end."""
    databases.copy_template(SERVED)
    with PrivateRedis(folder / "redis") as redis:
        environment = {
            "DATABASE_URL": mariadb.url(SERVED),
            "BROKER_URL": redis.url,
            "SECRET_KEY": secrets.token_hex(32),
            "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
            "DEVICE_REQUESTS_PER_MINUTE": "1000000",
        }
        with Stack(folder=folder / "stack", environment=environment) as stack:
            yield Served(stack, mariadb, workers=workers)


def wait_settled() -> None:
    """Return as soon as every batch of the served database is settled."""
    if not wait_until(
        lambda: not Batch.objects.filter(settled_at=None).exists(), timeout_s=SETTLED_S_MAX, pause_s=0.05
    ):
        raise RuntimeError("the workers did not settle all batches in time")


@dataclass(frozen=True)
class Round:
    """How long each side took for the same number of sales, and the processor time of each of our processes."""

    ours_s: float
    bare_s: float
    synchronous_s: float
    cpu_s: dict[str, float]


def compare_throughput(served: Served, tills: Sequence[Till], *, rounds: int) -> list[Comparison]:
    """Post to recorded through everything, against the bare loop, and against the synchronous endpoint."""
    posting.prepare_bare()
    sales = len(tills) * BATCHES_EACH * BATCH_SALES
    seen = [_throughput(served, tills, number) for number in range(rounds + 1)][1:]
    ours = per_s(sales, [one.ours_s for one in seen])
    shares = [f"{name} {milliseconds([one.cpu_s[name] for one in seen], each=sales)}" for name in served.pids]
    return [
        Comparison(
            what=f"2. post to recorded, {served.workers} workers, against the bare loop, {served.workers} processes",
            ours=ours,
            other=per_s(sales, [one.bare_s for one in seen]),
            ratios=[one.bare_s / one.ours_s for one in seen],
            target=Target(0.8, is_minimum=True),
            notes=[f"2. CPU of a sale, post to recorded: {', '.join(shares)}"],
        ),
        Comparison(
            what="2. the same, against the synchronous endpoint",
            ours=ours,
            other=per_s(sales, [one.synchronous_s for one in seen]),
            ratios=[one.synchronous_s / one.ours_s for one in seen],
            target=Target(2.5, is_minimum=True),
        ),
    ]


def _throughput(served: Served, tills: Sequence[Till], number: int) -> Round:
    each = BATCHES_EACH * BATCH_SALES
    load = {"batches": BATCHES_EACH, "sales": BATCH_SALES}
    bare = posting.measure_bare(tills, f"T{number}", processes=served.workers, sales=each)
    with databases.using(SERVED):
        sales_before, cpu_before_s = Sale.objects.count(), served.cpu_s()
        began = post_together(served.api.url, OURS, tills, f"T{number}", expected=202, **load)
        wait_settled()
        ours_s = time.monotonic() - began
        cpu_s = {name: value - cpu_before_s[name] for name, value in served.cpu_s().items()}
        began = post_together(served.api.url, SYNCHRONOUS, tills, f"U{number}", expected=201, **load)
        synchronous_s = time.monotonic() - began
        if Sale.objects.count() != sales_before + 2 * len(tills) * each:
            raise RuntimeError("not every sale was recorded")
    return Round(ours_s, bare.seconds, synchronous_s, cpu_s)


def compare_answers(served: Served, tills: Sequence[Till], *, rounds: int) -> list[Comparison]:
    """The time until the till is answered: a batch of 100 on an idle system, against the synchronous endpoint."""
    url, pairs = served.api.url, []
    with databases.using(SERVED):
        for number in range(2 * rounds + 1):
            till = tills[number % len(tills)]
            ours, _ = post(url, OURS, till, till.body(f"A{number}", sales=BATCH_SALES), expected=202)
            wait_settled()
            theirs, _ = post(url, SYNCHRONOUS, till, till.body(f"B{number}", sales=BATCH_SALES), expected=201)
            if number:
                pairs.append((ours, theirs))
    ours, theirs = zip(*pairs, strict=True)
    return [
        Comparison(
            what="3. until the till is answered, batch of 100, against the synchronous endpoint",
            ours=milliseconds(ours),
            other=milliseconds(theirs),
            ratios=[one / two for one, two in pairs],
            target=Target(1 / 25),
        )
    ]


def compare_polls(served: Served, tills: Sequence[Till], *, rounds: int) -> list[Comparison]:
    """A poll that answers 304 against a view that returns an empty 200, and against an empty call of the API."""
    url, till = served.api.url, tills[0]
    with databases.using(SERVED):
        _, accepted = post(url, OURS, till, till.body("N", sales=BATCH_SALES), expected=202)
        wait_settled()
        batch = Batch.objects.get(receipt=accepted["recu"])
    headers = {"X-Device-Serial": till.serial, "If-None-Match": receipt.etag_of(batch)}
    asked = [(accepted["url"], 304), ("/benchmarks/empty", 200), ("/benchmarks/empty-call", 200)]
    pollers = [(Poller(url, path, headers), expected) for path, expected in asked]
    seen = [
        [median(poller.times(POLLS, expected=expected)) for poller, expected in pollers] for _ in range(2 * rounds + 1)
    ][1:]
    polls, empty, calls = zip(*seen, strict=True)
    return [
        Comparison(
            what="6. a poll that answers 304, against an empty 200",
            ours=milliseconds(polls),
            other=milliseconds(empty),
            ratios=[one / two for one, two in zip(polls, empty, strict=True)],
            target=Target(2),
        ),
        Comparison(
            what="6. the same, against an empty 200 of the API, which asks who is calling",
            ours=milliseconds(polls),
            other=milliseconds(calls),
            ratios=[one / two for one, two in zip(polls, calls, strict=True)],
        ),
    ]


def server_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        return cursor.fetchone()[0]
