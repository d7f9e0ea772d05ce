"""Loads one server with many tills at once, bounded, on this machine only. Standard library only."""

from __future__ import annotations

import secrets
import tempfile
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from backend.example_till.queue import KEPT, TO_CORRECT
from backend.example_till.till import Report, Till

TILLS_MAX = 50
BATCHES_MAX = 200
SALES_MAX = 1000
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class LoadPlan:
    """`tills` tills sell `batches` × `sales` sales each, of one line, over `articles` in turn."""

    base_url: str
    serials: list[str]
    token: str | None = None
    tills: int = 2
    batches: int = 5
    sales: int = 50
    articles: list[int] = field(default_factory=lambda: [15, 18])
    timeout_s: float = 300.0


@dataclass(frozen=True)
class LoadResult:
    """The results of all tills together. `seconds`: from the first post to the last outcome."""

    sales: int
    recorded: int
    to_correct: int
    unsettled: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.sales} vente(s) : {self.recorded} enregistrée(s), {self.to_correct} à corriger, "
            f"{self.unsettled} encore en attente, en {self.seconds:.1f} s ({self.recorded / self.seconds:.0f}/s)"
        )


def run_load(plan: LoadPlan) -> LoadResult:
    """Sell everything offline first, then let all tills send at once, as when a street's network comes back."""
    if urllib.parse.urlsplit(plan.base_url).hostname not in LOOPBACK:
        raise ValueError("Une charge ne vise que cette machine (127.0.0.1).")
    if not (0 < plan.tills <= TILLS_MAX and 0 < plan.batches <= BATCHES_MAX and 0 < plan.sales <= SALES_MAX):
        raise ValueError(f"Au plus {TILLS_MAX} caisses, {BATCHES_MAX} lots par caisse, {SALES_MAX} ventes par lot.")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(max_workers=plan.tills) as threads:
        tills = [LoadTill(plan, index, Path(folder) / f"{index}.sqlite3") for index in range(plan.tills)]
        list(threads.map(LoadTill.sell_everything, tills))
        started_at = time.monotonic()
        reports = list(threads.map(LoadTill.send_everything, tills))
        seconds = time.monotonic() - started_at
    recorded = sum(len(report.recorded) for report in reports)
    to_correct = sum(len(report.in_state(KEPT) + report.in_state(TO_CORRECT)) for report in reports)
    sales = plan.tills * plan.batches * plan.sales
    return LoadResult(sales, recorded, to_correct, sales - recorded - to_correct, seconds)


@dataclass(frozen=True)
class LoadTill:
    """One till of the load. It opens its file anew for each step, since a till belongs to one thread."""

    plan: LoadPlan
    index: int
    path: Path
    # Random, because a number is used only once, and these tills' files are deleted.
    prefix: str = field(default_factory=lambda: f"L{secrets.token_hex(4)}")

    def sell_everything(self) -> None:
        articles = self.plan.articles
        with self._open() as till, till.book.transaction():
            for count in range(self.plan.batches * self.plan.sales):
                article = articles[(self.index + count) % len(articles)]
                till.sell([{"article_id": article, "quantite": 1, "prix_unitaire": 1000}])

    def send_everything(self) -> Report:
        with self._open() as till:
            return till.sync(timeout_s=self.plan.timeout_s)

    def _open(self) -> Till:
        serial = self.plan.serials[self.index % len(self.plan.serials)]
        return Till(
            self.path,
            self.plan.base_url,
            serial,
            self.plan.token,
            prefix=self.prefix,
            batch_sales_max=self.plan.sales,
        )
