"""Changes that commit later than their timestamps, and in another order: a reader with a cursor gets all of them.

Commits are real here, and other threads delay them.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction

from backend.db import change_cursors, transients
from backend.db.transients import bounded_time, retrying
from backend.inventory.models import Article, ArticleUnit
from backend.localrun.processes import wait_until
from backend.sales.models import InvoiceSequence, SaleOutcome
from backend.sales.receipts import change_feed
from backend.testing import Cast, make_article
from tests.tills import BASE, Till, line, sale

Entries = list[dict[str, Any]]


@pytest.fixture
def cast(real_database: None) -> Cast:
    return Cast()


@pytest.fixture
def till(cast: Cast) -> Till:
    return Till(cast.device)


def walk(till: Till, call: str, since: str = "", *, limit: int | None = None) -> tuple[Entries, str]:
    """Follow the pages of a call to the end; return the entries, and the last cursor."""
    entries: Entries = []
    while True:
        query = {"depuis": since, "limit": limit}
        page = till.get(f"{BASE}{call}?" + "&".join(f"{key}={value}" for key, value in query.items() if value)).json()
        entries += page["articles" if call == "articles" else "ventes"]
        since = page["curseur"]
        if page["fin"]:
            return entries, since


@contextmanager
def meanwhile(*works: Callable[[], None]) -> Iterator[list[threading.Thread]]:
    """Run these in threads, each with its own connection; an exception in one fails the test."""
    faults: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as fault:
            faults.append(fault)
            raise
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        for thread in threads:
            thread.join()
    assert not faults


def change(rows: Any, *, after_s: float = 0, **values: object) -> None:
    """Change rows as a service does: timestamped at the beginning of the transaction, committed a while later."""

    def attempt() -> None:
        with transaction.atomic(), bounded_time():
            rows.update(**values, changed_at=datetime.now(UTC))
            time.sleep(after_s)

    retrying(attempt, name="change")


def settle() -> None:
    """Date the catalogue's changes back by a day."""
    then = datetime.now(UTC) - timedelta(days=1)
    Article.objects.update(changed_at=then)
    ArticleUnit.objects.update(changed_at=then)


def test_an_article_committed_after_the_reader_passed_it_is_in_the_next_walk(cast: Cast, till: Till) -> None:
    settle()
    _, cursor = walk(till, "articles")
    stamped, may_commit = threading.Event(), threading.Event()

    def rename_slowly() -> None:
        with transaction.atomic(), bounded_time():
            Article.objects.filter(pk=cast.rice.pk).update(name="Riz lent", changed_at=datetime.now(UTC))
            stamped.set()
            assert may_commit.wait(30)

    with meanwhile(rename_slowly):
        assert stamped.wait(30)
        # Timestamped later, committed sooner: the reader's cursor is beyond the slow one's timestamp.
        change(Article.objects.filter(pk=cast.oil.pk), name="Huile vive")
        seen, cursor = walk(till, "articles", cursor)
        may_commit.set()
    assert [article["nom"] for article in seen] == ["Huile vive"]
    seen, _ = walk(till, "articles", cursor)
    assert "Riz lent" in [article["nom"] for article in seen]


@contextmanager
def posting_held_before_its_commit(till: Till) -> Iterator[None]:
    """Lock the month's register while the till's next sale is posted: it has written everything but its number."""
    is_held, may_go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            assert list(InvoiceSequence.objects.select_for_update())
            is_held.set()
            assert may_go_on.wait(30)

    with meanwhile(hold):
        try:
            assert is_held.wait(30)
            with meanwhile(till.post_all):
                try:
                    # The server updates its list of transactions only if it was not read for a tenth of a second.
                    assert wait_until(_waits_for_a_lock, timeout_s=20, pause_s=0.3)
                    yield
                finally:
                    may_go_on.set()
        finally:
            may_go_on.set()


def _waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'")
        return cursor.fetchone()[0] > 0


def test_stock_committed_after_the_reader_passed_it_is_in_the_next_walk(cast: Cast, till: Till) -> None:
    till.settle(sale("FAC-1", line(cast.oil)))
    settle()
    _, cursor = walk(till, "articles")
    till.hand_over(sale("FAC-2", line(cast.rice, quantity=30)))
    with posting_held_before_its_commit(till):
        change(Article.objects.filter(pk=cast.oil.pk), name="Huile vive")
        seen, cursor = walk(till, "articles", cursor)
        assert [article["nom"] for article in seen] == ["Huile vive"]
    seen, _ = walk(till, "articles", cursor)
    assert ("RIZ25", 70) in [(article["code"], article["unites"][0]["stock"]) for article in seen]


