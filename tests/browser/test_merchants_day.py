"""A merchant's whole day on the pages, while tills sell: tests what is visible, on a phone and on a desktop."""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, expect

from backend.example_till import Till
from backend.sales.posting.runner import post_slice
from backend.shops.models import Terminal
from backend.testing import PASSWORD, Cast
from tests.browser.conftest import Visit, at_each_width

SYNC_S = 60
NUMBERS_OF_DAY = 6


class Day:
    """Alice's day: her actions on the pages, and those of her tills."""

    def __init__(self, visit: Visit, cast: Cast, folder: Path, tills: ExitStack) -> None:
        self.visit, self.page, self.cast, self.folder, self.tills = visit, visit.page, cast, folder, tills

    def till(self, file: str, serial: str) -> Till:
        zone = ZoneInfo(self.cast.shop.timezone)
        return self.tills.enter_context(Till(self.folder / file, self.visit.server, serial, prefix="FAC", zone=zone))

    def deliver(self, till: Till, terminal: Terminal) -> None:
        """Let a till send all its sales, post them as a worker would, and let the till read the outcomes."""
        while till.send_once():
            pass
        while post_slice(terminal.pk).has_more:
            pass
        assert till.sync(timeout_s=SYNC_S).settled

    def menu(self, entry: str) -> None:
        menu = self.page.get_by_role("navigation", name="Menu de la boutique")
        menu.get_by_role("link", name=entry, exact=True).click()
        expect(menu.locator("[aria-current]")).to_have_text(entry)
        self.fits()

    def follow(self, words: str | re.Pattern[str]) -> None:
        self.page.get_by_role("link", name=words).first.click()

    def press(self, words: str) -> None:
        self.page.get_by_role("button", name=words, exact=True).click()

    def headed(self, words: str) -> None:
        expect(self.page.get_by_role("heading", level=1, name=words)).to_be_visible()
        self.page.wait_for_load_state()
        self.fits()

    def fits(self) -> None:
        assert (self.page.url, self.visit.overflow_px()) == (self.page.url, 0)

    def sees(self, *expected: str) -> None:
        words = self.visit.words()
        assert [each for each in expected if each not in words] == [], words

    def stock_card(self, article: str) -> Locator:
        return self.page.get_by_role("listitem").filter(has=self.page.get_by_role("heading", name=article))


@pytest.fixture
def day(visit: Visit, cast: Cast, tmp_path: Path) -> Iterator[Day]:
    with ExitStack() as tills:
        yield Day(visit, cast, tmp_path, tills)


def line(article_id: int, quantity: int, price: int) -> list[dict[str, int]]:
    return [{"article_id": article_id, "quantite": quantity, "prix_unitaire": price}]


@at_each_width
def test_a_merchants_day_through_every_page(day: Day, cast: Cast) -> None:
    old = day.till("ancienne.sqlite3", cast.device.serial)
    paid = old.sell(line(cast.rice.pk, 2, 25000))
    owed = old.sell(line(cast.oil.pk, 1, 75000), paye=False, client={"nom": "Maman Chantal"})
    short = old.sell(line(cast.rice.pk, 1000, 45))
    unknown = old.sell(line(999_999, 1, 900))
    day.deliver(old, cast.terminal)

    day.visit.sign_in()
    read_the_morning(day)
    find_print_and_void(day, paid)
    repair(day, short=short, unknown=unknown)
    receive_rice(day)
    look_at_what_is_owed(day)
    new, sold = let_a_new_till_sell(day)
    close_its_day(day, new)
    export(day, {paid, owed, short, unknown, sold})
    read_the_register(day)
    sign_out(day)


def read_the_morning(day: Day) -> None:
    day.headed("Aujourd'hui")
    day.sees("50 000 FC", "dont 45 900 FC à corriger (2 ventes)", "75 000 FC", "Terminal MAUI")


