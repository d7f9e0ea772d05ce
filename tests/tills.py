"""A till for tests: it calls the API in process, and its sales are posted in process when a test says so.

Every answer is checked against the OpenAPI document.
"""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections
from django.http import HttpResponse
from django.test import Client

from backend.inventory.models import Article, ArticleUnit
from backend.sales.models import Batch, SaleOutcome
from backend.sales.posting.context import PostingContext
from backend.sales.posting.post_sale import Step, post_next_sale
from backend.sales.posting.runner import post_slice
from backend.shops.models import Device
from tests.conformity import assert_conforms

BASE = "/api/v2/simple/"
SYNC = BASE + "ventes/sync"
RECEIPTS = BASE + "ventes/recus"
FATES = BASE + "ventes/statut"
STATE = BASE + "etat"


def line(article: Article, *, quantity: object = 1, price: object = 25000, **fields: Any) -> dict[str, Any]:
    return {"article_id": article.pk, "quantite": quantity, "prix_unitaire": price, **fields}


def sale(number: str, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"numero_facture": number, "lignes": list(lines), **fields}


def stock_of(article: Article) -> object:
    return ArticleUnit.objects.values_list("stock", flat=True).get(pk=article.base_unit_id)


class Till:
    """One device, with the headers that it sends with every call."""

    def __init__(self, device: Device, *, token: str = "", **headers: str) -> None:
        self.device = device
        self.headers = {"X-Device-Serial": device.serial, **headers}
        if token:
            self.headers["Authorization"] = f"Bearer {token}"
        self.client = Client()

    def call(
        self, method: str, path: str, body: bytes = b"", *, content_type: str = "application/json", **headers: str
    ) -> HttpResponse:
        """Call, with `X_App_Version="1"` for a header of that name; None removes a header."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in (self.headers | given).items() if value is not None}
        answer = self.client.generic(method, path, body, content_type=content_type, headers=sent)
        assert_conforms(answer, method=method, path=path)
        return answer

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.call("GET", path, **headers)

    def send(self, body: bytes, **headers: str) -> HttpResponse:
        return self.call("POST", SYNC, body, **headers)

    def send_sales(self, *sales: object, **headers: str) -> HttpResponse:
        return self.send(json.dumps(sales).encode(), **headers)

    def send_gzipped(self, *sales: object, **headers: str) -> HttpResponse:
        return self.send(gzip.compress(json.dumps(sales).encode()), Content_Encoding="gzip", **headers)

    def hand_over(self, *sales: object, **headers: str) -> str:
        """Send a batch that is accepted; return its receipt."""
        answer = self.send_sales(*sales, **headers)
        assert answer.status_code == 202, answer.content
        return answer.json()["recu"]

    def receipt(self, receipt: str, query: str = "") -> dict[str, Any]:
        answer = self.get(f"{RECEIPTS}/{receipt}{query}")
        assert answer.status_code == 200, answer.content
        return answer.json()

    def look_up_statuses(self, *numbers: str) -> list[dict[str, Any]]:
        answer = self.call("POST", FATES, json.dumps({"numeros": numbers}).encode())
        assert answer.status_code == 200, answer.content
        return answer.json()["ventes"]

    def post_all(self) -> None:
        """Post all waiting sales, as a worker would."""
        while post_slice(self.device.terminal_id, slice_s=30).has_more:
            pass

    def post_next(self, count: int = 1) -> None:
        """Post exactly the next `count` sales."""
        context = PostingContext(self.device.terminal_id)
        for _ in range(count):
            assert post_next_sale(context) is Step.POSTED

    def settle(self, *sales: object, **headers: str) -> dict[str, Any]:
        """Hand a batch over, have it posted, and return its receipt."""
        receipt = self.hand_over(*sales, **headers)
        self.post_all()
        return self.receipt(receipt)

    def settle_one(self, content: object, **headers: str) -> dict[str, Any]:
        """Settle a batch of one sale and return the sale's entry in the receipt."""
        details = self.settle(content, **headers)["details"]
        (entry,) = details["creees"] + details["erreurs"]
        return entry

    def batches(self) -> int:
        return Batch.objects.filter(terminal_id=self.device.terminal_id).count()

    def outcomes(self) -> list[str]:
        """Return every outcome of this till, in the order of its sales."""
        rows = SaleOutcome.objects.filter(terminal_id=self.device.terminal_id).order_by("batch_id", "position")
        return list(rows.values_list("status", flat=True))

    @contextmanager
    def posted_meanwhile(self, *, after_s: float = 0.2) -> Iterator[None]:
        """Post all waiting sales from another thread while the block runs. Needs real commits."""

        def post_when_one_waits() -> None:
            try:
                done = threading.Event()
                for _ in range(100):
                    done.wait(after_s)
                    if Batch.objects.filter(terminal_id=self.device.terminal_id, settled_at=None).exists():
                        self.post_all()
                        return
            finally:
                connections.close_all()

        thread = threading.Thread(target=post_when_one_waits)
        thread.start()
        try:
            yield
        finally:
            thread.join()
