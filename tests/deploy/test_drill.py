"""The drill: tills sell, a backup is taken meanwhile, the server dies with its disk; then it is restored.

Two ends of the same disaster: the binlogs survived, and nothing that was acknowledged is lost; or they did not, and the
evening's reconciliation names exactly what is, and the tills bring it back.
"""

import hashlib
import json
import shutil
import subprocess
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pytest_django import DjangoDbBlocker

from backend.example_till import Report, Till
from backend.example_till.wire import Answer
from backend.inventory.models import ArticleUnit
from backend.localrun.processes import wait_until
from backend.localrun.stack import Stack
from backend.sales.models import Batch, Sale, SaleOutcome
from backend.testing import Cast, make_article, make_device, make_terminal
from tests.deploy.second_server import Site, looking_into
from tests.invariants import check_invariants
from tests.plugin import Rig

TILLS = 4
STOCK = 100_000
SYNC_S = 120
# The shop's, whose days the server compares: the machine's day may be another.
ZONE = ZoneInfo("Africa/Kinshasa")
# What the load must have done before the backup begins, while it runs, and after it.
BATCHES_EACH = 6


@dataclass
class LedgerTill:
    """A till that sells and sends without end, and a separate record of every 202 that it got."""

    path: Path
    serial: str
    article: int
    acknowledged: dict[str, bytes] = field(default_factory=dict)

    def open(self, url: str) -> Till:
        options = {"prefix": f"T{self.path.stem}", "zone": ZONE, "timeout_s": 10, "backoff_s": (0.05, 0.5)}
        till = Till(self.path, url, self.serial, **options)
        till.calls.transport = self._noting(till.calls.wire)
        return till

    def work(self, url: str, stop: threading.Event) -> None:
        with self.open(url) as till:
            while not stop.is_set():
                numbers = [self._sell(till, quantity) for quantity in (1, 2, 3)]
                if len(self.acknowledged) % 3 == 2:
                    till.void(number=numbers[0])
                till.send_once()
                till.poll_once()
                stop.wait(0.1)

    def numbers(self, receipt: str) -> list[str]:
        return [sale["numero_facture"] for sale in json.loads(self.acknowledged[receipt])]

    def _sell(self, till: Till, quantity: int) -> str:
        return till.sell([{"article_id": self.article, "quantite": quantity, "prix_unitaire": 1500}])

    def _noting(self, wire: object) -> object:
        def transport(method: str, path: str, headers: dict[str, str], body: bytes | None) -> Answer:
            answer = wire(method, path, headers, body)
            if path == "ventes/sync" and answer.status == 202:
                self.acknowledged[answer.receipt] = body
            return answer

        return transport


@dataclass
class Disaster:
    """What is left of a site whose server was lost with its disk."""

    tills: list[LedgerTill]
    backup: Path
    binlogs: Path
    copies: Path
    before_backup: set[str]
    after_backup: set[str]


