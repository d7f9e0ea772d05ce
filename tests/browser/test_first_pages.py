"""A merchant looks at the day, on a phone and on a desktop: tests what is visible, not only the responses."""

import re

from playwright.sync_api import Browser, expect

from backend.sales.models import Sale
from backend.testing import PASSWORD, Cast
from tests.browser.conftest import Visit, at_each_width
from tests.shop_day import fill

SHOP_PAGES = ["/commercant/dashboard/", "/commercant/ventes/", "/commercant/envois/", "/commercant/a-corriger/"]
OPEN_PAGES = ["/", "/connexion/", "/docs/", "/docs/erreurs", "/docs/architecture"]


@at_each_width
def test_a_merchant_reads_the_day_down_to_one_sale(cast: Cast, visit: Visit) -> None:
    fill(cast)
    page = visit.page
    visit.sign_in()
    expect(page).to_have_url(f"{visit.server}/commercant/dashboard/")
    expect(page.get_by_role("heading", name="Aujourd'hui")).to_be_visible()
    words = visit.words()
    for expected in (
        "En caisse 96 500 FC 10,00 $US",
        "Ventes 3",
        "Mobile money 10,00 $US",
        "À crédit (1 vente) 25 000 FC",
        "dont 45 000 FC à corriger (1 vente)",
        "2 ventes reçues attendent leur enregistrement",
        "Terminal MAUI 1 problème",
    ):
        assert expected in words

    till = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Terminal MAUI"))
    till.get_by_role("link", name="aujourd'hui").click()
    expect(page.get_by_role("heading", name="Envoi de Terminal MAUI")).to_be_visible()
    words = visit.words()
    assert "Stock insuffisant pour Riz 25 kg (demandé 1000, disponible 97)" in words
    assert "Ventes envoyées 5" in words

    page.get_by_role("link", name="FAC-20241104-002").click()
    expect(page.get_by_role("heading", name="Vente FAC-20241104-002")).to_be_visible()
    words = visit.words()
    for expected in ("Total 75 000 FC", "Espèces 46 500 FC", "10,00 $US (taux 2 850)", "Huile 20 L", "BTQ-009-"):
        assert expected in words
    assert re.search(r"100\s*→?\s*99", words)


def test_a_merchant_finds_a_sale_by_day_and_till(cast: Cast, visit: Visit) -> None:
    fill(cast)
    page = visit.page
    visit.sign_in()
    page.get_by_role("navigation", name="Menu de la boutique").get_by_role("link", name="Ventes").click()
    expect(page.get_by_role("link", name=re.compile("^FAC-20241104-"))).to_have_count(4)
    page.get_by_label("Caisse").select_option("Terminal MAUI")
    page.get_by_label("Au", exact=True).fill("2020-01-01")
    page.get_by_role("button", name="Afficher").click()
    assert "Aucune vente ne correspond à ce choix." in visit.words()
    page.get_by_role("link", name="Voir toutes les ventes").click()
    page.get_by_role("link", name="FAC-20241104-003").click()
    assert "Client Maman Chantal" in visit.words()
    assert "À crédit" in visit.words()


def test_a_sale_to_correct_says_why(cast: Cast, visit: Visit) -> None:
    fill(cast)
    visit.sign_in()
    visit.page.get_by_role("link", name="Voir ce qui est à corriger").click()
    words = visit.words()
    assert "FAC-20241104-004" in words
    assert "Stock insuffisant pour Riz 25 kg" in words
    assert "45 000 FC" in words


@at_each_width
def test_a_whole_row_can_be_tapped(cast: Cast, visit: Visit) -> None:
    fill(cast)
    visit.sign_in()
    visit.open("/commercant/envois/")
    row = visit.page.get_by_role("row").filter(has_text="Terminal MAUI")
    box = row.bounding_box()
    assert box["height"] >= 44
    visit.page.mouse.click(box["x"] + box["width"] - 6, box["y"] + box["height"] / 2)
    expect(visit.page.get_by_role("heading", name="Envoi de Terminal MAUI")).to_be_visible()


def test_the_keyboard_alone_is_enough(cast: Cast, visit: Visit) -> None:
    fill(cast)
    page = visit.page
    visit.open("/connexion/")
    expect(page.get_by_label("Nom d’utilisateur")).to_be_focused()
    page.keyboard.type("alice")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{visit.server}/commercant/dashboard/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Aller au contenu")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Envois des caisses":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{visit.server}/commercant/envois/")


@at_each_width
def test_every_page_fits_its_screen(cast: Cast, visit: Visit) -> None:
    batch = fill(cast)["done"]
    objects = [f"/commercant/envois/{batch.receipt}/", f"/commercant/ventes/{Sale.objects.first().pk}/"]
    visit.sign_in()
    for path in (*OPEN_PAGES, *SHOP_PAGES, *objects):
        visit.open(path)
        assert (path, visit.overflow_px()) == (path, 0)
        expect(visit.page.locator("h1")).to_have_count(1)
        expect(visit.page.locator("html")).to_have_attribute("lang", "fr")


@at_each_width
def test_fields_and_buttons_are_large_enough_for_a_thumb(cast: Cast, visit: Visit) -> None:
    visit.sign_in()
    visit.open("/commercant/ventes/")
    visit.page.locator("main details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    controls = visit.page.locator("main input:visible, main select, main button, nav a")
    expect(controls.last).to_be_visible()
    for control in controls.all():
        assert control.bounding_box()["height"] >= 44


def test_the_pages_work_with_no_script_at_all(cast: Cast, server: str, browser: Browser) -> None:
    fill(cast)
    context = browser.new_context(java_script_enabled=False, locale="fr-FR")
    visit = Visit(page=context.new_page(), server=server)
    visit.sign_in()
    assert "En caisse 96 500 FC" in visit.words()
    visit.page.get_by_role("button", name="Se déconnecter").click()
    visit.open("/commercant/dashboard/")
    expect(visit.page.get_by_role("heading", name="Connexion")).to_be_visible()
    context.close()


def test_the_description_of_the_api_runs_under_its_policy(cast: Cast, visit: Visit) -> None:
    visit.open("/")
    visit.page.get_by_role("link", name="API des caisses").click()
    expect(visit.page.get_by_text("/api/v2/simple/ventes/sync")).to_be_visible()