def test_an_outcome_committed_after_the_reader_passed_it_is_in_the_next_walk(cast: Cast, till: Till) -> None:
    """Two outcomes at once: the sale's, and that of the void that was deferred for it and is overwritten."""
    void = {"type": "annulation", "numero_facture": "AVO-2", "origine": {"numero_facture": "FAC-2"}}
    till.settle(sale("FAC-1", line(cast.oil)), void)
    SaleOutcome.objects.update(at=datetime.now(UTC) - timedelta(days=1))
    till.hand_over(sale("FAC-2", line(cast.rice)))
    _, cursor = walk(till, "ventes/changements")
    with posting_held_before_its_commit(till):
        seen, cursor = walk(till, "ventes/changements", cursor)
        assert seen == []
        # As if the reader had seen a later outcome meanwhile: its cursor is beyond the slow one's timestamp.
        SaleOutcome.objects.filter(number="FAC-1").update(at=datetime.now(UTC))
        seen, cursor = walk(till, "ventes/changements", cursor)
        assert [entry["numero_facture"] for entry in seen] == ["FAC-1"]
    seen, _ = walk(till, "ventes/changements", cursor)
    assert {(entry["numero_facture"], entry["status"]) for entry in seen} >= {("FAC-2", "created"), ("AVO-2", "voided")}


# In the next two tests everything is twenty times faster than in production, in the same proportions: the time limit of
# a transaction, and the overlap of a cursor.
QUICK_TRANSACTION_S_MAX = 1.0
QUICK_OVERLAP = timedelta(seconds=3)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> random.Random:
    monkeypatch.setattr(transients, "TRANSACTION_S_MAX", QUICK_TRANSACTION_S_MAX)
    monkeypatch.setattr(change_cursors, "OVERLAP", QUICK_OVERLAP)
    return random.Random(20241104)


def follow(till: Till, call: str, threads: list[threading.Thread], *, limit: int | None = None) -> tuple[Entries, int]:
    """Read until the writers are done, and once more; return the entries, and the number of calls."""
    seen, cursor = walk(till, call, limit=limit)
    turns = 1
    while True:
        is_last = not any(thread.is_alive() for thread in threads)
        entries, cursor = walk(till, call, cursor, limit=limit)
        seen += entries
        turns += 1
        if is_last:
            return seen, turns
        time.sleep(0.05)


def test_a_reader_that_follows_the_catalogue_gets_every_change(cast: Cast, till: Till, quick: random.Random) -> None:
    """Each article changes once, so that a later change cannot hide a missed one."""
    articles = [make_article(cast.shop) for _ in range(80)]
    settle()
    delays = [quick.choice([0, 0.01, 0.1, 0.3, 0.6, 0.9]) for _ in articles]

    def write(start: int) -> None:
        for n in range(start, len(articles), 4):
            article = articles[n]
            if n % 2:
                change(Article.objects.filter(pk=article.pk), name=f"Nom {n}", after_s=delays[n])
            else:
                change(ArticleUnit.objects.filter(article=article), stock=1000 + n, after_s=delays[n])

    with meanwhile(*[lambda start=start: write(start) for start in range(4)]) as threads:
        seen, turns = follow(till, "articles", threads, limit=7)

    known = {article["id"]: article for article in seen}
    now = {article["id"]: article for article in walk(till, "articles")[0]}
    assert known == now
    assert [known[article.pk]["nom"] for article in articles[1::2]] == [f"Nom {n}" for n in range(1, 80, 2)]
    # It did not read everything each time.
    assert turns > 10
    assert len(seen) < turns * len(articles) / 2


def test_a_reader_that_follows_a_tills_sales_gets_every_outcome(
    cast: Cast, till: Till, quick: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every fourth is a void that comes before its sale; its outcome is overwritten later."""
    monkeypatch.setattr(change_feed, "CHANGES_PAGE_MAX", 5)
    till.settle(sale("FAC", line(cast.oil)))
    pauses = [quick.choice([0, 0.02, 0.1, 0.3]) for _ in range(24)]
    is_over = threading.Event()

    def sell() -> None:
        for n, pause_s in enumerate(pauses):
            if n % 4 == 0:
                origin = {"numero_facture": f"FAC-{n + 3}"}
                till.hand_over({"type": "annulation", "numero_facture": f"AVO-{n}", "origine": origin})
            else:
                till.hand_over(sale(f"FAC-{n}", line(cast.rice)))
            till.post_all()
            time.sleep(pause_s)
        is_over.set()

    def hold_the_register_now_and_then() -> None:
        for pause_s in [*pauses, *pauses]:
            if is_over.is_set():
                return
            with transaction.atomic():
                assert list(InvoiceSequence.objects.select_for_update())
                time.sleep(pause_s)
            time.sleep(pause_s / 2)

    with meanwhile(sell, hold_the_register_now_and_then) as threads:
        seen, turns = follow(till, "ventes/changements", threads)

    known = {(entry["recu"], entry["index"]): entry for entry in seen}
    assert known == {(entry["recu"], entry["index"]): entry for entry in walk(till, "ventes/changements")[0]}
    statuses = [known[key]["status"] for key in known]
    assert (len(statuses), statuses.count("voided")) == (25, 6)
    assert len(seen) < turns * 25
