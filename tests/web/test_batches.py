"""The pages of batches and of their sales' outcomes."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from backend.sales.models import Batch
from backend.sales.posting.runner import post_slice
from backend.testing import Cast
from backend.web.selectors import batches as selectors
from tests.shop_day import hand_over, post, recorded, sale
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

LIST = "/commercant/envois/"
LIST_QUERIES_MAX = 6
BATCH_QUERIES_MAX = 8
TO_CORRECT_QUERIES_MAX = 7


def page_of(batch: Batch) -> str:
    return reverse("web:batch", args=[batch.receipt])


def test_an_empty_list_says_what_to_check(alice: Client) -> None:
    assert "vérifiez son numéro de série et son jeton" in seen(alice.get(LIST))


def test_batches_show_their_state(
    cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    post(cast.device, sale(cast.rice))
    post(cast.device, sale(cast.rice), sale(cast.rice, quantity=999))
    hand_over(cast.token_device, sale(cast.rice), sale(cast.rice), sale(cast.rice))
    with django_assert_max_num_queries(LIST_QUERIES_MAX):
        words = seen(alice.get(LIST))
    assert words.index("En attente") < words.index("1 problème") < words.index("Traité")
    narrowed = seen(alice.get(LIST, {"caisse": cast.terminal.pk}))
    assert "1 problème" in narrowed
    assert "En attente" not in narrowed


def test_its_pages_have_each_batch_once(cast: Cast, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "PAGE_BATCHES_MAX", 2)
    sent = [str(hand_over(cast.device, sale(cast.rice)).receipt) for _ in range(5)]
    found: list[str] = []
    address = LIST
    while address:
        body = alice.get(address).content.decode()
        found += re.findall(r'class="open" href="/commercant/envois/([^/]+)/', body)
        following = re.search(r'rel="next" href="([^"]+)"', body)
        address = following[1].replace("&amp;", "&") if following else ""
    assert found == sent[::-1]


def test_each_sale_has_its_outcome_and_its_reason(
    cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    known = sale(cast.rice, numero_facture="FAC-1")
    first = recorded(post(cast.device, known))
    batch = post(
        cast.device,
        known,
        {**known, "lignes": [{"article_id": cast.oil.pk, "quantite": 1, "prix_unitaire": 1}]},
        sale(cast.rice, numero_facture="FAC-2"),
        sale(cast.rice, numero_facture="FAC-3", quantity=1000),
        sale(cast.rice, quantity=0, numero_facture="FAC-4"),
        sale(cast.other_article, numero_facture="FAC-5"),
    )
    with django_assert_max_num_queries(BATCH_QUERIES_MAX):
        page = alice.get(page_of(batch))
    words = seen(page)
    for expected in (
        "1 FAC-1 Déjà enregistrée Vente déjà existante",
        "2 FAC-1 Numéro déjà pris Numéro déjà pris par une autre vente",
        "3 FAC-2 Enregistrée 25 000 FC",
        "4 FAC-3 Refusée Stock insuffisant pour Riz 25 kg (demandé 1000, disponible 98) Vérifiez le stock",
        "5 FAC-4 Refusée Champ invalide",
        f"6 FAC-5 Refusée Article {cast.other_article.pk} non trouvé dans cette boutique",
        "Ventes envoyées 6 Enregistrées 1 Déjà enregistrées avant 1 Autres 4",
    ):
        assert expected in words
    assert page.content.decode().count(reverse("web:sale", args=[first.pk])) == 2


def test_a_batch_that_waits_says_that_nothing_is_lost(cast: Cast, alice: Client) -> None:
    words = seen(alice.get(page_of(hand_over(cast.device, sale(cast.rice), sale(cast.rice)))))
    assert "2 ventes attendent leur enregistrement. Elles sont gardées, rien n'est perdu." in words
    assert "Aucune vente de cet envoi n'a encore été traitée." in words


def test_a_long_batch_is_shown_in_pages_and_its_problems_alone(
    cast: Cast, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "PAGE_OUTCOMES_MAX", 5)
    sales = [sale(cast.rice, numero_facture=f"N-{n:02}", quantity=999 if n == 9 else 1) for n in range(12)]
    batch = post(cast.device, *sales)
    found: list[str] = []
    address = page_of(batch)
    while address:
        body = alice.get(address).content.decode()
        found += re.findall(r"N-\d\d", body)
        following = re.search(r'rel="next" href="([^"]+)"', body)
        address = following[1].replace("&amp;", "&") if following else ""
    assert found == [f"N-{n:02}" for n in range(12)]
    problems = seen(alice.get(page_of(batch), {"erreurs": 1}))
    assert re.findall(r"N-\d\d", problems) == ["N-09"]


@pytest.mark.parametrize("after", ["x", "-1", "99999999999999"])
def test_an_impossible_address_is_a_404(after: str, cast: Cast, alice: Client) -> None:
    page = page_of(post(cast.device, sale(cast.rice)))
    assert alice.get(page, {"apres": after}).status_code == 404


def test_a_refusal_that_went_through_since_says_so(cast: Cast, alice: Client) -> None:
    too_much = sale(cast.rice, quantity=150, numero_facture="FAC-9")
    refused = post(cast.device, too_much)
    assert "Vérifiez le stock" in seen(alice.get(page_of(refused)))
    type(cast.rice.base_unit).objects.filter(pk=cast.rice.base_unit.pk).update(stock=1000)
    post(cast.device, too_much)
    words = seen(alice.get(page_of(refused)))
    assert "Renvoyée depuis et enregistrée : FAC-9" in words
    assert "Vérifiez le stock" not in words


def test_each_sale_to_correct_is_listed_with_its_reason(
    cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    assert "Rien à corriger." in seen(alice.get("/commercant/a-corriger/"))
    post(cast.device, sale(cast.rice, quantity=1000, numero_facture="FAC-1"), sale(cast.rice, numero_facture="FAC-2"))
    post(cast.token_device, sale(cast.other_article, numero_facture="FAC-3"))
    with django_assert_max_num_queries(TO_CORRECT_QUERIES_MAX):
        words = seen(alice.get("/commercant/a-corriger/"))
    assert "FAC-1 Terminal MAUI" in words
    assert "Stock insuffisant pour Riz 25 kg" in words
    assert words.index("FAC-3") < words.index("FAC-1")
    assert "FAC-2" not in words


# Live


HTMX = {"HX-Request": "true"}


def asks_again(body: str) -> str | None:
    """Return the address that the page's live part polls, None if it does not poll."""
    found = re.search(r'hx-get="([^"]+)" hx-trigger="every', body)
    return found and found[1].replace("&amp;", "&")


