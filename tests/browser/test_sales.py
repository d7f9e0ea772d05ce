"""A manager's work with sales in a browser: finds, prints and voids one, sells on credit, and takes the payment."""

import json
import re

import pytest
from playwright.sync_api import expect

from backend.sales.models import Sale
from backend.testing import Cast
from tests.browser.conftest import Visit, at_each_width
from tests.shop_day import fill, post, sale

FIRST_BYTES_MAX = 100 * 1024
LATER_BYTES_MAX = 30 * 1024


def test_a_manager_finds_a_sale_prints_it_and_voids_it(cast: Cast, visit: Visit) -> None:
    fill(cast)
    page = visit.page
    visit.sign_in("bob")
    visit.open("/commercant/ventes/")
    page.get_by_label("Numéro ou client").fill("20241104-001")
    page.get_by_role("button", name="Afficher").click()
    page.get_by_role("link", name="FAC-20241104-001").click()
    page.get_by_role("link", name="Facture à imprimer").click()
    words = visit.words()
    assert "n'est pas une facture normalisée" in words
    assert "Total TTC 50 000 FC" in words.replace("\N{NO-BREAK SPACE}", " ")
    address = page.get_by_role("link", name="PDF, feuille A4").get_attribute("href")
    assert page.request.get(f"{visit.server}{address}").body().startswith(b"%PDF-")
    page.go_back()
    page.get_by_role("link", name="Annuler la vente").click()
    assert "2 × Riz 25 kg" in visit.words()
    page.get_by_label("Motif").fill("Erreur de saisie")
    page.get_by_role("button", name="Annuler cette vente").click()
    expect(page.get_by_role("status")).to_contain_text("La vente est annulée")
    assert "Motif : Erreur de saisie" in visit.words()
    assert visit.overflow_px() <= 0


def test_a_manager_sells_on_credit_with_the_keyboard_and_is_paid(cast: Cast, visit: Visit) -> None:
    page = visit.page
    visit.sign_in("bob")
    visit.open("/commercant/ventes/nouvelle/")
    page.get_by_label("Chercher un article").fill("riz")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Ajouter Riz 25 kg").press("Enter")
    page.get_by_label("Quantité").fill("2")
    page.get_by_label("Règlement").select_option("CREDIT")
    page.get_by_role("button", name="Enregistrer la vente").press("Enter")
    assert "Écrivez qui doit cet argent." in visit.words()
    page.get_by_label("Client", exact=True).fill("Maman Chantal")
    page.get_by_role("button", name="Enregistrer la vente").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Vente enregistrée sous le numéro FAC-BTQ-009-")
    visit.open("/commercant/credits/")
    page.get_by_role("link", name=re.compile("^Recevoir")).click()
    page.get_by_label("Montant reçu").fill("50 000")
    page.get_by_role("button", name="Enregistrer le paiement").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("enregistré")
    visit.open("/commercant/credits/")
    assert "Personne ne doit rien." in visit.words()


@at_each_width
@pytest.mark.parametrize(
    "name", ["", "nouvelle/", "{id}/", "{id}/facture/", "{id}/retour/", "{id}/annuler/", "{id}/envoi/"]
)
def test_the_pages_fit_and_are_light(name: str, cast: Cast, visit: Visit) -> None:
    fill(cast)
    long = {"nom": "Établissements Béatrice-Marie-Chantal et Fils", "telephone": "+243 81 000 00 00"}
    post(cast.device, *(sale(cast.rice, client=long, numero_facture=f"{'9' * 60}{n}") for n in range(3)))
    visit.sign_in("bob")
    visit.bytes_of.clear()
    visit.open(f"/commercant/ventes/{name.format(id=Sale.objects.get(number='9' * 60 + '1').pk)}")
    assert visit.overflow_px() <= 0
    own = {url: count for url, count in visit.bytes_of.items() if "/static/" not in url}
    assert sum(own.values()) < LATER_BYTES_MAX, json.dumps(own)
    assert sum(visit.bytes_of.values()) < FIRST_BYTES_MAX
