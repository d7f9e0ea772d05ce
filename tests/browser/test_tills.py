"""A till on the pages: created, enrolled with the code on the screen, selling, and closed at the end of the day."""

import json
import re
import urllib.request
from datetime import UTC, datetime

from playwright.sync_api import expect

from backend.sales.models import TillClosing
from backend.sales.posting.runner import post_slice
from backend.testing import Cast
from tests.browser.conftest import Visit, at_each_width
from tests.shop_day import fill, hand_over, sale

TOUCH_PX = 44


def call(server: str, path: str, body: object, **headers: str) -> dict:
    """Let a device call the API, as a till does."""
    request = urllib.request.Request(
        f"{server}/api/v2/simple/{path}",
        data=json.dumps(body).encode(),
        headers={
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def test_a_till_made_on_the_page_takes_a_device_and_sells(cast: Cast, visit: Visit) -> None:
    page = visit.page
    visit.sign_in("bob")
    visit.open("/commercant/caisses/")
    page.get_by_role("link", name="Ajouter une caisse").click()
    expect(page.get_by_label("Nom de la caisse")).to_be_focused()
    page.keyboard.type("Comptoir")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Comptoir")).to_be_visible()
    page.get_by_role("button", name="Faire un code d'inscription").click()
    code = re.search(r"\b[0-9A-Z]{4} [0-9A-Z]{4}\b", visit.words())[0]
    square = page.get_by_role("img", name="Le même code en carré à photographier")
    assert min(square.bounding_box()["width"], square.bounding_box()["height"]) > 160
    shown_at = page.url.removeprefix(visit.server)
    assert code.replace(" ", "") not in shown_at
    assert visit.overflow_px() == 0

    enrolled = call(visit.server, "terminaux/enrolement", {"code": code.lower(), "numero_serie": "serie-neuve"})
    proof = {"X_Device_Serial": "serie-neuve", "Authorization": f"Bearer {enrolled['jeton']}"}
    call(visit.server, "ventes/sync", [sale(cast.rice, numero_facture="C-1")], **proof)

    page.get_by_role("link", name="C'est fait : voir la caisse").click()
    expect(page.get_by_role("heading", name="serie-neuve")).to_be_visible()
    assert "Reconnu par jeton" in visit.words()
    page.get_by_role("link", name="Ses envois").click()
    expect(page.get_by_role("row").filter(has_text="Comptoir")).to_have_count(1)
    visit.open(shown_at)
    expect(page.get_by_role("heading", name="Comptoir")).to_be_visible()
    assert code not in visit.words()


def test_a_batch_moves_on_the_page_by_itself(cast: Cast, visit: Visit) -> None:
    batch = hand_over(cast.device, sale(cast.rice, numero_facture="FAC-1"), sale(cast.rice, numero_facture="FAC-2"))
    visit.sign_in()
    visit.open(f"/commercant/envois/{batch.receipt}/")
    assert "2 ventes attendent leur enregistrement." in visit.words()
    post_slice(cast.device.terminal_id)
    expect(visit.page.get_by_role("link", name="FAC-2")).to_be_visible()
    assert "attendent" not in visit.words()
    visit.page.get_by_role("link", name="FAC-2").click()
    expect(visit.page.get_by_role("heading", name="Vente FAC-2")).to_be_visible()


def test_a_day_is_closed_by_hand_with_the_keyboard(cast: Cast, visit: Visit) -> None:
    fill(cast)
    page = visit.page
    visit.sign_in()
    visit.open("/commercant/cloture/")
    page.get_by_role("link", name="compter Terminal MAUI").click()
    expect(page.get_by_label("Caisse", exact=True)).to_have_value(str(cast.terminal.pk))
    page.get_by_label("Fond au début CDF").focus()
    page.keyboard.type("20 000")
    page.keyboard.press("Tab")
    page.keyboard.type("3000")
    page.keyboard.press("Tab")
    page.keyboard.type("113500")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Clôture de Terminal MAUI")).to_be_visible()
    words = visit.words()
    for expected in ("Attendu 113 500 FC", "Compté 113 500 FC", "Différence juste", "Saisie à la main par alice"):
        assert expected in words
    page.emulate_media(media="print")
    expect(page.get_by_text("Gérant")).to_be_visible()
    expect(page.get_by_role("navigation", name="Menu de la boutique")).to_be_hidden()


@at_each_width
def test_every_page_of_the_tills_fits_its_screen_and_a_thumb(cast: Cast, visit: Visit) -> None:
    batch = fill(cast)["done"]
    visit.sign_in()
    visit.open("/commercant/cloture/nouvelle/")
    visit.page.get_by_label("Espèces comptées CDF").fill("1")
    visit.page.get_by_role("button", name="Comparer et garder").click()
    expect(visit.page.get_by_role("heading", name="Clôture de")).to_be_visible()
    today = datetime.now(UTC)
    for path in (
        "caisses/",
        "caisses/nouvelle/",
        f"caisses/{cast.terminal.pk}/",
        f"envois/{batch.receipt}/",
        "cloture/",
        "cloture/nouvelle/",
        f"cloture/{TillClosing.objects.get().pk}/",
        f"cloture/mois/{today.year}-{today.month}/",
        "registre/",
    ):
        visit.open(f"/commercant/{path}")
        assert (path, visit.overflow_px()) == (path, 0)
        expect(visit.page.locator("h1")).to_have_count(1)
        for control in visit.page.locator("main").locator("input, select, button, .button, summary").all():
            if control.is_visible():
                height = control.bounding_box()["height"]
                assert height >= TOUCH_PX, (path, control.inner_text(), height)