@pytest.fixture(scope="module")
def disaster(
    rig: Rig, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[Disaster]:
    folder = tmp_path_factory.mktemp("drill")
    with django_db_blocker.unblock(), Site(folder / "first") as site, ExitStack() as cleanup:
        site.run("start/migrate")
        with looking_into(site.url()):
            shop = Cast().shop
            tills = [
                LedgerTill(
                    path=folder / f"{index}.sqlite3",
                    serial=make_device(make_terminal(shop)).serial,
                    article=make_article(shop, stock=STOCK).pk,
                )
                for index in range(TILLS)
            ]
        copier = start_copier(site, folder / "copies")
        cleanup.callback(copier.wait, timeout=20)
        cleanup.callback(copier.terminate)
        yield sell_until_it_dies(site, tills, folder, broker_url=rig.broker_url)


def start_copier(site: Site, folder: Path) -> subprocess.Popen:
    environment = {**site.environment(), "BINLOG_DIR": str(folder)}
    return subprocess.Popen(
        ["deploy/backup/binlogs"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def sell_until_it_dies(site: Site, tills: list[LedgerTill], folder: Path, *, broker_url: str) -> Disaster:
    stop = threading.Event()
    with open_for_business(site, folder / "stack", broker_url=broker_url) as url:
        threads = [threading.Thread(target=till.work, args=[url, stop]) for till in tills]
        for thread in threads:
            thread.start()
        try:
            wait_for_batches(tills)
            before = acknowledged(tills)
            site.run("backup/backup", environment={"BACKUP_DIR": str(folder / "backups")})
            since = acknowledged(tills)
            wait_for_batches(tills)
            site.server.kill9()
            shutil.rmtree(site.server.folder)
        finally:
            stop.set()
            for thread in threads:
                thread.join(timeout=60)
    (backup,) = (folder / "backups").glob("*.sql.gz")
    after = acknowledged(tills) - since
    return Disaster(tills, backup, site.server.binlogs, folder / "copies", before, after)


@contextmanager
def open_for_business(site: Site, folder: Path, *, broker_url: str) -> Iterator[str]:
    """All that serves a shop, as the account of the application."""
    with Stack(folder=folder, environment={"DATABASE_URL": site.url(), "BROKER_URL": broker_url}) as stack:
        api = stack.add_api()
        stack.add_sweep()
        stack.add_worker(concurrency=2)
        for service in stack.services.values():
            service.start()
        for service in stack.services.values():
            service.wait_ready()
        yield api.url


def acknowledged(tills: list[LedgerTill]) -> set[str]:
    return {receipt for till in tills for receipt in list(till.acknowledged)}


def wait_for_batches(tills: list[LedgerTill]) -> None:
    """Until each till has handed over so many more."""
    wanted = [len(till.acknowledged) + BATCHES_EACH for till in tills]
    assert wait_until(
        lambda: all(len(till.acknowledged) >= count for till, count in zip(tills, wanted, strict=True)), timeout_s=60
    )


def hand_over_everything(tills: list[LedgerTill], url: str) -> None:
    def hand_over(ledger: LedgerTill) -> Report:
        with ledger.open(url) as till:
            return till.sync(timeout_s=SYNC_S)

    with ThreadPoolExecutor(max_workers=len(tills)) as threads:
        for report in threads.map(hand_over, tills):
            assert (report.settled, report.problem, report.pending) == (True, None, []), report


def check_that_all_is_right(tills: list[LedgerTill], site: Site, url: str) -> None:
    """A day later: every till agrees with the server, stock and register are right, and the doctor finds nothing."""
    for ledger in tills:
        with ledger.open(url) as till:
            close_days(till)
            answers = till.sync(timeout_s=SYNC_S).days
            assert {answer["resultat"] for answer in answers} == {"egal"}, answers
            sold = [record.document for day in days_of(till) for record in till.records.of_day(day)]
        of_till = Sale.objects.filter(terminal__devices__serial=ledger.serial)
        assert sorted(of_till.values_list("number", flat=True)) == sorted(one["numero_facture"] for one in sold)
        quantities = {one["numero_facture"]: sum(line["quantite"] for line in one.get("lignes", [])) for one in sold}
        voided = sum(quantities[one["origine"]["numero_facture"]] for one in sold if one.get("type") == "annulation")
        stock = ArticleUnit.objects.get(article_id=ledger.article).stock
        assert stock == Decimal(STOCK - sum(quantities.values()) + voided)
    assert wait_until(lambda: not Batch.objects.filter(settled_at=None).exists(), timeout_s=60)
    check_invariants()
    site.manage("doctor")


def days_of(till: Till) -> list[str]:
    return [day for (day,) in till.book.file.execute("SELECT DISTINCT day FROM documents ORDER BY day")]


def close_days(till: Till) -> list[int]:
    return [till.close_drawer(day=day) for day in days_of(till)]


def test_with_the_binlogs_nothing_that_was_acknowledged_is_lost(
    disaster: Disaster, rig: Rig, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    assert disaster.before_backup
    assert disaster.after_backup
    tills = copies_of(disaster.tills, tmp_path)
    with django_db_blocker.unblock(), Site(tmp_path / "second") as site:
        said = site.run("backup/restore", disaster.backup, environment={"BINLOG_DIR": str(disaster.binlogs)})
        assert "replayed binlog." in said
        with looking_into(site.url()):
            check_batches(tills, acknowledged(tills))
            check_outcomes(tills)
            check_invariants(is_settled=False)
            with open_for_business(site, tmp_path / "stack", broker_url=rig.broker_url) as url:
                hand_over_everything(tills, url)
                check_that_all_is_right(tills, site, url)


def check_batches(tills: list[LedgerTill], receipts: set[str]) -> None:
    """Each of these batches is there, with the very bytes that the till sent."""
    assert receipts
    batches = {str(batch.receipt): batch for batch in Batch.objects.select_related("body")}
    for till in tills:
        for receipt in receipts & till.acknowledged.keys():
            body = till.acknowledged[receipt]
            assert batches[receipt].sha256 == hashlib.sha256(body).hexdigest()
            assert zlib.decompress(batches[receipt].body.deflated) == body


def check_outcomes(tills: list[LedgerTill]) -> None:
    """Each outcome that a till was told is on record, with the same id and registration number."""
    for till in tills:
        with till.open("http://127.0.0.1:9") as book:
            told = book.queue.journal()
        assert told
        of_till = SaleOutcome.objects.filter(terminal__devices__serial=till.serial).select_related("document")
        on_record = {(one.number, one.status): one.document for one in of_till}
        for recorded in told:
            document = on_record[recorded.number, recorded.status]
            assert (document.pk, document.registration_number) == (recorded.server_id, recorded.registration_number)


def test_without_binlogs_tills_are_told_exactly_what_is_missing_and_bring_it_back(
    disaster: Disaster, rig: Rig, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    tills = disaster.tills
    with django_db_blocker.unblock(), Site(tmp_path / "third") as site:
        said = site.run("backup/restore", "--without-binlogs", disaster.backup)
        assert "WITHOUT" in said
        with looking_into(site.url()), open_for_business(site, tmp_path / "stack", broker_url=rig.broker_url) as url:
            check_batches(tills, disaster.before_backup)
            known = {str(receipt) for receipt in Batch.objects.values_list("receipt", flat=True)}
            assert not known & disaster.after_backup
            for till in tills:
                check_what_is_missing(till, url, known)
            hand_over_everything(tills, url)
            check_that_all_is_right(tills, site, url)


def check_what_is_missing(ledger: LedgerTill, url: str, known: set[str]) -> None:
    """Of the day that the server is told, it misses exactly what is in no batch of its own."""
    kept = {number for receipt in known & ledger.acknowledged.keys() for number in ledger.numbers(receipt)}
    with ledger.open(url) as till:
        written, missing = set(), set()
        for day, closing in zip(days_of(till), close_days(till), strict=True):
            answer = till.calls.reconcile(till.closings.day_of(till.closings.find(closing)))
            assert (answer["resultat"], answer["en_trop"], answer["differentes"]) == ("ecart", [], [])
            missing |= set(answer["manquantes"])
            written |= {record.number for record in till.records.of_day(day)}
        assert missing == written - kept
        # Some of them the till had been told to forget.
        assert missing & {recorded.number for recorded in till.queue.journal()}


def copies_of(tills: list[LedgerTill], folder: Path) -> list[LedgerTill]:
    copies = []
    for till in tills:
        for path in till.path.parent.glob(f"{till.path.name}*"):
            shutil.copy(path, folder / path.name)
        copies.append(LedgerTill(folder / till.path.name, till.serial, till.article, dict(till.acknowledged)))
    return copies


def test_the_copies_of_the_binlogs_are_what_the_dead_server_wrote(disaster: Disaster) -> None:
    originals = sorted(path for path in disaster.binlogs.glob("binlog.0*"))
    assert originals
    for original in originals:
        (copy,) = disaster.copies.glob(f"*.{original.name}")
        written, copied = original.read_bytes(), copy.read_bytes()
        # But for the mark, in the 22nd byte, of a file that is open.
        assert copied[22:] == written[22 : len(copied)]
        # Milliseconds behind: what was written in the last moment may have gone down with the server.
        assert len(copied) > 0.9 * len(written)
