"""The pages are complete in French and in English: nothing is untranslated, and no page mixes the two."""

import ast
import gettext
import re
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_noop
from django.utils.translation.template import templatize

from backend.inventory.errors import QuantityInvalid, StockShort
from backend.inventory.models import ArticleUnit, MovementType
from backend.inventory.stock import move_stock
from backend.ops.models import DoctorRun, SweepTurn
from backend.sales.days.day_closing import close_day_by_hand
from backend.sales.models import Pause, Sale, SaleOutcome
from backend.sales.repair.back_office import OFFICE_NAME, record_from_page
from backend.sales.repair.desk import Desk
from backend.shops.models import RefusedCall
from backend.testing import Cast
from backend.web.urls import urlpatterns
from backend.web.wording.tills import till_name
from tests.shop_day import fill, post, sale

pytestmark = pytest.mark.embedded

BACKEND = Path(__file__).resolve().parents[2] / "backend"
CATALOGUE = Path(settings.LOCALE_PATHS[0]) / "en" / "LC_MESSAGES"
WITH_PAGES = ("web", "ops")
TEMPLATES = sorted(path for app in WITH_PAGES for path in (BACKEND / app / "templates").rglob("*.*"))
CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
PLACE = re.compile(r"%\(\w+\)s")
LETTERS = re.compile(r"[^\W\d_]{2,}")
# Words that are the same in both languages, and what is no word: units, names of the wire.
SAME = {"CSV", "XLSX", "PDF", "QR", "FC", "USD", "HT", "TVA", "TTC", "API", "Excel"}

FRENCH = re.compile(
    r"[éèêëàâçùûôîïœ«»]|\b(?:le|la|les|des|du|une|est|sont|pas|et|ou|qui|que|ne|sur|par|pour|avec|sans|dans|aux?|elle|il"
    r"|ventes?|caisses?|aujourd'hui|hier|enregistr\w*|montants?|boutiques?|envois?|envoy\w*|retours?|annul\w*|remise"
    r"|voir|toute?s?|tous|aucune?|jamais|corriger|prix|sortie|registre|jours?|mois|lignes?|reste|fois|bureau|motif"
    r"|stock bas|mot de passe|ajouter|modifier|espèces|nom|raison|sort)\b",
    re.IGNORECASE,
)
ENGLISH = re.compile(
    r"\b(?:the|of|and|is|are|this|that|not|by|from|with|without|sales?|tills?|save|shop|price|amount|today|yesterday"
    r"|open|closed|refused|received|recorded|search|owner|manager|office|day|month|password|name|void|voided|batch)\b",
    re.IGNORECASE,
)


def catalogue() -> dict[object, str]:
    with (CATALOGUE / "django.mo").open("rb") as file:
        return {key: words for key, words in gettext.GNUTranslations(file)._catalog.items() if key}


def entries() -> list[dict[str, str]]:
    """Read the .po file: each entry's fields with their strings joined."""
    found = []
    for block in (CATALOGUE / "django.po").read_text().split("\n\n")[1:]:
        fields: dict[str, str] = {}
        key = ""
        for line in (line for line in block.splitlines() if not line.startswith("#")):
            name, text = re.fullmatch(r'(\S*?) ?(".*")', line).groups()
            key = name or key
            fields[key] = fields.get(key, "") + ast.literal_eval(text)
        found.append(fields)
    return found


def test_every_message_has_its_english() -> None:
    text = (CATALOGUE / "django.po").read_text()
    assert "#~" not in text
    assert not re.search(r"^#,.*fuzzy", text, re.MULTILINE)
    for entry in entries():
        translations = [words for name, words in entry.items() if name.startswith("msgstr")]
        assert all(translations), f"no English for {entry['msgid']!r}"
        for words in translations:
            known = {*PLACE.findall(entry["msgid"]), *PLACE.findall(entry.get("msgid_plural", ""))}
            assert set(PLACE.findall(words)) <= known, entry
            assert set(PLACE.findall(entry["msgid"])) <= set(PLACE.findall(words)), entry


