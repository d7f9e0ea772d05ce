"""Twenty tills at once, resends, killed workers: afterwards every promise that leaves a trace is kept."""

import gzip
import http.client
import json
import random
import threading
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from backend.localrun.processes import wait_until
from backend.localrun.stack import Stack
from backend.sales.models import Batch, OutcomeStatus, Sale, SaleOutcome
from backend.shops.models import Device
from backend.testing import make_article, make_device, make_shop, make_terminal
from tests.invariants import check_invariants

TILLS = 20
BATCHES_PER_TILL = 4
SALES_PER_BATCH = 50
SALES = TILLS * BATCHES_PER_TILL * SALES_PER_BATCH
# Counting costs the database time that the workers need.
PAUSE_S = 0.2
ARTICLES = 25
SEED = 20241104
BUSY = (429, 503)


@dataclass
class PostingTill:
    """Posts its batches one after the other, every third twice and without a key; keeps the receipts."""

    device: Device
    url: str
    articles: list[int]
    index: int
    receipts: list[str] = field(default_factory=list)
    sent_twice: list[str] = field(default_factory=list)

    def run(self) -> None:
        chance = random.Random(SEED + self.index)
        for batch in range(BATCHES_PER_TILL):
            body = json.dumps([self._sale(chance, batch, n) for n in range(SALES_PER_BATCH)]).encode()
            self.receipts.append(self._post(body))
            if (self.index * BATCHES_PER_TILL + batch) % 3 == 0:
                self.sent_twice.append(self._post(body))

    def _sale(self, chance: random.Random, batch: int, position: int) -> dict:
        lines = [
            {"article_id": one, "quantite": chance.randint(1, 3), "prix_unitaire": chance.randrange(500, 90_000, 50)}
            for one in chance.choices(self.articles, k=3)
        ]
        return {"numero_facture": f"FAC-{batch:02}-{position:03}", "lignes": lines}

    def _post(self, body: bytes) -> str:
        """Post until accepted, as a till does when it is asked to wait."""
        address = urlsplit(self.url)
        headers = {
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "X-Device-Serial": self.device.serial,
        }
        while True:
            client = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
            client.request("POST", "/api/v2/simple/ventes/sync", gzip.compress(body), headers)
            answer = client.getresponse()
            content = json.loads(answer.read())
            client.close()
            if answer.status == 202:
                return content["recu"]
            assert answer.status in BUSY, content
            threading.Event().wait(float(answer.headers["Retry-After"]) / 4)


def test_twenty_tills_with_resends_and_killed_workers(stack: Stack) -> None:
    shop = make_shop(stock_policy="accept")
    articles = [make_article(shop, stock=1000).pk for _ in range(ARTICLES)]
    devices = [make_device(make_terminal(shop)) for _ in range(TILLS)]
    api = stack.add_api(processes=2).start_ready()
    workers = [stack.add_worker(name=f"worker-{n}", concurrency=1) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.wait_ready()
    stack.add_sweep().start_ready()
    tills = [PostingTill(device, api.url, articles, index) for index, device in enumerate(devices)]
    threads = [threading.Thread(target=till.run) for till in tills]
    for thread in threads:
        thread.start()
    # The first dies while tills post, the second while the rest is being posted; their locks are released.
    assert wait_until(lambda: Sale.objects.count() > SALES / 10, timeout_s=120, pause_s=PAUSE_S)
    workers[0].kill9()
    for thread in threads:
        thread.join(timeout=240)
        assert not thread.is_alive()
    assert wait_until(lambda: Sale.objects.count() > SALES * 4 / 10, timeout_s=120, pause_s=PAUSE_S)
    workers[1].kill9()
    assert wait_until(lambda: not Batch.objects.filter(settled_at=None).exists(), timeout_s=240, pause_s=PAUSE_S)
    check_what_tills_were_told(tills)
    check_invariants()


def check_what_tills_were_told(tills: list[PostingTill]) -> None:
    """Every receipt of a till exists and is settled; each sale was created once; second copies are duplicates."""
    first = [receipt for till in tills for receipt in till.receipts]
    second = [receipt for till in tills for receipt in till.sent_twice]
    assert len(first) == TILLS * BATCHES_PER_TILL
    assert len(second) == sum(number % 3 == 0 for number in range(TILLS * BATCHES_PER_TILL))
    assert {str(receipt) for receipt in Batch.objects.values_list("receipt", flat=True)} == {*first, *second}
    assert Sale.objects.count() == SALES
    of_second = SaleOutcome.objects.filter(batch__receipt__in=second)
    assert of_second.count() == len(second) * SALES_PER_BATCH
    assert set(of_second.values_list("status", flat=True)) == {OutcomeStatus.DUPLICATE}
    of_first = SaleOutcome.objects.filter(batch__receipt__in=first)
    assert set(of_first.values_list("status", flat=True)) == {OutcomeStatus.CREATED}
    for outcome in of_second.select_related("document"):
        assert outcome.document.number == outcome.number
        assert outcome.document.terminal_id == outcome.terminal_id
