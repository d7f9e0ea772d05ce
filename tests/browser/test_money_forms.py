"""The forms that move money, in a browser: what they propose is plain to see, and what they fold opens by a click."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.urls import reverse
from playwright.sync_api import expect

from backend.sales.models import MoneyMovement, Sale
from backend.shops.exchange_rates import set_rate
from backend.testing import Cast
from tests.browser.conftest import Visit, at_each_width
from tests.browser.test_accessibility import serious_faults
from tests.shop_day import post, recorded, sale

SPLIT = [{"mode": "CASH", "devise": "USD", "montant": 5, "taux": 2850}, {"mode": "CASH", "montant": 10750}]


@pytest.fixture
def bob(cast: Cast, visit: Visit) -> Visit:
    set_rate(shop=cast.shop, foreign="USD", rate=Decimal(2850), user=cast.alice)
    visit.sign_in("bob")
    return visit


def is_sound(visit: Visit) -> None:
    """Assert that the page fits the screen and that an accessibility checker finds nothing serious on it."""
    assert visit.overflow_px() <= 0
    visit.page.evaluate(AXE_SCRIPT)
    assert serious_faults(visit.page, {}) == []


def words_of(visit: Visit) -> str:
    return visit.words().replace("\N{NO-BREAK SPACE}", " ")


def sold(cast: Cast, **fields: object) -> Sale:
    return recorded(post(cast.device, sale(cast.rice, caissier={"code": "C2"}, **fields)))


@at_each_width
def test_a_void_says_what_goes_back_and_from_where(cast: Cast, bob: Visit) -> None:
    document, page = sold(cast, paiements=SPLIT), bob.page
    bob.open(reverse("web:void_sale", args=[document.pk]))
    assert "5,00 $US et 10 750 FC en espèces, comme la vente a été payée." in words_of(bob)
    assert "Pris dans la caisse : Terminal MAUI · C2." in words_of(bob)
    is_sound(bob)
    page.get_by_text("Rendre autrement, ou d'une autre caisse").click()
    expect(page.get_by_label("Argent rendu en")).to_be_visible()
    is_sound(bob)
    page.get_by_label("Argent rendu en").select_option("Mobile money")
    page.get_by_label("Motif").fill("erreur de saisie")
    page.get_by_role("button", name="Annuler cette vente").click()
    expect(page.get_by_role("status")).to_contain_text("Argent à rendre au client : 25")
    is_sound(bob)
    back = MoneyMovement.objects.get(document__kind="annulation")
    assert (back.mode, back.currency, back.amount, back.cashier) == ("MOBILE_MONEY", "CDF", -25000, "C2")


@at_each_width
def test_a_return_and_a_payment_say_their_money_and_their_drawer(cast: Cast, bob: Visit) -> None:
    page = bob.page
    bob.open(reverse("web:return_lines", args=[sold(cast, mode_paiement="CARD").pk]))
    assert "Elle a été payée : 25 000 FC (Carte)." in words_of(bob)
    is_sound(bob)
    page.get_by_text("Une autre caisse", exact=True).click()
    expect(page.get_by_label("Pris dans la caisse")).to_be_visible()
    is_sound(bob)
    owed = sold(cast, paye=False, client={"nom": "Maman Chantal"})
    bob.open(reverse("web:take_payment", args=[owed.pk]))
    assert "Reste dû : 25 000 FC soit 8,78 $US au cours du jour" in words_of(bob)
    is_sound(bob)
    page.get_by_label("Montant reçu").fill("8,78")
    page.get_by_label("Devise").select_option("USD")
    page.get_by_text("Une autre caisse, un autre cours").click()
    page.get_by_label("Mis dans la caisse").select_option("Terminal MAUI · C2")
    is_sound(bob)
    page.get_by_role("button", name="Enregistrer le paiement").click()
    expect(page.get_by_role("status")).to_contain_text("enregistré")


@at_each_width
def test_a_new_sale_says_the_change_and_its_prices_follow_the_currency(cast: Cast, bob: Visit) -> None:
    page = bob.page
    bob.open("/commercant/ventes/nouvelle/")
    page.get_by_role("button", name="Ajouter Riz 25 kg").click()
    is_sound(bob)
    page.get_by_text("Argent reçu, monnaie à rendre, caisse").click()
    page.get_by_label("Reçu du client").fill("10")
    page.get_by_label("Reçu en").select_option("USD")
    page.get_by_role("button", name="Recalculer").click()
    assert "Monnaie à rendre : 3 500 FC." in words_of(bob)
    expect(page.get_by_label("Reçu du client")).to_be_visible()
    is_sound(bob)
    page.get_by_label("Devise", exact=True).select_option("USD")
    page.get_by_role("button", name="Enregistrer la vente").click()
    expect(page.get_by_role("status").first).to_contain_text("les prix sont recalculés au cours du jour")
    expect(page.get_by_label("Prix")).to_have_value("8,77")
    is_sound(bob)
    assert Sale.objects.count() == 0


@at_each_width
def test_a_customers_payment_is_shared_out_before_the_eyes(cast: Cast, bob: Visit) -> None:
    page, zoe = bob.page, {"nom": "Zoé T"}
    for ago in (9, 3, 0):
        sold(cast, paye=False, client=zoe, date_vente=(datetime.now(UTC) - timedelta(days=ago)).isoformat())
    bob.open("/commercant/credits/?client=Zoé T")
    is_sound(bob)
    page.get_by_label("Montant reçu").fill("30 000")
    page.get_by_role("button", name="Voir le partage").click()
    assert "Le partage, de la vente la plus ancienne à la plus récente" in words_of(bob)
    is_sound(bob)
    page.get_by_role("button", name="Enregistrer le paiement").click()
    expect(page.get_by_role("status")).to_contain_text("Paiement de 30")
    is_sound(bob)
    assert [paid.total for paid in Sale.objects.filter(kind="paiement").order_by("pk")] == [25000, 5000]


@at_each_width
def test_the_rate_of_the_day_is_set(cast: Cast, bob: Visit) -> None:
    page = bob.page
    bob.open("/commercant/reglages/")
    page.get_by_label("Cours : FC pour 1 $US").fill("2 900")
    page.get_by_role("button", name="Garder ces cours").click()
    expect(page.get_by_role("status")).to_contain_text("Les cours du jour sont gardés.")
    assert "1 $US = 2 900 FC depuis aujourd'hui, fixé par bob" in words_of(bob)
    is_sound(bob)