def find_print_and_void(day: Day, number: str) -> None:
    page = day.page
    day.menu("Ventes")
    page.get_by_label("Numéro ou client").fill(number)
    day.press("Afficher")
    expect(page.get_by_role("link", name=re.compile("^FAC-"))).to_have_text([number])
    day.follow(number)
    day.headed(f"Vente {number}")
    day.sees("Total 50 000 FC", "Riz 25 kg")

    day.follow("Facture à imprimer")
    day.headed("Facture")
    day.sees("Ma Boutique", "Riz 25 kg", "50 000 FC", "n'est pas une facture normalisée")
    for name in ("PDF, feuille A4", "PDF, rouleau de 80 mm"):
        answer = page.request.get(f"{day.visit.server}{page.get_by_role('link', name=name).get_attribute('href')}")
        assert (answer.status, answer.headers["content-type"], answer.body()[:5]) == (200, "application/pdf", b"%PDF-")
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="Menu de la boutique")).to_be_hidden()
    expect(page.get_by_role("link", name="PDF, feuille A4")).to_be_hidden()
    page.emulate_media(media="screen")

    day.follow(f"Vente {number}")
    day.follow("Annuler la vente")
    day.headed("Annuler la vente")
    day.sees("2 × Riz 25 kg")
    page.get_by_label("Motif").fill("le client a changé d'avis")
    day.press("Annuler cette vente")
    day.headed(f"Vente {number}")
    day.sees("La vente est annulée", "le client a changé d'avis", "Voir l'annulation")
    day.menu("Stock")
    expect(day.stock_card("Riz 25 kg").locator("dd").first).to_contain_text(re.compile(r"^\s*100\b"))


def repair(day: Day, *, short: str, unknown: str) -> None:
    page = day.page
    day.menu("À corriger")
    day.sees(short, unknown, "Stock insuffisant pour Riz 25 kg", "45 000 FC")
    day.follow(short)
    day.headed(short)
    day.press("Accepter, stock négatif")
    day.sees("La vente est enregistrée.", "Ce qui a été décidé", "alice")
    day.menu("À corriger")
    expect(page.get_by_role("link", name=short)).to_have_count(0)
    day.follow(unknown)
    day.headed(unknown)
    page.get_by_label(re.compile("^Ligne 1 ")).fill("HUI20")
    day.press("Dire quel article c'est")
    day.sees("La vente est enregistrée.", "Article choisi à la main")
    page.locator(".notice").get_by_role("link", name=re.compile("^FAC-BTQ-009-")).click()
    day.headed(f"Vente {unknown}")
    day.sees("Huile 20 L", "900 FC")
    day.menu("À corriger")
    day.sees("Rien à corriger.")


def receive_rice(day: Day) -> None:
    page = day.page
    day.menu("Stock")
    day.sees("1 article a un stock négatif.")
    expect(day.stock_card("Riz 25 kg").locator("dd").first).to_contain_text(re.compile(r"^\s*−900\b"))
    day.follow("Riz 25 kg")
    day.headed("Riz 25 kg")
    page.locator("summary").filter(has_text="Entrée, sortie, comptage").click()
    form = page.locator("details[open]")
    form.get_by_label("Ce que vous faites").select_option("Entrée : de la marchandise arrive")
    form.get_by_label("Quantité").fill("1 000")
    form.get_by_label("Motif").fill("livraison du matin")
    form.get_by_role("button", name="Enregistrer").click()
    day.headed("Riz 25 kg")
    day.sees("100 en stock")
    day.follow("Expliquer ce stock")
    day.headed("Expliquer ce stock")
    day.sees("livraison du matin", "+1 000", "−1 000", "alice")
    day.menu("Entrées et sorties")
    day.sees("livraison du matin", "+1 000")


def look_at_what_is_owed(day: Day) -> None:
    day.menu("Crédits")
    day.sees("Maman Chantal", "75 000 FC")
    day.menu("Équipe")
    day.sees("alice", "bob", "victor")


def let_a_new_till_sell(day: Day) -> tuple[Till, str]:
    page = day.page
    day.menu("Caisses")
    day.follow("Ajouter une caisse")
    page.get_by_label("Nom de la caisse").fill("Comptoir")
    day.press("Ajouter")
    day.headed("Comptoir")
    day.press("Faire un code d'inscription")
    day.headed("Code pour Comptoir")
    code = re.search(r"\b[0-9A-Z]{4} [0-9A-Z]{4}\b", day.visit.words())[0]

    till = day.till("neuve.sqlite3", "sunmi-v2-000417")
    till.enrol(code, model="Sunmi V2")
    number = till.sell(line(day.cast.oil.pk, 1, 75000))
    day.deliver(till, Terminal.objects.get(name="Comptoir"))

    day.follow("C'est fait : voir la caisse")
    day.headed("Comptoir")
    day.sees("sunmi-v2-000417", "Reconnu par jeton")
    day.menu("Envois des caisses")
    page.get_by_role("row").filter(has_text="Comptoir").get_by_role("link").first.click()
    day.headed("Envoi de Comptoir")
    day.follow(number)
    day.headed(f"Vente {number}")
    day.sees("75 000 FC", "Comptoir")
    return till, number


