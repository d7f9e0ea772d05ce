"""The page of open credits."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from backend.sales.models import Sale
from backend.sales.money.owed import owed_for
from backend.testing import Cast
from backend.web.selectors import credits as selectors
from tests.shop_day import post, sale
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

PAGE = "/commercant/credits/"
QUERIES_MAX = 9


def on_credit(cast: Cast, number: str, *, name: str = "", days_ago: int = 0, **fields: object) -> dict[str, object]:
    moment = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat()
    customer = {"client": {"nom": name}} if name else {}
    return sale(cast.rice, numero_facture=number, paye=False, date_vente=moment, **customer, **fields)


def follow(origin: str, kind: str, **fields: object) -> dict[str, object]:
    origin_of = {"type": kind, "origine": {"numero_facture": origin}}
    return {**origin_of, "date_vente": datetime.now(UTC).isoformat(), **fields}


def numbers_on(page: object) -> list[str]:
    return re.findall(r'class="touch"[^>]*>([^<]+)</a>', page.content.decode())


def test_nobody_owes_anything(alice: Client) -> None:
    assert "Personne ne doit rien." in seen(alice.get(PAGE))


def test_open_credits_are_listed_oldest_first_and_by_customer(cast: Cast, alice: Client) -> None:
    mixed = [{"mode": "CASH", "montant": 5000}, {"mode": "CASH", "devise": "USD", "montant": 1, "taux": "2850.555"}]
    post(
        cast.device,
        sale(cast.rice, numero_facture="PAID"),
        on_credit(cast, "NEW", name="Chantal"),
        on_credit(cast, "OLD", name="Aristote", days_ago=9),
        on_credit(cast, "DOLLARS", name="Chantal", devise="USD", price=10),
        on_credit(cast, "PART", name="Aristote", days_ago=3, paiements=mixed),
        on_credit(cast, "VOIDED", name="Aristote"),
        on_credit(cast, "SETTLED", name="Aristote"),
        on_credit(cast, "BACK", name="Aristote", quantity=2),
        on_credit(cast, "ATONCE", paiements=[{"mode": "CASH", "montant": 25000}]),
        follow("VOIDED", "annulation", numero_facture="V"),
        follow("SETTLED", "paiement", numero_facture="P1", montant=25000),
        follow("BACK", "retour", numero_facture="R", lignes=[{"ligne": 1, "quantite": 1}]),
        follow("NEW", "paiement", numero_facture="P2", montant=1000),
    )
    post(cast.other_device, sale(cast.other_article, numero_facture="THEIRS", paye=False))
    page = alice.get(PAGE)
    assert numbers_on(page) == ["OLD", "PART", "NEW", "DOLLARS", "BACK"]
    owed = sum(owed_for(one) for one in Sale.objects.filter(shop=cast.shop, currency="CDF", kind="vente"))
    assert str(owed) == "91149.44"
    words = seen(page)
    assert "Reste dû à la boutique 91 149,44 FC 10,00 $US" in words
    assert "Aristote 3 ventes 67 149,44 FC" in words
    assert "Chantal 1 vente 24 000 FC" in words
    assert "25 000 FC 24 000 FC" in words
    only = alice.get(PAGE, {"client": "Chantal"})
    assert numbers_on(only) == ["NEW", "DOLLARS"]
    assert "24 000 FC 10,00 $US" in seen(only)


def test_sales_without_a_customer_are_listed_together(cast: Cast, alice: Client) -> None:
    post(cast.device, on_credit(cast, "NOBODY"), on_credit(cast, "SOMEBODY", name="Chantal"))
    page = alice.get(PAGE)
    address = re.search(r'href="([^"]+client=)"', page.content.decode())[1]
    assert numbers_on(alice.get(address)) == ["NOBODY"]


def test_its_pages_hold_each_sale_once(cast: Cast, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "PAGE_CREDITS_MAX", 2)
    post(cast.device, *(on_credit(cast, f"N{n}", days_ago=n // 2) for n in range(5)))
    found, address = [], PAGE
    while address:
        page = alice.get(address)
        found += numbers_on(page)
        following = re.search(r'rel="next" href="([^"]+)"', page.content.decode())
        address = following and following[1].replace("&amp;", "&")
    assert found == ["N4", "N2", "N3", "N0", "N1"]
    assert alice.get(PAGE, {"apres": "x"}).status_code == 404


def test_only_a_manager_takes_a_payment_from_here(cast: Cast, bob: Client, victor: Client, charlie: Client) -> None:
    post(cast.device, on_credit(cast, "NEW", name="Chantal"))
    path = reverse("web:take_payment", args=[Sale.objects.get(number="NEW").pk])
    assert path in bob.get(PAGE).content.decode()
    assert path not in victor.get(PAGE).content.decode()
    assert "Chantal" in seen(victor.get(PAGE))
    assert "Personne ne doit rien." in seen(charlie.get(PAGE))


def test_its_queries_do_not_grow_with_the_credits(
    cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    post(cast.device, *(on_credit(cast, f"N{n}", name=f"Client {n}") for n in range(60)))
    with django_assert_max_num_queries(QUERIES_MAX):
        assert len(numbers_on(alice.get(PAGE))) == selectors.PAGE_CREDITS_MAX
