"""The list of sales, and a sale."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from backend.sales.models import Sale
from backend.shops.models import StockPolicy
from backend.testing import Cast, make_device
from backend.web.selectors import sale_search as selectors
from tests.shop_day import post, recorded, sale
from tests.web.reading import seen

pytestmark = pytest.mark.embedded

LIST = "/commercant/ventes/"
LIST_QUERIES_MAX = 6
SALE_QUERIES_MAX = 10


def numbers_on(page: object) -> list[str]:
    return re.findall(r'class="open"[^>]*>([^<]+)</a>', page.content.decode())


def next_page(page: object) -> str | None:
    found = re.search(r'rel="next" href="([^"]+)"', page.content.decode())
    return LIST + found[1].replace("&amp;", "&").partition("/commercant/ventes/")[2] if found else None


def test_an_empty_list_says_where_to_look(alice: Client) -> None:
    words = seen(alice.get(LIST))
    assert "Aucune vente enregistrée pour l'instant." in words
    assert "Regardez les envois des caisses" in words


def test_sales_stand_newest_first_under_their_day(cast: Cast, alice: Client) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    post(
        cast.device,
        sale(cast.rice, numero_facture="A"),
        sale(cast.rice, numero_facture="B", date_vente=yesterday),
        sale(cast.rice, numero_facture="C", paye=False),
    )
    page = alice.get(LIST)
    assert numbers_on(page) == ["C", "A", "B"]
    words = seen(page)
    assert words.index("aujourd'hui") < words.index("hier")
    assert "À crédit" in words


def test_it_can_be_narrowed_to_a_day_and_a_till(cast: Cast, alice: Client) -> None:
    now = datetime.now(UTC)
    post(cast.device, sale(cast.rice, numero_facture="A"))
    post(cast.token_device, sale(cast.rice, numero_facture="B"))
    post(cast.token_device, sale(cast.rice, numero_facture="C", date_vente=(now - timedelta(days=3)).isoformat()))
    day = Sale.objects.get(number="C").business_day.isoformat()
    till = cast.token_device.terminal_id
    assert numbers_on(alice.get(LIST, {"caisse": till})) == ["B", "C"]
    assert numbers_on(alice.get(LIST, {"jour": day})) == ["C"]
    assert numbers_on(alice.get(LIST, {"jour": day, "caisse": till})) == ["C"]
    assert "Aucune vente ne correspond à ce choix." in seen(alice.get(LIST, {"jour": "2020-01-01"}))


def test_a_day_that_is_none_is_said_beside_its_field(cast: Cast, alice: Client) -> None:
    post(cast.device, sale(cast.rice, numero_facture="FAC-A"))
    words = seen(alice.get(LIST, {"jour": "hier"}))
    assert "Saisissez une date valide." in words
    assert "FAC-A" not in words


def test_its_pages_hold_each_sale_once_though_others_arrive(
    cast: Cast, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "PAGE_SALES_MAX", 3)
    now = datetime.now(UTC)
    for ago in (0, 1):
        moment = (now - timedelta(days=ago)).isoformat()
        post(cast.device, *(sale(cast.rice, numero_facture=f"{ago}-{n}", date_vente=moment) for n in range(4)))
    found: list[str] = []
    address: str | None = LIST
    while address:
        page = alice.get(address)
        found += numbers_on(page)
        address = next_page(page)
        post(cast.device, sale(cast.rice))
    assert found == [f"{ago}-{n}" for ago in (0, 1) for n in (3, 2, 1, 0)]


def test_the_next_page_keeps_what_was_chosen(cast: Cast, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "PAGE_SALES_MAX", 1)
    post(cast.device, sale(cast.rice, numero_facture="A"), sale(cast.rice, numero_facture="B"))
    post(cast.token_device, sale(cast.rice, numero_facture="C"))
    first = alice.get(LIST, {"caisse": cast.terminal.pk})
    assert numbers_on(first) == ["B"]
    assert numbers_on(alice.get(next_page(first))) == ["A"]


@pytest.mark.parametrize("cursor", ["x", "2024-11-04", "_5", "2024-11-04_x", "2024-13-40_5", "2024-11-04T10:00:00_5"])
def test_a_cursor_that_we_did_not_give_is_a_404(cursor: str, alice: Client) -> None:
    assert alice.get(LIST, {"apres": cursor}).status_code == 404


def test_the_list_asks_the_same_questions_however_long_it_is(
    cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    post(cast.device, *(sale(cast.rice) for _ in range(60)))
    with django_assert_max_num_queries(LIST_QUERIES_MAX):
        assert len(numbers_on(alice.get(LIST))) == selectors.PAGE_SALES_MAX


def test_a_sale_shows_all_that_belongs_to_it(
    cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    payments = [
        {"mode": "CASH", "montant": 50000},
        {"mode": "MOBILE_MONEY", "devise": "USD", "montant": 10, "taux": 2850},
    ]
    lines = [
        {"article_id": cast.rice.pk, "quantite": 1.5, "prix_unitaire": 3000},
        {"article_id": cast.oil.pk, "quantite": 1, "prix_unitaire": 74500, "remise": 500},
    ]
    sent = sale(
        cast.rice,
        numero_facture="FAC-20241104-003",
        lignes=lines,
        paiements=payments,
        caissier={"code": "C2", "nom": "Béatrice"},
        client={"nom": "Maman Chantal", "telephone": "+243 81 000 00 00"},
    )
    document = recorded(post(cast.device, sent))
    with django_assert_max_num_queries(SALE_QUERIES_MAX):
        words = seen(alice.get(reverse("web:sale", args=[document.pk])))
    for expected in (
        "Vente FAC-20241104-003",
        "Total 78 500 FC",
        "Espèces 50 000 FC",
        "Mobile money 10,00 $US (taux 2 850)",
        document.registration_number,
        "Riz 25 kg PCE 1,5 3 000 FC",
        "Huile 20 L PCE 1 74 500 FC 500 FC",
        "Riz 25 kg PCE −1,5 100 98,5",
        "Vendue, à l'heure de la caisse aujourd'hui",
        "Reçue par le serveur aujourd'hui",
        "Caisse Terminal MAUI",
        "Caissier Béatrice",
        "Client Maman Chantal +243 81 000 00 00",
        "l'envoi de la caisse, vente 1",
    ):
        assert expected in words


def test_a_sale_from_another_device_of_the_till_shows_its_variant(cast: Cast, alice: Client) -> None:
    post(cast.device, sale(cast.rice, numero_facture="FAC-1"))
    batch = post(make_device(cast.terminal), sale(cast.oil, numero_facture="FAC-1"))
    words = seen(alice.get(reverse("web:sale", args=[recorded(batch).pk])))
    assert "Vente FAC-1~2" in words
    assert "vente n° 2 sous ce numéro" in words
    assert "Un autre appareil de la même caisse avait déjà donné ce numéro." in words
    assert numbers_on(alice.get(LIST)) == ["FAC-1~2", "FAC-1"]


def test_warnings_are_told_in_plain_french(cast: Cast, alice: Client) -> None:
    cast.shop.stock_policy = StockPolicy.ACCEPT
    cast.shop.save(update_fields=["stock_policy"])
    sent = sale(cast.rice, quantity=120, montant_total=1)
    del sent["date_vente"]
    words = seen(alice.get(reverse("web:sale", args=[recorded(post(cast.device, sent)).pk])))
    assert "Le total envoyé par la caisse n'est pas la somme des lignes : les lignes comptent." in words
    assert "Le stock est passé sous zéro." in words
    assert "La caisse n'a pas dit l'heure de la vente." in words
    assert "Vendue, à l'heure de la caisse heure inconnue" in words


def test_what_a_till_sends_is_shown_as_text(cast: Cast, alice: Client) -> None:
    batch = post(cast.device, sale(cast.rice, numero_facture="<b>1</b>", client={"nom": "<script>alert(1)</script>"}))
    for page in (reverse("web:sale", args=[recorded(batch).pk]), LIST, reverse("web:batch", args=[batch.receipt])):
        body = alice.get(page).content.decode()
        assert "<b>1" not in body
        assert "<script>" not in body
        assert "&lt;b&gt;1" in body
