"""Every figure of money that anybody is shown is a sum of movements: all of them agree, to the cent, on every day."""

import io
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import openpyxl
import pytest
from django.db import connection, connections
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from backend.demo.days import load_days
from backend.demo.loader import load_demo
from backend.sales.days.day_report import WireDay, read_day_report
from backend.sales.days.reconciliation import reconcile
from backend.sales.models import DayTotal, MoneyMovement, Sale, SaleOutcome
from backend.sales.repair.back_office import record_from_page
from backend.sales.repair.desk import Desk
from backend.shops.models import Membership, Shop, Terminal
from backend.testing import Cast
from backend.web.wording.sales import payment_mode
from tests.shop_day import post, sale
from tests.tables import empty_tables

pytestmark = [pytest.mark.embedded, pytest.mark.slow]

# A Wednesday. The days before it hold a Sunday, and the end of a month that is closed on its second day.
NOW = datetime(2026, 3, 4, 17, 0, tzinfo=ZoneInfo("Africa/Kinshasa"))
DAYS = 9
CENT = Decimal("0.01")

Sums = dict[tuple[str, str], Decimal]  # by (mode, currency)

MONEY = """
SELECT business_day, terminal_id, mode, currency, SUM(amount) FROM sales_moneymovement
WHERE shop_id = %s GROUP BY business_day, terminal_id, mode, currency
"""
SOLD = """
SELECT business_day, currency, SUM(CASE kind WHEN 'vente' THEN total WHEN 'paiement' THEN 0 ELSE -total END)
FROM sales_sale WHERE shop_id = %s GROUP BY business_day, currency
"""


@pytest.fixture(scope="module")
def demo_shop(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Shop]:
    with django_db_blocker.unblock():
        empty_tables(connection)
        load_demo(password="un-mot-de-passe-de-test", token="x" * 43)
        shop = Shop.objects.get(code="BTQ-009")
        load_days(shop=shop, days=DAYS, now=NOW)
        yield shop
        empty_tables(connection)
        connections.close_all()


def rows_of(query: str, shop: Shop) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, [shop.pk])
        return [(date.fromisoformat(str(day)), *rest) for day, *rest in cursor.fetchall()]


def money(value: object) -> Decimal:
    return Decimal(str(value)).quantize(CENT)


def added(entries: Iterable[tuple[Any, Any]]) -> dict[Any, Decimal]:
    """Add up by key; a sum of nothing is left out."""
    sums: dict[Any, Decimal] = defaultdict(Decimal)
    for key, amount in entries:
        sums[key] += money(amount)
    return {key: amount for key, amount in sums.items() if amount}


def workbook(client: Client, name: str, day: date) -> list[dict[str, Any]]:
    answer = client.get(reverse(f"web:{name}"), {"du": day.isoformat(), "au": day.isoformat()})
    content = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).worksheets[0]
    head, *rows = content.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def closed(terminal: Terminal, day: date) -> Sums:
    """Close the till's day, and return what the server says is in its drawer."""
    wire = msgspec.convert({"jour": day.isoformat(), "totaux": []}, WireDay)
    report = read_day_report(wire, shop=terminal.shop)
    answer = reconcile(terminal=terminal, device=None, report=report, said={}, now=datetime.now(UTC))
    return added(((each.mode, each.devise), each.montant) for each in answer.totaux)


def words_of(sums: Sums) -> Sums:
    return added(((payment_mode(mode), currency), amount) for (mode, currency), amount in sums.items())


def per_currency(sums: Sums) -> dict[str, Decimal]:
    return added((currency, amount) for (_mode, currency), amount in sums.items())


