"""Compares the merchants' pages with many and with few stored sales: time in this process, and queries."""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backend.sales.intake import Caller, receive_batch
from backend.sales.models import DayTotal, Sale, SaleOutcome
from backend.sales.posting.runner import post_slice
from backend.sales.tills.heartbeat import Held, ParsedHeartbeat, record_heartbeat
from backend.shops.models import Device, Shop
from backend.testing import make_user
from benchmarks import databases, filling
from benchmarks.report import Comparison, median, milliseconds
from benchmarks.world import TILLS, Till

FEW, MANY = "pages_few_stored", "pages_many_stored"
FEW_STORED = 1000
DASHBOARD = "dashboard"
TODAY_SALES, TODAY_REFUSED = 100, 20
# How often a page is opened in a round; the median is used.
LOOKS = 5

Ids = dict[str, object]
# The main pages by the names of their routes, each with the parameters of its address.
PAGES: dict[str, tuple[str, ...]] = {
    DASHBOARD: (), "sales": (), "sale": ("sale_id",), "invoice": ("sale_id",), "credits": (), "new_sale": (),
    "to_correct": (), "entry": ("batch_id", "position"), "stock": (), "article": ("article_id",),
    "unit": ("article_id", "unit_id"), "movements": (), "batches": (), "batch": ("receipt",), "closings": (),
    "tills": (), "till": ("terminal_id",), "register": (), "team": (),
}  # fmt: skip


class Visitor:
    """The owner of the first till's shop, in one of the two databases."""

    def __init__(self, till: Till, database: str) -> None:
        self.database = database
        with databases.using(database):
            self.client = Client(headers={"host": "localhost"})
            self.client.force_login(make_user("owner", Shop.objects.get(pk=till.shop_id)))
            self.ids = _sell_today(till)

    def open(self, name: str) -> None:
        path = reverse(f"web:{name}", kwargs={parameter: self.ids[parameter] for parameter in PAGES[name]})
        answer = self.client.get(path)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")

    def look(self, name: str, *, before: Callable[[], object] = lambda: None, times: int = LOOKS) -> float:
        """Return how many seconds the page took, the median of `times` requests."""
        taken = []
        for _ in range(times):
            before()
            began = time.perf_counter()
            self.open(name)
            taken.append(time.perf_counter() - began)
        return median(taken)

    def queries(self, name: str, *, before: Callable[[], object] = lambda: None) -> int:
        before()
        with CaptureQueriesContext(connection) as asked:
            self.open(name)
        return len(asked)


def compare_pages(tills: Sequence[Till], *, rounds: int, stored: int) -> Iterable[Comparison]:
    """Each main page with `stored` sales in the database, against FEW_STORED; the dashboard also as a day's first."""
    visitors = []
    for database, sales in ((MANY, stored), (FEW, FEW_STORED)):
        databases.copy_template(database)
        with databases.using(database):
            # The last stored sales are of today, like those that are sold now.
            days = (sales // TILLS - 1) // filling.DAY_SALES
            filling.store(tills, sales, first_day=datetime.now(UTC).date() - timedelta(days=days))
        visitors.append(Visitor(tills[0], database))
    databases.let_settle()
    what = f"with {stored:,} sales stored, against {FEW_STORED:,}"
    yield _compare(f"7. {DASHBOARD}, first look of a day, {what}", visitors, DASHBOARD, rounds, before=_forget_days)
    for name in PAGES:
        yield _compare(f"7. {name} {what}", visitors, name, rounds)


def _compare(
    what: str, visitors: Sequence[Visitor], name: str, rounds: int, *, before: Callable[[], object] = lambda: None
) -> Comparison:
    seen: list[list[float]] = [[] for _ in visitors]
    counts = []
    for visitor, taken in zip(visitors, seen, strict=True):
        with databases.using(visitor.database):
            visitor.open(name)
            counts.append(visitor.queries(name, before=before))
            # One database after the other: otherwise the time of a new connection would be measured too.
            taken += [visitor.look(name, before=before) for _ in range(rounds)]
    ours, other = (f"{milliseconds(taken)}, {count} queries" for taken, count in zip(seen, counts, strict=True))
    return Comparison(what=what, ours=ours, other=other, ratios=[one / two for one, two in zip(*seen, strict=True)])


def _forget_days() -> None:
    """Delete yesterday's stored totals, as on the first view of a day or after a late document."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    DayTotal.objects.filter(day=yesterday).update(added_up_at_marks=None)


def _sell_today(till: Till) -> Ids:
    """Make a sale, a refusal, a waiting batch and a heartbeat of the till; return the ids for the pages' addresses."""
    device = Device.objects.select_related("terminal__shop").get(pk=till.device_id)
    numbers = [f"TODAY-{place:03}" for place in range(TODAY_SALES)]
    sold = receive_batch(caller=Caller(device), body=_body(till, numbers)).batch
    receive_batch(
        caller=Caller(device), body=_body(till, [f"NO-{index}" for index in range(TODAY_REFUSED)], quantity="0")
    )
    while post_slice(till.terminal_id).has_more:
        pass
    receive_batch(caller=Caller(device), body=_body(till, ["WAITS-1"]))
    record_heartbeat(device=device, heartbeat=ParsedHeartbeat(None, Held(0, {}, None), None), now=datetime.now(UTC))
    refused = SaleOutcome.objects.filter(terminal_id=till.terminal_id, document=None).first()
    return {
        "sale_id": Sale.objects.get(terminal_id=till.terminal_id, number=numbers[0]).pk,
        "batch_id": refused.batch_id,
        "position": refused.position,
        "article_id": till.article_ids[0],
        "unit_id": till.unit_ids[0],
        "receipt": sold.receipt,
        "terminal_id": till.terminal_id,
    }


def _body(till: Till, numbers: Iterable[str], *, quantity: str = "2") -> bytes:
    line = {"article_id": till.article_ids[0], "quantite": quantity, "prix_unitaire": str(Decimal(1500))}
    sales = [
        {
            "numero_facture": number,
            "date_vente": datetime.now(UTC).isoformat(),
            "paye": place % 10 != 0,
            "client": {"nom": f"Client {place}"},
            "lignes": [line, {**line, "article_id": till.article_ids[place % len(till.article_ids)]}],
        }
        for place, number in enumerate(numbers)
    ]
    return json.dumps(sales).encode()
