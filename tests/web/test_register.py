"""The register of a month: every number with its document, and what is missing in red."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from backend.sales.days.month_closing import close_month
from backend.sales.models import Batch, InvoiceSequence, Sale
from backend.testing import Cast
from backend.web.selectors import register as selectors
from tests.shop_day import hand_over, post, sale
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

PAGE = "/commercant/registre/"
QUERIES_MAX = 11
LAST_MONTH = timezone.now().replace(day=1) - timedelta(days=3)


def numbers_shown(body: str) -> list[int]:
    return [int(one) for one in re.findall(r'<th scope="row" class="figure">(\d+)</th>', body)]


def lose(number: int) -> None:
    """Take a document out of the register, which only a bug could do."""
    Sale.objects.filter(register_number=number).update(register_year=None, register_month=None, register_number=None)


def test_an_empty_month_says_what_will_be_listed(alice: Client) -> None:
    words = seen(alice.get(PAGE))
    assert "Aucun document dans ce mois." in words
    assert "En cours" in words


def test_every_number_has_its_document_of_whatever_kind(
    cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    post(cast.device, sale(cast.rice, numero_facture="FAC-1"), sale(cast.rice, numero_facture="FAC-2", quantity=999))
    void = {"type": "annulation", "numero_facture": "AVO-1", "origine": {"numero_facture": "FAC-1"}}
    post(cast.device, void)
    post(cast.token_device, sale(cast.oil, numero_facture="C2-1", price=75000))
    with django_assert_max_num_queries(QUERIES_MAX):
        page = alice.get(PAGE)
    words = seen(page)
    for expected in (
        "3 documents : ventes, annulations, retours et paiements, numérotés à la suite.",
        "1 n° 1 · FAC-1 Annulée Terminal MAUI",
        "2 n° 2 · AVO-1 Annulation Terminal MAUI",
        f"3 n° 3 · C2-1 {cast.token_device.terminal.name}",
        "75 000 FC",
    ):
        assert expected in words
    assert "FAC-2" not in words
    assert "Il manque" not in words
    body = page.content.decode()
    assert reverse("web:sale", args=[Sale.objects.get(number="C2-1").pk]) in body


def test_its_pages_have_each_number_once(cast: Cast, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "PAGE_NUMBERS_MAX", 2)
    post(cast.device, *[sale(cast.rice) for _ in range(5)])
    found: list[int] = []
    address = PAGE
    while address:
        body = alice.get(address).content.decode()
        found += numbers_shown(body)
        following = re.search(r'rel="next" href="([^"]+)"', body)
        address = following[1].replace("&amp;", "&") if following else ""
    assert found == [1, 2, 3, 4, 5]
    back = re.search(r'rel="prev" href="([^"]+)"', body)[1].replace("&amp;", "&")
    assert numbers_shown(alice.get(back).content.decode()) == [3, 4]
    assert numbers_shown(alice.get(PAGE, {"numero": 4}).content.decode()) == [4, 5]
    assert "pas de document à partir de ce numéro" in seen(alice.get(PAGE, {"numero": 6}))


def test_a_number_without_a_document_is_shown_in_red(cast: Cast, alice: Client) -> None:
    post(cast.device, *[sale(cast.rice, numero_facture=f"FAC-{number}") for number in range(1, 8)])
    assert "Il manque" not in seen(alice.get(PAGE))
    for number in (1, 4, 5, 7):
        lose(number)
    page = alice.get(PAGE)
    words = seen(page)
    assert "Il manque des numéros." in words
    assert "n° 1, n° 4 à 5, n° 7" in words
    assert "3 documents" in words
    assert "4 n° 4 : Aucun document" in words
    assert page.content.decode().count('<tr class="gap">') == 4
    assert 'role="alert"' in page.content.decode()


def test_a_number_beyond_the_sequence_is_shown_too(cast: Cast, alice: Client) -> None:
    post(cast.device, sale(cast.rice), sale(cast.rice), sale(cast.rice))
    InvoiceSequence.objects.update(last_number=1)
    assert numbers_shown(alice.get(PAGE).content.decode()) == [1, 2, 3]


def test_a_month_is_chosen_and_says_whether_it_is_closed(cast: Cast, alice: Client) -> None:
    batch = hand_over(cast.device, sale(cast.rice, numero_facture="VIEUX", date_vente=LAST_MONTH.isoformat()))
    Batch.objects.filter(pk=batch.pk).update(received_at=LAST_MONTH)
    post(cast.device, sale(cast.rice, numero_facture="NEUF"))
    assert "VIEUX" not in seen(alice.get(PAGE))
    month = f"{LAST_MONTH:%Y-%m}"
    words = seen(alice.get(PAGE, {"mois": month}))
    assert "VIEUX" in words
    assert "NEUF" not in words
    assert "Fini, encore ouvert" in words
    assert "Clôturer le mois" in words
    viewer = Client()
    viewer.force_login(cast.victor)
    assert "Clôturer le mois" not in seen(viewer.get(PAGE, {"mois": month}))
    close_month(shop=cast.shop, year=LAST_MONTH.year, month=LAST_MONTH.month, author="alice")
    words = seen(alice.get(PAGE, {"mois": month}))
    assert "par alice" in words
    assert "Fini, encore ouvert" not in words
    assert "Clôturer le mois" not in words


@pytest.mark.parametrize(
    "query", [{"mois": "2024-13"}, {"mois": "1990-01"}, {"mois": "x"}, {"numero": "0"}, {"numero": "x"}]
)
def test_an_impossible_address_is_a_404(query: dict[str, str], cast: Cast, alice: Client) -> None:
    assert alice.get(PAGE, query).status_code == 404


def test_another_shops_register_is_not_found(cast: Cast, alice: Client, charlie: Client) -> None:
    post(cast.device, sale(cast.rice, numero_facture="FAC-1"))
    assert "FAC-1" in seen(alice.get(PAGE))
    assert "Aucun document dans ce mois." in seen(charlie.get(PAGE))
    assert charlie.get(PAGE, {"boutique": cast.shop.code}).status_code == 404