@pytest.mark.parametrize("is_list", [True, False])
def test_a_page_polls_only_while_a_batch_is_unsettled(is_list: bool, cast: Cast, alice: Client) -> None:
    batch = hand_over(cast.device, sale(cast.rice), sale(cast.rice))
    path = LIST if is_list else page_of(batch)
    page = alice.get(path).content.decode()
    again = asks_again(page)
    assert "Actualiser</a>" in page
    assert alice.get(again, headers=HTMX).status_code == 204
    post_slice(cast.device.terminal_id)
    part = alice.get(again, headers=HTMX)
    body = part.content.decode()
    assert "<html" not in body
    assert 'id="live"' in body
    assert "Traité" in body
    assert asks_again(body) is None
    assert "Actualiser</a>" not in body


def test_the_live_part_keeps_the_filters(cast: Cast, alice: Client) -> None:
    hand_over(cast.device, sale(cast.rice))
    hand_over(cast.token_device, sale(cast.rice))
    again = asks_again(alice.get(LIST, {"caisse": cast.terminal.pk}).content.decode())
    assert f"caisse={cast.terminal.pk}" in again
    post(cast.token_device, sale(cast.rice))
    assert alice.get(again, headers=HTMX).status_code == 204


def test_another_shop_gets_no_live_part(cast: Cast, alice: Client, charlie: Client) -> None:
    again = asks_again(alice.get(page_of(hand_over(cast.device, sale(cast.rice)))).content.decode())
    assert alice.get(again, headers=HTMX).status_code == 204
    assert charlie.get(again, headers=HTMX).status_code == 404


def test_a_sale_that_needs_a_person_links_to_the_repair_desk(cast: Cast, alice: Client) -> None:
    batch = post(cast.device, sale(cast.rice), sale(cast.rice, quantity=999))
    assert seen(alice.get(page_of(batch))).count("Décider") == 1
