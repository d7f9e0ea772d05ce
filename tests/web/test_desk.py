"""The repair desk as a shopkeeper sees it: why a sale was refused, the possible fixes, and their results."""

import pytest
from django.test import Client
from django.urls import reverse

from backend.sales.models import Sale, SaleOutcome
from backend.sales.tills.pauses import pause
from backend.testing import Cast
from tests.shop_day import post, sale
from tests.tills import stock_of
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded


@pytest.fixture
def bob(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.bob)
    return client


@pytest.fixture
def victor(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.victor)
    return client


def entry(outcome: SaleOutcome | None = None) -> str:
    outcome = outcome or SaleOutcome.objects.exclude(status="created").latest("batch_id")
    return reverse("web:entry", args=[outcome.batch_id, outcome.position])


def decide(client: Client, decision: str, **fields: str) -> str:
    """Press a button of the desk and return the text of the next page."""
    page = entry()
    return seen(client.post(f"{page}decision/", {"decision": decision, "cle": "aaaa1111", **fields}, follow=True))


def short(cast: Cast, number: str = "FAC-9") -> None:
    post(cast.device, sale(cast.rice, quantity=150, numero_facture=number))


def test_the_list_leads_to_the_sale_with_its_reason_and_the_fix_that_fits(cast: Cast, bob: Client) -> None:
    short(cast)
    assert entry() in bob.get("/commercant/a-corriger/").content.decode()
    words = seen(bob.get(entry()))
    assert "Stock insuffisant pour Riz 25 kg (demandé 150, disponible 100)" in words
    assert words.index("Essayer encore") < words.index("Accepter, stock négatif") < words.index("Mettre de côté")
    assert "Riz 25 kg" in words
    assert "3 750 000 FC" in words


def test_a_sale_is_accepted_with_negative_stock(cast: Cast, bob: Client) -> None:
    short(cast)
    words = decide(bob, "accept_short_stock", raison="le camion est passé")
    assert "La vente est enregistrée" in words
    assert "le camion est passé" in words
    assert Sale.objects.get().registration_number in words
    assert stock_of(cast.rice) == -50
    assert "Rien à corriger" in seen(bob.get("/commercant/a-corriger/"))


def test_trying_again_without_a_change_says_why_not(cast: Cast, bob: Client) -> None:
    short(cast)
    assert "Toujours refusée : Stock insuffisant" in decide(bob, "try_again")


def test_a_person_chooses_the_article_of_a_line(cast: Cast, bob: Client) -> None:
    post(cast.device, sale(cast.other_article, quantity=2, numero_facture="FAC-9"))
    assert "écrivez le code d'un article" in decide(bob, "choose_units")
    assert "écrivez le code d'un article" in decide(bob, "choose_units", ligne_0=cast.other_article.code)
    assert "La vente est enregistrée" in decide(bob, "choose_units", ligne_0="RIZ25 PIECE")
    assert stock_of(cast.rice) == 98


def test_a_code_alone_means_the_base_unit(cast: Cast, bob: Client) -> None:
    post(cast.device, sale(cast.other_article, quantity=2, numero_facture="FAC-9"))
    assert "La vente est enregistrée" in decide(bob, "choose_units", ligne_0="RIZ25")


@pytest.mark.parametrize(("decision", "left"), [("accept_as_own_sale", 96), ("replace_first", 97)])
def test_a_conflict_is_another_sale_or_a_correction(decision: str, left: int, cast: Cast, bob: Client) -> None:
    post(cast.device, sale(cast.rice, numero_facture="FAC-9"))
    post(cast.device, sale(cast.rice, quantity=3, numero_facture="FAC-9"))
    assert "Voir la vente qui porte ce numéro" in seen(bob.get(entry()))
    assert "La vente est enregistrée" in decide(bob, decision)
    assert stock_of(cast.rice) == left


def test_setting_aside_asks_why_and_can_be_undone(cast: Cast, bob: Client) -> None:
    short(cast)
    assert "Dites pourquoi" in decide(bob, "set_aside")
    assert "mise de côté" in decide(bob, "set_aside", raison="essai du vendeur")
    assert "FAC-9" in seen(bob.get("/commercant/a-corriger/ecartees/"))
    words = decide(bob, "take_up_again")
    assert "La vente est reprise, et refusée : Stock insuffisant" in words
    assert "essai du vendeur" in words
    assert "Rien n'a été mis de côté" in seen(bob.get("/commercant/a-corriger/ecartees/"))


def test_a_sale_that_nobody_can_read_is_shown_as_text_and_can_only_be_set_aside(cast: Cast, bob: Client) -> None:
    post(cast.device, sale(cast.rice, quantity="<b>zéro</b>", numero_facture="FAC-9"))
    body = bob.get(entry()).content.decode()
    assert "&lt;b&gt;z\\u00e9ro" in body or "&lt;b&gt;zéro" in body
    assert "<b>z" not in body
    assert "Mettre de côté" in body
    assert "Essayer encore" not in body
    assert "a changé entre-temps" in decide(bob, "try_again")


def test_a_pause_is_shown(cast: Cast, bob: Client) -> None:
    short(cast)
    pause(shop=cast.shop, terminal=None, reason="inventaire")
    assert "en pause : rien n'a été changé" in decide(bob, "accept_short_stock")
    assert stock_of(cast.rice) == 100


def test_a_viewer_decides_nothing(cast: Cast, victor: Client) -> None:
    short(cast)
    words = seen(victor.get(entry()))
    assert "Un gérant ou le propriétaire peut décider" in words
    assert "Accepter, stock négatif" not in words
    fields = {"decision": "accept_short_stock", "cle": "aaaa1111"}
    assert victor.post(f"{entry()}decision/", fields).status_code == 403
    assert stock_of(cast.rice) == 100


def test_an_entry_of_another_shop_does_not_exist(cast: Cast, charlie: Client) -> None:
    short(cast)
    assert charlie.get(entry()).status_code == 404
    assert charlie.post(f"{entry()}decision/", {"decision": "accept_short_stock"}).status_code == 404
    assert "FAC-9" not in seen(charlie.get("/commercant/a-corriger/ecartees/"))
    assert charlie.get("/commercant/a-corriger/1/1/").status_code == 404


def test_a_decision_requires_a_post(cast: Cast, bob: Client) -> None:
    short(cast)
    assert bob.get(f"{entry()}decision/").status_code == 405
