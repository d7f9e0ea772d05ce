"""A merchant receives goods, counts, opens a carton and imports articles, on a phone and on a desktop."""

from decimal import Decimal

from playwright.sync_api import Locator, expect

from backend.inventory.models import Article, UnitLevel
from backend.testing import Cast, add_unit
from tests.browser.conftest import Visit, at_each_width
from tests.shop_day import post, sale
from tests.tills import stock_of

SHEET = "code;nom;niveau;prix;stock\nTHE;Thé vert;PIECE;1500;20\n"
UPLOAD = {"name": "articles.csv", "mimeType": "text/csv", "buffer": SHEET.encode()}
THUMB_PX = 44


def unfold(visit: Visit, words: str) -> Locator:
    """Unfold the section with this title, and return its form."""
    visit.page.get_by_text(words, exact=False).locator("visible=true").first.click()
    return visit.page.locator("details[open] form")


def test_goods_arrive_and_the_stock_explains_itself(cast: Cast, visit: Visit) -> None:
    post(cast.device, sale(cast.rice, quantity=2, numero_facture="FAC-STOCK"))
    page = visit.page
    visit.sign_in("bob")
    page.get_by_role("navigation", name="Menu de la boutique").get_by_role("link", name="Stock", exact=True).click()
    page.get_by_label("Nom ou code").fill("riz")
    page.get_by_role("button", name="Afficher").click()
    expect(page.get_by_role("link", name="Huile 20 L")).to_have_count(0)
    page.get_by_role("link", name="Riz 25 kg").click()
    form = unfold(visit, "Entrée, sortie, comptage")
    form.get_by_label("Quantité").fill("dix")
    form.get_by_role("button", name="Enregistrer").click()
    # The error is visible, in the form that stays open.
    form = page.locator("details[open] form")
    expect(form.get_by_text("n'est pas un nombre")).to_be_visible()
    form.get_by_label("Quantité").fill("12,5")
    form.get_by_label("Motif").fill("Livraison")
    form.get_by_role("button", name="Enregistrer").dblclick()
    expect(page.get_by_text("110,5 en stock")).to_be_visible()
    assert stock_of(cast.rice) == Decimal("110.5")
    page.get_by_role("link", name="Expliquer ce stock").click()
    words = visit.words()
    for expected in ("Entrées (2 mouvements) +112,5", "Vendu (1 mouvement) −2", "Stock 110,5", "Livraison"):
        assert expected in words
    page.get_by_role("link", name="Vente FAC-STOCK").click()
    expect(page.get_by_role("heading", name="Vente FAC-STOCK")).to_be_visible()


def test_a_carton_is_opened_by_keyboard_alone(cast: Cast, visit: Visit) -> None:
    add_unit(cast.rice, level=UnitLevel.CARTON, mark="PALETTE", stock=2, holds=Decimal(40))
    page = visit.page
    visit.sign_in("bob")
    visit.open(f"/commercant/stock/{cast.rice.pk}/")
    page.get_by_text("Ouvrir PALETTE en PCE").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Combien en ouvrir")).to_be_focused()
    page.keyboard.type("1")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Ouvert : 1 PALETTE, devenus 40 PCE.")).to_be_visible()


def test_a_list_of_articles_is_seen_and_then_imported(cast: Cast, visit: Visit) -> None:
    page = visit.page
    visit.sign_in("bob")
    visit.open("/commercant/stock/")
    page.get_by_role("link", name="Importer ou exporter").click()
    page.get_by_label("Fichier CSV ou XLSX").set_input_files(UPLOAD)
    page.get_by_role("button", name="Voir l'aperçu").click()
    expect(page.get_by_text("Rien n'a encore changé.")).to_be_visible()
    assert "Thé vert" in visit.words()
    assert not Article.objects.filter(code="THE").exists()
    page.get_by_role("button", name="Importer tout").dblclick()
    expect(page.get_by_role("link", name="Thé vert")).to_be_visible()
    assert stock_of(Article.objects.get(code="THE")) == 20


@at_each_width
def test_every_page_of_the_stock_fits_its_screen(cast: Cast, visit: Visit) -> None:
    carton = add_unit(cast.rice, level=UnitLevel.CARTON, mark="PALETTE-AU-NOM-LONG-24", stock=2)
    post(cast.device, sale(cast.rice, quantity=2, numero_facture="FAC-" + "X" * 60))
    article = f"/commercant/stock/{cast.rice.pk}/"
    paths = [
        "/commercant/stock/",
        article,
        f"{article}unites/{carton.pk}/",
        f"{article}unites/{cast.rice.base_unit_id}/",
    ]
    paths += ["/commercant/mouvements/", "/commercant/stock/nouveau/", "/commercant/stock/import/"]
    visit.sign_in("bob")
    for path in paths:
        visit.open(path)
        visit.page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
        assert (path, visit.overflow_px()) == (path, 0)
        expect(visit.page.locator("h1")).to_have_count(1)
        for control in visit.page.locator(
            "main :is(input:not([type=checkbox]), select, button, summary):visible"
        ).all():
            assert control.bounding_box()["height"] >= THUMB_PX, (path, control.inner_text())
