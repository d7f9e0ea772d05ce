"""The days that the demonstration tells: what stands in its shop afterwards."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, connections
from django.db.models import F
from pytest_django import DjangoDbBlocker

from backend.demo.days import load_days
from backend.demo.loader import SILENT_SERIAL, load_demo
from backend.inventory.models import Article, ArticleUnit
from backend.sales.days.answers import DIFFERENT, EQUAL
from backend.sales.models import Batch, InvoiceSequence, Sale, SaleKind, TillClosing
from backend.sales.repair.open_entries import open_entries
from backend.sales.tills.status import load_till_statuses
from backend.sales.tills.watermark import watermark_of_tills
from backend.shops.models import Device, Shop, Terminal
from tests.doctor.examination import found_by
from tests.invariants import check_invariants
from tests.tables import empty_tables

pytestmark = [pytest.mark.embedded, pytest.mark.slow]

KINSHASA = ZoneInfo("Africa/Kinshasa")
# A Wednesday. The days before it hold a Sunday, and the end of a month that is closed on its second day.
NOW = datetime(2026, 3, 4, 17, 0, tzinfo=KINSHASA)
DAYS = 12
SECRETS = {"password": "un-mot-de-passe-de-test", "token": "x" * 43}


@pytest.fixture(scope="module")
def shop(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Shop]:
    """The demo shop with its days, told once for all that is only looked at here."""
    with django_db_blocker.unblock():
        empty_tables(connection)
        load_demo(**SECRETS)
        shop = Shop.objects.get(code="BTQ-009")
        load_days(shop=shop, days=DAYS, now=NOW)
        yield shop
        empty_tables(connection)
        connections.close_all()


def test_the_days_hold_something_of_everything_a_shop_meets(shop: Shop) -> None:
    check_invariants()
    documents = Sale.objects.filter(shop=shop)
    kinds = Counter(documents.values_list("kind", flat=True))
    assert set(kinds) == {SaleKind.SALE, SaleKind.VOID, SaleKind.RETURN, SaleKind.PAYMENT}
    assert {day for (day,) in documents.values_list("business_day").distinct()} == {
        NOW.date() - timedelta(days=back) for back in range(DAYS)
    }
    assert documents.filter(is_paid=False, customer_name__startswith="Client à crédit").exists()
    assert documents.filter(money__currency="USD").exists()
    assert documents.filter(lines__discount__gt=0, kind=SaleKind.SALE).exists()
    refused = Counter(open_entries(shop_id=shop.pk).values_list("code", flat=True))
    assert refused == {"stock_insuffisant": 1, "article_inconnu": 1, "numero_deja_pris": 1}
    low = ArticleUnit.objects.filter(shop=shop, stock__lt=F("low_stock_threshold"))
    assert set(low.values_list("article__code", flat=True)) == {"LAI01", "SAR01"}
    assert found_by("stock_is_the_sum_of_movements") == found_by("register_has_no_gap") == []


def test_the_days_end_as_the_tills_counted_but_for_one_drawer(shop: Shop) -> None:
    closings = TillClosing.objects.filter(shop=shop)
    assert Counter(closings.values_list("result", flat=True)) == {EQUAL: closings.count() - 1, DIFFERENT: 1}
    (short,) = closings.get(result=DIFFERENT).answered["caisse"]
    assert short["ecart"] == "-1500.00"
    (february,) = InvoiceSequence.objects.filter(shop=shop).exclude(closed_at=None)
    assert (february.year, february.month) == (2026, 2)
    assert february.last_number == Sale.objects.filter(shop=shop, business_day__lt=date(2026, 3, 1)).count()


def test_what_is_told_happened_at_its_own_time(shop: Shop) -> None:
    first = Sale.objects.filter(shop=shop).order_by("pk").first()
    assert first.received_at.astimezone(KINSHASA).date() == first.business_day == NOW.date() - timedelta(days=DAYS - 1)
    assert not Sale.objects.filter(shop=shop, received_at__lt=F("sold_at")).exists()
    assert not Batch.objects.filter(shop=shop, settled_at__gte=NOW + timedelta(minutes=1)).exists()
    unit = Article.objects.get(shop=shop, code="RIZ01").base_unit
    times = list(unit.movements.order_by("pk").values_list("at", flat=True))
    assert times == sorted(times)


def test_one_till_has_been_silent_for_two_days_and_holds_the_shops_figures_back(shop: Shop) -> None:
    silent = Device.objects.get(serial=SILENT_SERIAL)
    watermark = watermark_of_tills(load_till_statuses(Terminal.objects.filter(shop=shop)))
    until = watermark.until
    assert until.astimezone(KINSHASA).date() == NOW.date() - timedelta(days=2)
    assert silent.last_seen_at < NOW - timedelta(days=2)
    (word,) = [word for word in watermark.reports if word.complete_until == until]
    assert word.terminal_id == silent.terminal_id