def close_its_day(day: Day, till: Till) -> None:
    till.close_drawer(opening={"CDF": 10000}, counted={"CDF": 85000})
    assert [answer["resultat"] for answer in till.sync(timeout_s=SYNC_S).days] == ["egal"]
    day.menu("Clôture de caisse")
    day.page.get_by_role("row").get_by_role("link", name="Comptoir").click()
    day.headed("Clôture de Comptoir")
    day.sees("Attendu 85 000 FC", "Compté 85 000 FC", "Différence juste")


def export(day: Day, numbers: set[str]) -> None:
    day.menu("Ventes")
    with day.page.expect_download() as download:
        day.page.get_by_role("link", name="CSV", exact=True).first.click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert len(rows) == NUMBERS_OF_DAY
    assert {row["Numéro"] for row in rows} > numbers
    assert sorted(row["Document"] for row in rows) == ["Annulation", *["Vente"] * 5]


def read_the_register(day: Day) -> None:
    day.menu("Registre")
    day.sees(f"{NUMBERS_OF_DAY} documents")
    expect(day.page.get_by_role("alert")).to_have_count(0)
    expect(day.page.locator("table.register tbody tr")).to_have_count(NUMBERS_OF_DAY)
    expect(day.page.locator("table.register tr.gap")).to_have_count(0)


def sign_out(day: Day) -> None:
    day.menu("Aujourd'hui")
    assert "à corriger" not in day.visit.words()
    day.press("Se déconnecter")
    day.headed("Connexion")
    day.visit.open("/commercant/dashboard/")
    day.headed("Connexion")


def focused(visit: Visit) -> str:
    """Return the text of the focused element, and assert that the focus is visible."""
    # A link that opens a whole row has the outline around the row.
    found = visit.page.evaluate("""() => {
        const holder = document.activeElement, box = holder.getBoundingClientRect();
        const isRow = holder.matches('.opens .open'), style = getComputedStyle(holder, isRow ? '::after' : null);
        const label = holder.labels && holder.labels.length ? holder.labels[0] : holder;
        return {
            words: label.textContent.trim(), style: style.outlineStyle, width: parseFloat(style.outlineWidth),
            seen: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
        };
    }""")
    assert (found["style"], found["width"] >= 2, found["seen"]) == ("solid", True, True), found
    return " ".join(found["words"].split())


def tab_to(visit: Visit, words: str, *, most: int = 40) -> list[str]:
    """Press Tab until the element with this text has the focus; return the texts on the way."""
    passed = []
    for _ in range(most):
        visit.page.keyboard.press("Tab")
        passed.append(focused(visit))
        if passed[-1].startswith(words):
            return passed
    raise AssertionError(f"{words} was not reached: {passed}")


def test_the_keyboard_alone_decides_an_entry(day: Day, cast: Cast) -> None:
    till = day.till("ancienne.sqlite3", cast.device.serial)
    number = till.sell(line(cast.rice.pk, 1000, 45))
    day.deliver(till, cast.terminal)
    visit, keyboard = day.visit, day.page.keyboard

    visit.open("/connexion/")
    # The browser puts the focus there by itself, a moment after the page is there.
    expect(day.page.get_by_label("Nom d’utilisateur")).to_be_focused()
    keyboard.type("alice")
    keyboard.press("Tab")
    keyboard.type(PASSWORD)
    assert tab_to(visit, "Se connecter") == ["Se connecter"]
    keyboard.press("Space")
    day.headed("Aujourd'hui")

    passed = tab_to(visit, "À corriger")
    assert passed == ["Aller au contenu", "Ma Boutique", "Se déconnecter", "Aujourd'hui", "Ventes", "À corriger"]
    keyboard.press("Enter")
    day.headed("À corriger")
    # Past the menu at once, and on to what the page is about.
    assert tab_to(visit, "Aller au contenu") == ["Aller au contenu"]
    keyboard.press("Enter")
    assert tab_to(visit, number) == [number]
    keyboard.press("Enter")
    day.headed(number)

    tab_to(visit, "Aller au contenu")
    keyboard.press("Enter")
    order = tab_to(visit, "Accepter, stock négatif")
    assert order == [
        "À corriger", "Le texte envoyé", "Pourquoi (facultatif)", "Essayer encore",
        "Pourquoi (facultatif)", "Accepter, stock négatif",
    ]  # fmt: skip
    keyboard.press("Space")
    # The page before has the same heading.
    expect(day.page.get_by_text("La vente est enregistrée.")).to_be_visible()
    day.headed(number)
    day.sees("La vente est enregistrée.", "alice")
