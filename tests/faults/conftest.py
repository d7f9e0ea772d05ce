"""A shop with tills, whose sales are posted by processes that a test can make fail."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.localrun.processes import ChildProcess, wait_until
from backend.sales.intake import Caller, receive_batch
from backend.sales.models import Batch, SaleOutcome
from backend.testing import make_article, make_device, make_shop, make_terminal
from tests.faults.forked import ForkedPoster
from tests.plugin import Rig


class Till:
    """A till for these tests: it hands batches over in process, without a ring."""

    def __init__(self, shop: "ShopOfFaults") -> None:
        self.shop = shop
        self.terminal = make_terminal(shop.shop)
        self.device = make_device(self.terminal)
        self.counter = 0

    def sale(self, number: str | None = None, *, articles: int = 2, quantity: str = "1", **fields: object) -> dict:
        self.counter += 1
        lines = [
            {"article_id": article.pk, "quantite": quantity, "prix_unitaire": 1000}
            for article in self.shop.articles[:articles]
        ]
        return {"numero_facture": number or f"FAC-{self.terminal.pk}-{self.counter}", "lignes": lines, **fields}

    def hand_over(self, *sales: dict) -> Batch:
        body = json.dumps(list(sales)).encode()
        return receive_batch(caller=Caller(self.device), body=body).batch

    def statuses(self) -> list[str]:
        outcomes = SaleOutcome.objects.filter(terminal_id=self.terminal.pk).order_by("batch_id", "position")
        return list(outcomes.values_list("status", flat=True))

    def codes(self) -> list[str]:
        outcomes = SaleOutcome.objects.filter(terminal_id=self.terminal.pk).order_by("batch_id", "position")
        return list(outcomes.values_list("code", flat=True))


class ShopOfFaults:
    def __init__(self, **fields: object) -> None:
        self.shop = make_shop(**fields)
        self.articles = [make_article(self.shop, stock=10_000) for _ in range(3)]

    def till(self) -> Till:
        return Till(self)


@pytest.fixture
def shop(real_database: None) -> ShopOfFaults:
    return ShopOfFaults()


@pytest.fixture
def till(shop: ShopOfFaults) -> Till:
    return shop.till()


Poster = Callable[..., ChildProcess | ForkedPoster]


@pytest.fixture
def poster(real_database: None, rig: Rig, tmp_path: Path) -> Iterator[Poster]:
    """Start a poster process on a terminal: poster(terminal_id, *options, FAULT="kill@lines", …).

    With a `database_url` or a DJANGO_SETTINGS_MODULE of its own it is a fresh interpreter, otherwise a fork.
    """
    started: list[ChildProcess | ForkedPoster] = []

    def start(
        terminal_id: int, *options: str, database_url: str = "", **environment: str
    ) -> ChildProcess | ForkedPoster:
        arguments = [str(terminal_id), *options]
        log = tmp_path / f"poster-{len(started)}.log"
        process: ChildProcess | ForkedPoster
        if database_url or "DJANGO_SETTINGS_MODULE" in environment:
            own = {"DATABASE_URL": database_url or rig.database_url, "BROKER_URL": "", **environment}
            command = [sys.executable, "-m", "tests.faults.poster", *arguments]
            process = ChildProcess(name=log.stem, command=command, log=log, environment={**os.environ, **own})
            process.start()
        else:
            process = ForkedPoster(arguments=arguments, environment=environment, log=log)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill9()


def finish(poster: Poster, *tills: Till, timeout_s: float = 30) -> None:
    """Start healthy posters, as rings and sweeps would, until every sale of these tills has its outcome."""

    def is_done() -> bool:
        for till in tills:
            poster(till.terminal.pk).wait(timeout_s=timeout_s)
        ids = [till.terminal.pk for till in tills]
        return not Batch.objects.filter(terminal_id__in=ids, settled_at=None).exists()

    assert wait_until(is_done, timeout_s=timeout_s, pause_s=0.2)