def check_figures(shop: Shop) -> list[date]:
    """Compare what the pages, the closings and the files say of each day with two plain queries; return the days."""
    client = Client()
    client.force_login(Membership.objects.filter(shop=shop, role="owner").first().user)
    of_money, of_sales = rows_of(MONEY, shop), rows_of(SOLD, shop)
    days = sorted({day for day, *_ in (*of_money, *of_sales)})
    for day in days:
        truth = added(((mode, currency), amount) for on, _, mode, currency, amount in of_money if on == day)
        sold = added((currency, amount) for on, currency, amount in of_sales if on == day)
        shown = client.get(reverse("web:dashboard"), {"jour": day.isoformat()}).context["takings"]
        assert added(((one.mode, one.currency), one.amount) for one in shown.in_hand_by_mode) == truth, day
        assert added((one.currency, one.amount) for one in shown.in_hand) == per_currency(truth), day
        gross = [(one.currency, one.amount) for one in shown.cash_in]
        assert added([*gross, *((one.currency, -one.amount) for one in shown.refunded)]) == per_currency(truth), day
        assert added((one.currency, one.amount) for one in shown.sold) == sold, day
        by_till = {till: closed(till, day) for till in Terminal.objects.filter(shop=shop).select_related("shop")}
        for till, sums in by_till.items():
            own = [row for row in of_money if row[:2] == (day, till.pk)]
            assert sums == added(((mode, currency), amount) for *_, mode, currency, amount in own), (day, till)
            address = reverse("web:till_drawer", args=[till.pk])
            explained = client.get(address, {"jour": day.isoformat()}).context["explanation"]
            cash = added((sheet.currency, sheet.expected) for sheet in explained.cash)
            assert cash == per_currency({key: one for key, one in sums.items() if key[0] == "CASH"}), (day, till)
        assert added(entry for sums in by_till.values() for entry in sums.items()) == truth, day
        moved = workbook(client, "money_xlsx", day)
        assert added(((row["Règlement"], row["Devise"]), row["Montant"]) for row in moved) == words_of(truth), day
        documents = workbook(client, "sales_xlsx", day)
        assert added((row["Devise"], row["Vendu"] or 0) for row in documents) == sold, day
    return days


def test_all_figures_of_the_demonstration_agree_on_every_day(demo_shop: Shop) -> None:
    assert len(check_figures(demo_shop)) == DAYS
    assert MoneyMovement.objects.filter(shop=demo_shop, currency="USD").exists()


def follow(kind: str, number: str, **fields: object) -> dict[str, object]:
    moment = datetime.now(UTC).isoformat()
    origin = {"numero_facture": number}
    return {"type": kind, "numero_facture": f"{kind}-{number}", "date_vente": moment, "origine": origin, **fields}


@pytest.fixture
def busy_shop(standing_cast: Cast) -> Shop:
    """A shop with a day of everything that moves money, and a day before it that today changes."""
    cast = standing_cast
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    dollars = {"mode": "CASH", "devise": "USD", "montant": 10, "taux": 2850}
    split = [{"mode": "CASH", "montant": 10000}, {"mode": "MOBILE_MONEY", "montant": "15000.50"}]
    one_line = {"lignes": [{"ligne": 1, "quantite": 1}]}
    post(
        cast.device,
        sale(cast.rice, numero_facture="OLD", date_vente=yesterday, mode_paiement="MOBILE_MONEY"),
        sale(cast.rice, numero_facture="TWICE", price=6650, date_vente=yesterday, caissier={"code": "C2"}),
        sale(cast.rice, numero_facture="PLAIN"),
        sale(cast.rice, numero_facture="SPLIT", price="25000.50", paiements=split),
        sale(cast.rice, numero_facture="CHANGE", paiements=[dollars], rendu=[{"mode": "CASH", "montant": 3500}]),
        sale(cast.rice, numero_facture="DOLLARS", price="10.25", devise="USD"),
        sale(cast.oil, numero_facture="OWED", quantity=2, price=20000, paye=False, paiements=split[:1]),
        sale(cast.oil, numero_facture="GONE", price=5000, paye=False),
        sale(cast.oil, numero_facture="MORE", price=5000, paiements=split),
        sale(cast.oil, numero_facture="BACK", quantity=3, price=700, mode_paiement="CARTE"),
        sale(cast.oil, numero_facture="TWICE", price=2600, date_vente=yesterday, caissier={"code": "C2"}),
        follow("annulation", "OLD"),
        follow("annulation", "SPLIT"),
        follow("annulation", "GONE"),
        follow("paiement", "OWED", montant=4, devise="USD", taux=2850),
        follow("retour", "BACK", **one_line),
        follow("retour", "OWED", **one_line),
    )
    post(cast.token_device, sale(cast.oil, numero_facture="OTHER", price=900), sale(cast.rice, price=1))
    Desk(shop=cast.shop, user=cast.bob).replace_first(*conflict(), key="aaaa1111")
    void = {"type": "annulation", "origine": {"vente_id": Sale.objects.get(number="OTHER").pk}}
    record_from_page(shop=cast.shop, user=cast.bob, document=void, key="annuler01")
    return cast.shop


def conflict() -> tuple[int, int]:
    entry = SaleOutcome.objects.get(status="conflict")
    return entry.batch_id, entry.position


def test_all_figures_agree_of_every_way_in_which_money_moves(busy_shop: Shop) -> None:
    assert Sale.objects.filter(shop=busy_shop).count() == 21
    days = check_figures(busy_shop)
    assert len(days) == 2
    # Again, with yesterday from the totals that were kept.
    assert DayTotal.objects.filter(shop=busy_shop, day=days[0]).exists()
    assert check_figures(busy_shop) == days