def test_what_is_compiled_is_what_was_written() -> None:
    written: dict[object, str] = {}
    for entry in entries():
        if "msgid_plural" in entry:
            written |= {(entry["msgid"], at): entry[f"msgstr[{at}]"] for at in (0, 1)}
        else:
            written[entry["msgid"]] = entry["msgstr"]
    assert catalogue() == written, "run `make messages`"


def marked_in_python(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CALLS and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


MARKED = re.compile(r"\b(?:n?gettext|_)\(\s*u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")")


def marked_in_template(path: Path) -> Iterator[str]:
    return (ast.literal_eval(found[1]) for found in MARKED.finditer(templatize(path.read_text())))


def test_every_marked_word_is_in_the_catalogue() -> None:
    known = {key[0] if isinstance(key, tuple) else key for key in catalogue()}
    marked = {words: path.name for path in TEMPLATES for words in marked_in_template(path)}
    for path in sorted(BACKEND.rglob("*.py")):
        marked |= dict.fromkeys(marked_in_python(path), path.name)
    assert len(marked) > 800
    assert {words: name for words, name in marked.items() if words not in known} == {}, "run `make messages`"


class Words(HTMLParser):
    """Collects a page's text for eyes and screen readers, without what tills wrote and names of the wire."""

    SKIPPED = ("script", "style", "pre", "code", "datalist")

    def __init__(self, source: str) -> None:
        super().__init__()
        self.skipped: list[str] = []
        self.found: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        # The name of each language is written in that language.
        is_language = given.get("class") == "language"
        if tag in self.SKIPPED or is_language:
            self.skipped.append(tag)
        shown = ["alt", "title", "placeholder", "aria-label", "aria-description", "data-label"]
        shown += ["value"] if given.get("type") in ("submit", "button") else []
        self.found += [given[name] for name in shown if given.get(name)] if not self.skipped else []

    def handle_endtag(self, tag: str) -> None:
        if self.skipped and self.skipped[-1] == tag:
            self.skipped.pop()

    def handle_data(self, data: str) -> None:
        if not self.skipped and data.strip():
            self.found.append(" ".join(data.split()))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_word_of_a_template_stands_outside_a_translation(path: Path) -> None:
    source = re.sub(r"\{#.*?#\}|\{% block \w+_class %\}.*?\{% endblock %\}", "", path.read_text())
    source = re.sub(r"\{% (comment|blocktranslate)\b.*?\{% end\1 %\}", "", source, flags=re.DOTALL)
    bare = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", source, flags=re.DOTALL)
    assert [text for text in Words(bare).found if set(LETTERS.findall(text)) - SAME] == []


REFUSING = (
    "Refused", "Invalid", "Unreadable", "Unknown", "Missing", "TooLarge", "Ambiguous", "Short", "WrongSign",
    "NotFound", "_Fault",
)  # fmt: skip


def refused_in_one_language() -> Iterator[str]:
    """Yield each French sentence of a refusal that is not marked for translation."""
    for path in sorted(path for app in ("sales", "inventory", "shops") for path in (BACKEND / app).rglob("*.py")):
        for node in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in ("__init__", "refuse", "Sentence") or name.endswith(REFUSING):
                yield from (
                    text
                    for argument in node.args
                    for text in _bare_texts(argument)
                    if " " in text and FRENCH.search(text)
                )


def _bare_texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from [*_bare_texts(node.body), *_bare_texts(node.orelse)]
    if isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "7" for part in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def test_every_refusal_of_the_domain_can_be_said_in_english() -> None:
    assert list(refused_in_one_language()) == []


def test_a_refusal_is_said_to_its_reader_and_in_french_to_a_till() -> None:
    refusal = StockShort("Riz (100 %)", asked="30", available="4")
    expected = {"fr": "Stock insuffisant pour Riz (100 %) (demandé 30, disponible 4)",
            "en": "Not enough stock of Riz (100 %) (asked 30, available 4)"}  # fmt: skip
    nested = QuantityInvalid(gettext_noop("nombre attendu"))
    for language, sentence in expected.items():
        with translation.override(language):
            assert str(refusal) == sentence
            assert refusal.sentence.say("fr") == expected["fr"]
            assert refusal.sentence.say("en") == expected["en"]
            assert nested.sentence.say("en") == "Invalid quantity: number expected"


def test_the_office_has_a_name_in_each_language() -> None:
    assert till_name(OFFICE_NAME) == OFFICE_NAME
    with translation.override("en"):
        assert till_name(OFFICE_NAME) == "Office"
        assert till_name("Comptoir") == "Comptoir"


@pytest.fixture
def busy(cast: Cast) -> Cast:
    """A shop with something on most pages. Names and typed texts are numbers, which have no language."""
    fill(cast)
    Sale.objects.filter(customer_name="Maman Chantal").update(customer_name="C1")
    for article, name in ((cast.rice, "A1"), (cast.oil, "A2")):
        type(article).objects.filter(pk=article.pk).update(name=name)
    type(cast.shop).objects.filter(pk=cast.shop.pk).update(name="S9")
    type(cast.terminal).objects.filter(shop=cast.shop).exclude(pk=cast.terminal.pk).update(name="T2")
    unknown = {"lignes": [{"article_id": 0, "quantite": 1, "prix_unitaire": 5}]}
    origin = {"origine": {"numero_facture": "FAC-20241104-001"}}
    taken = {"lignes": [{"ligne": 1, "quantite": 1}], "motif": "77"}
    post(
        cast.device,
        sale(cast.rice, numero_facture="X-1") | unknown,
        sale(cast.rice, numero_facture="X-2", quantity=1000000),
        sale(cast.rice, numero_facture="X-3", price=-1),
        sale(cast.rice, numero_facture="X-4", quantity=900000),
        sale(cast.oil, numero_facture="FAC-20241104-001"),
        sale(cast.oil, numero_facture="X-5", devise="EUR"),
        {"numero_facture": "R-1", "type": "retour", **origin, **taken},
        {"numero_facture": "V-1", "type": "annulation", "origine": {"numero_facture": "FAC-20241104-002"}},
        {"numero_facture": "V-2", "type": "annulation", "origine": {"numero_facture": "absent"}},
        {"numero_facture": "Z-1", "type": "x"},
    )
    desk = Desk(shop=cast.shop, user=cast.bob)
    short = {one.number: one for one in SaleOutcome.objects.filter(code="stock_insuffisant")}
    desk.set_aside(short["X-2"].batch_id, short["X-2"].position, reason="77")
    desk.accept_short_stock(short["X-4"].batch_id, short["X-4"].position)
    credit = Sale.objects.get(number="FAC-20241104-003")
    paid = {"type": "paiement", "origine": {"vente_id": credit.pk}, "montant": 100, "mode_paiement": "CASH"}
    record_from_page(shop=cast.shop, user=cast.bob, document=paid, key="paiement01")
    unit = ArticleUnit.objects.filter(article=cast.rice).first()
    move_stock(unit=unit, quantity=Decimal(3), movement_type=MovementType.ADJUSTMENT, author="bob", comment="77")
    drawer = {"especes_comptees": [{"montant": "1"}]}
    today = timezone.localdate(timezone=ZoneInfo(cast.shop.timezone))
    close_day_by_hand(terminal=cast.terminal, day=today, drawer=drawer, user=cast.bob, key="cloture01")
    RefusedCall.objects.create(
        serial=cast.device.serial, call="POST ventes", code="jeton_invalide", status=401, count=2,
        detail="Ce jeton n'est pas celui de cet appareil", first_at=timezone.now(), last_at=timezone.now(),
    )  # fmt: skip
    return cast


# Routes that are no page of a shop, or that no link leads to: actions, files, pages used once.
NOT_WALKED = {
    "set_language", "sign_out", "shop", "documentation", "documentation_page", "password_set", "front", "sign_in",
    "password_reset", "password_reset_sent", "add_member", "change_member", "password_link", "import_preview",
    "export_articles", "sales_csv", "sales_xlsx", "money_csv", "money_xlsx",
    "invoice_pdf", "change_article", "add_unit", "change_unit",
    "move_unit", "open_unit", "decide", "enrolment_code", "till_state", "device_state", "device_token", "close_month",
    "take_customer_payment",
}  # fmt: skip
PAGES_PER_ROUTE = 6


def walk(client: Client) -> Iterator[tuple[str, str]]:
    """Follow the links of the shop's pages, a few pages per route; yield each page's route name and source."""
    waiting, met, counts = [reverse("web:dashboard"), reverse("web:team"), reverse("web:set_aside")], set(), {}
    while waiting:
        address = waiting.pop(0)
        name = resolve(address.partition("?")[0]).url_name
        if address in met or name in NOT_WALKED or counts.get(name, 0) >= PAGES_PER_ROUTE:
            continue
        met.add(address)
        counts[name] = counts.get(name, 0) + 1
        answer = client.get(address)
        assert answer.status_code == 200, address
        source = answer.content.decode()
        yield address, source
        links = (link.replace("&amp;", "&") for link in re.findall(r'href="(/(?:commercant|compte)/[^"#]*)', source))
        waiting += [link for link in links if not link.startswith("/static")]


# Names of the wire and of files: paths in a till's document, a serial, the columns of an import.
WIRE_NAME = re.compile(r"\b(?:lignes|paiements)\[\d+\][.\w]*|\bbureau-\d+|\bnom, niveau and prix\b")


def others(source: str, foreign: re.Pattern[str]) -> list[str]:
    """Return the texts of the page that contain words of the other language."""
    return [text for text in Words(source).found if foreign.search(WIRE_NAME.sub("", text))]


@pytest.mark.parametrize(("language", "foreign"), [("fr", ENGLISH), ("en", FRENCH)], ids=["fr", "en"])
def test_no_page_of_a_busy_shop_says_a_word_of_the_other_language(
    language: str, foreign: re.Pattern[str], busy: Cast, alice: Client
) -> None:
    alice.cookies["django_language"] = language
    walked, faults = set(), {}
    for address, source in walk(alice):
        walked.add(resolve(address.partition("?")[0]).url_name)
        if found := others(source, foreign):
            faults[address] = found
    assert not faults, "\n".join(f"{address} {found}" for address, found in faults.items())
    assert {pattern.name for pattern in urlpatterns} - walked - NOT_WALKED == set()


@pytest.mark.parametrize(("language", "foreign"), [("fr", ENGLISH), ("en", FRENCH)], ids=["fr", "en"])
def test_what_a_form_refuses_is_said_in_the_language_of_the_page(
    language: str, foreign: re.Pattern[str], busy: Cast, alice: Client
) -> None:
    alice.cookies["django_language"] = language
    bought = Sale.objects.get(number="FAC-20241104-001")
    owed = Sale.objects.get(number="FAC-20241104-003")
    unit = ArticleUnit.objects.filter(article=busy.rice).first()
    ids = {"article_id": busy.rice.pk, "unit_id": unit.pk}
    sent = {
        reverse("web:add_member"): {"nom_utilisateur": "bob", "role": "manager"},
        reverse("web:change_member", args=[busy.alice.memberships.first().pk]): {"retirer": "1"},
        reverse("web:add_till"): {"nom": "Terminal MAUI"},
        reverse("web:new_article"): {"nom": "A3", "code": "RIZ25", "niveau": "PIECE", "prix": "-1", "devise": "CDF"},
        reverse("web:move_unit", kwargs=ids): {"mouvement": "SORTIE", "quantite": "99999999"},
        reverse("web:void_sale", args=[bought.pk]): {},
        reverse("web:return_lines", args=[bought.pk]): {"motif": "77"},
        reverse("web:new_sale"): {"action": "enregistrer"},
        reverse("web:settings"): {"cours_USD": "0"},
        reverse("web:take_payment", args=[owed.pk]): {"montant": "7", "devise": "USD", "mode": "CASH", "tiroir": "0"},
        reverse("web:take_customer_payment"): {"client": "C1", "montant": "7", "devise": "CDF", "mode": "CASH"},
        reverse("web:close_day"): {"caisse": "0", "jour": "2099-01-01"},
        reverse("web:password_change"): {"old_password": "x", "new_password1": "1", "new_password2": "2"},
    }
    faults = {}
    for address, form in sent.items():
        answer = alice.post(address, form, follow=True)
        if found := others(answer.content.decode(), foreign):
            faults[address] = found
    assert not faults, "\n".join(f"{address} {found}" for address, found in faults.items())


@pytest.mark.parametrize(("language", "foreign"), [("fr", ENGLISH), ("en", FRENCH)], ids=["fr", "en"])
def test_pages_before_sign_in_and_errors_are_in_one_language(
    language: str, foreign: re.Pattern[str], db: None, client: Client
) -> None:
    client.cookies["django_language"] = language
    pages = [reverse(f"web:{name}") for name in ("front", "sign_in", "password_reset", "password_reset_sent")]
    for address in [*pages, "/commercant/ventes/0/", "/mot-de-passe/x/y/"]:
        assert others(client.get(address, follow=True).content.decode(), foreign) == [], address
    answer = client.post(reverse("web:sign_in"), {"username": "nobody", "password": "x"})
    assert others(answer.content.decode(), foreign) == []


@pytest.mark.parametrize(("language", "foreign"), [("fr", ENGLISH), ("en", FRENCH)], ids=["fr", "en"])
def test_the_operations_page_is_in_one_language_and_says_what_was_done_in_it(
    language: str, foreign: re.Pattern[str], busy: Cast, alice: Client
) -> None:
    alice.cookies["django_language"] = language
    type(busy.alice).objects.filter(pk=busy.alice.pk).update(is_staff=True)
    waiting, failed = busy.token_device.terminal_id, SaleOutcome.objects.filter(code="stock_insuffisant").first()
    now = timezone.now()
    SaleOutcome.objects.filter(batch_id=failed.batch_id, position=failed.position).update(
        status="failed", params={"reason": "KeyError"}, code="echec_interne"
    )
    Pause.objects.create(scope=f"terminal:{waiting}", terminal_id=waiting, reason="77")
    SweepTurn.objects.create(sweep="m1:7", at=now)
    checks = [{"name": "c7", "promise": "P5", "title": "77", "finding_count": 1, "note_count": 0, "sentences": ["7"]}]
    DoctorRun.objects.create(at=now, duration_s=7, finding_count=1, checks=checks)
    plain = [reverse(f"operations:{name}") for name in ("overview", "tills", "failed", "calls", "doctor")]
    searched = [reverse("operations:calls") + "?serie=0a1", reverse("operations:tills") + "?boutique=BTQ-009"]
    till = reverse("operations:till", args=[waiting])
    faults = {address: others(alice.get(address).content.decode(), foreign) for address in (*plain, *searched, till)}
    group = {"boutique": "BTQ-009", "code": "echec_interne", "params": '{"reason": "KeyError"}'}
    sent = [
        ("pause", (), {"portee": "partout", "boutique": "X"}),
        ("pause", (), {"portee": "boutique", "boutique": "X", "motif": "7"}),
        ("post_till", (waiting,), {}),
        ("resume", (), {"pause": f"terminal:{waiting}"}),
        ("resume", (), {"pause": f"terminal:{waiting}"}),
        ("ring_till", (waiting,), {}),
        ("ring_all", (), {}),
        ("post_till", (waiting,), {}),
        ("pause_till", (waiting,), {"motif": "7"}),
        ("retry", (), group),
    ]
    for name, parts, form in sent:
        answer = alice.post(reverse(f"operations:{name}", args=parts), form, follow=True)
        faults[name, str(form)] = others(answer.content.decode(), foreign)
    assert {where: found for where, found in faults.items() if found} == {}
