"""The list of sales, and a sale."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from backend.inventory.models import ArticleUnit
from backend.sales.errors import sentence_of
from backend.sales.models import Sale, SaleOutcome
from backend.sales.repair import back_office
from backend.shops.models import Membership, Role, StockPolicy
from backend.testing import Cast, make_device
from backend.web.selectors import sale_search as selectors
from tests.invariants import check_invariants
from tests.shop_day import post, recorded, sale
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

LIST = "/commercant/ventes/"
# One of them is for the money of the rows, which says in which mode each was paid.
LIST_QUERIES_MAX = 7
SALE_QUERIES_MAX = 10


def numbers_on(page: object) -> list[str]:
    return re.findall(r'class="open"[^>]*>([^<]+)</a>', page.content.decode())


def next_page(page: object) -> str | None:
    found = re.search(r'rel="next" href="([^"]+)"', page.content.decode())
    return LIST + found[1].replace("&amp;", "&").partition("/commercant/ventes/")[2] if found else None


def test_an_empty_list_says_where_to_look(alice: Client) -> None:
    words = seen(alice.get(LIST))
    assert "Aucune vente enregistrée pour l'instant." in words
    assert "Regardez les envois des caisses" in words


def test_sales_stand_newest_first_under_their_day(cast: Cast, alice: Client) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    post(
        cast.device,
        sale(cast.rice, numero_facture="A"),
        sale(cast.rice, numero_facture="B", date_vente=yesterday),
        sale(cast.rice, numero_facture="C", paye=False),
    )
    page = alice.get(LIST)
    assert numbers_on(page) == ["C", "A", "B"]
    words = seen(page)
    assert words.index("aujourd'hui") < words.index("hier")
    assert "À crédit" in words


def test_it_can_be_narrowed_to_a_day_and_a_till(cast: Cast, alice: Client) -> None:
    now = datetime.now(UTC)
    post(cast.device, sale(cast.rice, numero_facture="A"))
    post(cast.token_device, sale(cast.rice, numero_facture="B"))
    post(cast.token_device, sale(cast.rice, numero_facture="C", date_vente=(now - timedelta(days=3)).isoformat()))
    day = Sale.objects.get(number="C").business_day.isoformat()
    till = cast.token_device.terminal_id
    assert numbers_on(alice.get(LIST, {"caisse": till})) == ["B", "C"]
    assert numbers_on(alice.get(LIST, {"jour": day})) == ["C"]
    assert numbers_on(alice.get(LIST, {"jour": day, "caisse": till})) == ["C"]
    assert "Aucune vente ne correspond à ce choix." in seen(alice.get(LIST, {"jour": "2020-01-01"}))


def test_a_day_that_is_none_is_said_beside_its_field(cast: Cast, alice: Client) -> None:
    post(cast.device, sale(cast.rice, numero_facture="FAC-A"))
    words = seen(alice.get(LIST, {"jour": "hier"}))
    assert "Saisissez une date valide." in words
    assert "FAC-A" not in words


def test_its_pages_have_each_sale_once_while_others_arrive(
    cast: Cast, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "PAGE_SALES_MAX", 3)
    now = datetime.now(UTC)
    for ago in (0, 1):
        moment = (now - timedelta(days=ago)).isoformat()
        post(cast.device, *(sale(cast.rice, numero_facture=f"{ago}-{n}", date_vente=moment) for n in range(4)))
    found: list[str] = []
    address: str | None = LIST
    while address:
        page = alice.get(address)
        found += numbers_on(page)
        address = next_page(page)
        post(cast.device, sale(cast.rice))
    assert found == [f"{ago}-{n}" for ago in (0, 1) for n in (3, 2, 1, 0)]


def test_the_next_page_keeps_what_was_chosen(cast: Cast, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "PAGE_SALES_MAX", 1)
    post(cast.device, sale(cast.rice, numero_facture="A"), sale(cast.rice, numero_facture="B"))
    post(cast.token_device, sale(cast.rice, numero_facture="C"))
    first = alice.get(LIST, {"caisse": cast.terminal.pk})
    assert numbers_on(first) == ["B"]
    assert numbers_on(alice.get(next_page(first))) == ["A"]


@pytest.mark.parametrize("cursor", ["x", "2024-11-04", "_5", "2024-11-04_x", "2024-13-40_5", "2024-11-04T10:00:00_5"])
def test_an_invalid_cursor_is_a_404(cursor: str, alice: Client) -> None:
    assert alice.get(LIST, {"apres": cursor}).status_code == 404


def test_the_lists_queries_do_not_grow_with_its_length(
    cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    post(cast.device, *(sale(cast.rice) for _ in range(60)))
    with django_assert_max_num_queries(LIST_QUERIES_MAX):
        assert len(numbers_on(alice.get(LIST))) == selectors.PAGE_SALES_MAX


def test_a_sale_shows_all_that_belongs_to_it(
    cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    payments = [
        {"mode": "CASH", "montant": 50000},
        {"mode": "MOBILE_MONEY", "devise": "USD", "montant": 10, "taux": 2850},
    ]
    lines = [
        {"article_id": cast.rice.pk, "quantite": 1.5, "prix_unitaire": 3000},
        {"article_id": cast.oil.pk, "quantite": 1, "prix_unitaire": 74500, "remise": 500},
    ]
    sent = sale(
        cast.rice,
        numero_facture="FAC-20241104-003",
        lignes=lines,
        paiements=payments,
        caissier={"code": "C2", "nom": "Béatrice"},
        client={"nom": "Maman Chantal", "telephone": "+243 81 000 00 00"},
    )
    document = recorded(post(cast.device, sent))
    with django_assert_max_num_queries(SALE_QUERIES_MAX):
        words = seen(alice.get(reverse("web:sale", args=[document.pk])))
    for expected in (
        "Vente FAC-20241104-003",
        "Total 78 500 FC",
        "Espèces 50 000 FC",
        "Mobile money 10,00 $US (taux 2 850)",
        document.registration_number,
        "Riz 25 kg PCE 1,5 3 000 FC",
        "Huile 20 L PCE 1 74 500 FC 500 FC",
        "Riz 25 kg PCE −1,5 100 98,5",
        "Vendue, à l'heure de la caisse aujourd'hui",
        "Reçue par le serveur aujourd'hui",
        "Caisse Terminal MAUI",
        "Caissier Béatrice",
        "Client Maman Chantal +243 81 000 00 00",
        "l'envoi de la caisse, vente 1",
    ):
        assert expected in words


def test_a_sale_from_another_device_of_the_till_shows_its_variant(cast: Cast, alice: Client) -> None:
    post(cast.device, sale(cast.rice, numero_facture="FAC-1"))
    batch = post(make_device(cast.terminal), sale(cast.oil, numero_facture="FAC-1"))
    words = seen(alice.get(reverse("web:sale", args=[recorded(batch).pk])))
    assert "Vente FAC-1~2" in words
    assert "vente n° 2 sous ce numéro" in words
    assert "Un autre appareil de la même caisse avait déjà donné ce numéro." in words
    assert numbers_on(alice.get(LIST)) == ["FAC-1~2", "FAC-1"]


def test_warnings_are_shown_in_plain_french(cast: Cast, alice: Client) -> None:
    cast.shop.stock_policy = StockPolicy.ACCEPT
    cast.shop.save(update_fields=["stock_policy"])
    sent = sale(cast.rice, quantity=120, montant_total=1)
    del sent["date_vente"]
    words = seen(alice.get(reverse("web:sale", args=[recorded(post(cast.device, sent)).pk])))
    assert "Le total envoyé par la caisse n'est pas la somme des lignes : les lignes comptent." in words
    assert "Le stock est passé sous zéro." in words
    assert "La caisse n'a pas dit l'heure de la vente." in words
    assert "Vendue, à l'heure de la caisse heure inconnue" in words


def test_what_a_till_sends_is_shown_as_text(cast: Cast, alice: Client) -> None:
    batch = post(cast.device, sale(cast.rice, numero_facture="<b>1</b>", client={"nom": "<script>alert(1)</script>"}))
    for page in (reverse("web:sale", args=[recorded(batch).pk]), LIST, reverse("web:batch", args=[batch.receipt])):
        body = alice.get(page).content.decode()
        assert "<b>1" not in body
        assert "<script>" not in body
        assert "&lt;b&gt;1" in body


# ---- Searching ----


def test_a_sale_is_found_by_its_number_and_by_its_registration(cast: Cast, alice: Client) -> None:
    post(cast.device, *(sale(cast.rice, numero_facture=f"A-{n}") for n in range(3)))
    post(cast.token_device, sale(cast.rice, numero_facture="A-1"), sale(cast.rice, numero_facture="B-1"))
    post(cast.other_device, sale(cast.other_article, numero_facture="A-1"))
    registered = Sale.objects.get(number="A-2").registration_number
    assert numbers_on(alice.get(LIST, {"q": "A-1"})) == ["A-1", "A-1"]
    assert sorted(numbers_on(alice.get(LIST, {"q": "a-"}))) == ["A-0", "A-1", "A-1", "A-2"]
    assert numbers_on(alice.get(LIST, {"q": registered})) == ["A-2"]
    assert numbers_on(alice.get(LIST, {"q": registered[-13:]})) == ["A-2"]
    assert numbers_on(alice.get(LIST, {"q": "A-9"})) == []


def test_a_number_is_found_in_the_shop_that_its_till_has_left(cast: Cast, alice: Client) -> None:
    post(cast.device, sale(cast.rice, numero_facture="A-1"))
    cast.terminal.shop = cast.other_shop
    cast.terminal.save(update_fields=["shop"])
    assert numbers_on(alice.get(LIST, {"q": "A-1"})) == ["A-1"]


def test_a_sale_is_found_by_its_customer(cast: Cast, alice: Client) -> None:
    chantal = {"nom": "Maman Chantal", "telephone": "+243 81 555"}
    post(cast.device, sale(cast.rice, numero_facture="A", client=chantal), sale(cast.rice, numero_facture="B"))
    assert numbers_on(alice.get(LIST, {"q": "chantal"})) == ["A"]
    assert numbers_on(alice.get(LIST, {"q": "81 555"})) == ["A"]
    assert numbers_on(alice.get(LIST, {"q": "100%"})) == []


@pytest.mark.parametrize("asked", ["thérèse", "THERESE", "Maman therese", "The\N{COMBINING ACUTE ACCENT}rèse"])
def test_a_customer_is_found_whatever_the_case_and_the_accents(asked: str, cast: Cast, alice: Client) -> None:
    customers = {"A": "Maman Thérèse", "B": "MAMAN THERESE", "C": "Maman Teresa", "D": "100% [Therese].*"}
    post(cast.device, *(sale(cast.rice, numero_facture=key, client={"nom": name}) for key, name in customers.items()))
    expected = ["B", "A"] if asked.startswith("Maman") else ["D", "B", "A"]
    assert numbers_on(alice.get(LIST, {"q": asked})) == expected
    assert numbers_on(alice.get(LIST, {"q": "% [therese].*"})) == ["D"]


def test_sales_are_narrowed_down_by_what_became_of_them(cast: Cast, alice: Client) -> None:
    post(
        cast.device,
        sale(cast.rice, numero_facture="PAID"),
        sale(cast.rice, numero_facture="CREDIT", paye=False),
        sale(cast.rice, numero_facture="GONE"),
        sale(cast.rice, numero_facture="BACK"),
        sale(cast.rice, numero_facture="ODD", montant_total=1),
        follow("GONE", "annulation", numero_facture="VOID"),
        follow("BACK", "retour", numero_facture="RETURN", lignes=[{"ligne": 1, "quantite": 1}]),
        follow("CREDIT", "paiement", numero_facture="PAY", montant=10, mode_paiement="CARTE"),
    )
    narrowed = {
        ("etat", "payee"): ["ODD", "BACK", "PAID"],
        ("etat", "a_credit"): ["CREDIT"],
        ("etat", "annulee"): ["GONE"],
        ("etat", "retour"): ["BACK"],
        ("etat", "avertissement"): ["ODD"],
        ("type", "annulation"): ["VOID"],
        ("type", "retour"): ["RETURN"],
        ("type", "paiement"): ["PAY"],
        ("mode", "CARD"): ["PAY"],
    }
    found = {choice: numbers_on(alice.get(LIST, dict([choice]))) for choice in narrowed}
    assert found == narrowed


def test_sales_are_narrowed_down_by_amount_and_days_and_mode(cast: Cast, alice: Client) -> None:
    now = datetime.now(UTC)
    mixed = [{"mode": "CASH", "montant": 40}, {"mode": "MOBILE_MONEY", "montant": 60}]
    post(
        cast.device,
        sale(cast.rice, numero_facture="100", price=100, paiements=mixed),
        sale(cast.rice, numero_facture="200", price=200, mode_paiement="mobile_money"),
        sale(cast.rice, numero_facture="300", price="300.50", date_vente=(now - timedelta(days=5)).isoformat()),
    )
    assert numbers_on(alice.get(LIST, {"montant_min": "200", "montant_max": "300,50"})) == ["200", "300"]
    assert numbers_on(alice.get(LIST, {"montant_max": "199"})) == ["100"]
    assert numbers_on(alice.get(LIST, {"mode": "MOBILE_MONEY"})) == ["200", "100"]
    old = Sale.objects.get(number="300").business_day
    assert numbers_on(alice.get(LIST, {"au": old.isoformat()})) == ["300"]
    assert numbers_on(alice.get(LIST, {"du": (old + timedelta(days=1)).isoformat()})) == ["200", "100"]
    backwards = {"du": old.isoformat(), "au": (old - timedelta(days=1)).isoformat()}
    assert "La fin vient avant le début." in seen(alice.get(LIST, backwards))


@pytest.mark.parametrize("wrong", [{"etat": "x"}, {"mode": "x"}, {"montant_min": "beaucoup"}, {"type": "vol"}])
def test_an_invalid_filter_shows_no_sale(wrong: dict[str, str], cast: Cast, alice: Client) -> None:
    post(cast.device, sale(cast.rice, numero_facture="FAC-A"))
    assert "FAC-A" not in seen(alice.get(LIST, wrong))
    assert alice.get(f"{LIST}ventes.csv", wrong).status_code == 400


def test_a_search_is_bounded_and_says_how_far_it_got(
    cast: Cast, alice: Client, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(selectors, "SEARCHED_ROWS_MAX", 3)
    who = {"nom": "Chantal"}
    post(cast.device, sale(cast.rice, numero_facture="OLD", client=who), *(sale(cast.rice) for _ in range(4)))
    post(cast.device, sale(cast.rice, numero_facture="NEW", client=who))
    with django_assert_max_num_queries(LIST_QUERIES_MAX + 4):
        first = alice.get(LIST, {"q": "Chantal"})
    assert numbers_on(first) == ["NEW"]
    assert "Il reste des ventes plus anciennes." in seen(first)
    second = alice.get(next_page(first))
    assert numbers_on(second) == ["OLD"]
    assert next_page(second) is None or numbers_on(alice.get(next_page(second))) == []


# ---- Exporting ----


def exported(client: Client, **chosen: str) -> list[dict[str, str]]:
    answer = client.get(f"{LIST}ventes.csv", chosen)
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


def workbook(client: Client, **chosen: str) -> list[list[object]]:
    answer = client.get(f"{LIST}ventes.xlsx", chosen)
    content = io.BytesIO(b"".join(answer.streaming_content))
    sheets = openpyxl.load_workbook(content).worksheets
    return [[cell.value for cell in row] for sheet in sheets for row in sheet.iter_rows()]


def test_the_export_has_each_document_once_oldest_first(
    cast: Cast, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "CHUNK_ROWS", 2)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    post(cast.other_device, sale(cast.other_article))
    post(
        cast.device,
        sale(cast.rice, numero_facture="B", paye=False, client={"nom": "Chantal"}),
        sale(cast.rice, numero_facture="A", date_vente=yesterday),
        *(sale(cast.rice, numero_facture=f"C{n}") for n in range(4)),
        follow("B", "paiement", numero_facture="PAY", montant="5000.50"),
    )
    rows = exported(alice)
    assert [row["Numéro"] for row in rows] == ["A", "B", "C0", "C1", "C2", "C3", "PAY"]
    credit, payment = rows[1], rows[6]
    assert (credit["État"], credit["Montant"], credit["Reste dû"]) == ("À crédit", "25000", "19999,5")
    assert (payment["Document"], payment["Porte sur"], payment["Règlement"]) == ("Paiement", "B", "Espèces")
    assert [row["Numéro"] for row in exported(alice, q="Chantal")] == ["B"]
    assert [row["Numéro"] for row in exported(alice, q="C2")] == ["C2"]
    assert [row["Numéro"] for row in exported(alice, au=Sale.objects.get(number="A").business_day.isoformat())] == ["A"]


def test_a_workbook_has_numbers_dates_and_text(cast: Cast, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.web.sheets.writer.SHEET_ROWS_MAX", 3)
    hostile = {"nom": '=HYPERLINK("http://x")<&>'}
    post(cast.device, *(sale(cast.rice, numero_facture=f"A{n}", price=0.1, client=hostile) for n in range(5)))
    head, *rows = workbook(alice)
    assert [row[head.index("Numéro")] for row in rows if row != head] == ["A0", "A1", "A2", "A3", "A4"]
    first = dict(zip(head, rows[0], strict=True))
    assert first["Montant"] == 0.1
    assert first["Client"] == '=HYPERLINK("http://x")<&>'
    document = Sale.objects.get(number="A0")
    assert first["Jour"].date() == document.business_day
    local = document.sold_at.astimezone(ZoneInfo(cast.shop.timezone)).replace(tzinfo=None)
    assert first["Heure de la caisse"] == local.replace(microsecond=0)


def test_no_cell_of_an_export_is_a_formula(cast: Cast, alice: Client) -> None:
    post(cast.device, sale(cast.rice, numero_facture="=1+1", client={"nom": "@SUM(A1)"}))
    (row,) = exported(alice)
    assert (row["Numéro"], row["Client"]) == ("'=1+1", "'@SUM(A1)")


def test_an_export_makes_a_few_queries_per_chunk(
    cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    post(cast.device, *(sale(cast.rice) for _ in range(60)))
    with django_assert_max_num_queries(8):
        assert len(exported(alice)) == 60


# ---- What a person does with a sale ----


def follow(origin: str, kind: str, **fields: object) -> dict[str, object]:
    moment = datetime.now(UTC).isoformat()
    return {"type": kind, "origine": {"numero_facture": origin}, "date_vente": moment, **fields}


def sold(cast: Cast, *, quantity: object = 4, **fields: object) -> Sale:
    return recorded(post(cast.device, sale(cast.rice, quantity=quantity, numero_facture="FAC-1", **fields)))


def stock(cast: Cast) -> Decimal:
    return ArticleUnit.objects.get(pk=cast.rice.base_unit_id).stock


def key_on(page: object) -> str:
    return re.search(r'name="key" value="([^"]+)"', page.content.decode())[1]


def do(client: Client, name: str, document: Sale, **given: object) -> object:
    """Open the form, fill it in, send it, and follow the redirect."""
    path = reverse(f"web:{name}", args=[document.pk])
    return client.post(path, {"key": key_on(client.get(path)), **given}, follow=True)


def test_a_manager_voids_a_sale_and_sees_what_comes_back(cast: Cast, bob: Client) -> None:
    document = sold(cast)
    post(cast.device, follow("FAC-1", "retour", numero_facture="R", lignes=[{"ligne": 1, "quantite": 1}]))
    asked = seen(bob.get(reverse("web:void_sale", args=[document.pk])))
    assert "3 × Riz 25 kg" in asked
    words = seen(do(bob, "void_sale", document, motif="erreur de saisie"))
    assert "La vente est annulée" in words
    assert "Motif : erreur de saisie" in words
    assert stock(cast) == 100
    void = document.followers.get(kind="annulation")
    assert (void.reason, void.cashier_code, void.terminal.is_office) == ("erreur de saisie", "bob", True)
    check_invariants()


def test_a_void_needs_a_reason(cast: Cast, bob: Client) -> None:
    document = sold(cast)
    words = seen(do(bob, "void_sale", document, motif=" "))
    assert "Ce champ est obligatoire." in words
    assert stock(cast) == 96


@pytest.mark.parametrize(
    ("name", "given", "once"),
    [
        ("void_sale", {"motif": "erreur"}, "La vente est annulée"),
        ("return_lines", {"motif": "cassé", "ligne_1": "4"}, "Retour enregistré pour 100 000 FC"),
        ("take_payment", {"montant": "100000", "mode": "CASH"}, "Paiement de 100 000 FC enregistré."),
    ],
)
def test_a_double_click_does_it_once(name: str, given: dict[str, str], once: str, cast: Cast, bob: Client) -> None:
    document = sold(cast, paye=False)
    path = reverse(f"web:{name}", args=[document.pk])
    sent = {"key": key_on(bob.get(path)), **given}
    assert [once in seen(bob.post(path, sent, follow=True)) for _ in range(2)] == [True, True]
    assert document.followers.count() == 1
    check_invariants()


def test_lines_come_back_by_quantity_and_no_more_than_is_left(cast: Cast, bob: Client) -> None:
    document = sold(cast)
    assert "Retour enregistré pour 62 500 FC" in seen(
        do(bob, "return_lines", document, ligne_1="2,5", motif="abîmé", mode="CASH")
    )
    assert stock(cast) == Decimal("98.5")
    page = bob.get(reverse("web:return_lines", args=[document.pk]))
    assert "vendu 4, reste 1,5" in seen(page)
    too_many = seen(do(bob, "return_lines", document, ligne_1="2", motif="abîmé", mode="CASH"))
    assert "1,5 au plus." in too_many
    assert "Dites ce qui revient" in seen(do(bob, "return_lines", document, motif="abîmé", mode="CASH"))
    assert stock(cast) == Decimal("98.5")
    assert "2,5 revenu" in seen(bob.get(reverse("web:sale", args=[document.pk])))


def test_a_payment_settles_what_is_owed_and_no_more(cast: Cast, bob: Client) -> None:
    document = sold(cast, paye=False, client={"nom": "Maman Chantal"})
    assert "Reste dû 100 000 FC" in seen(bob.get(reverse("web:sale", args=[document.pk])))
    too_much = seen(do(bob, "take_payment", document, montant="100 000,01", mode="CASH"))
    assert "C'est plus que ce qui reste dû." in too_much
    words = seen(do(bob, "take_payment", document, montant="60 000", mode="MOBILE_MONEY"))
    assert "Paiement de 60 000 FC enregistré." in words
    assert "Payé depuis 60 000 FC" in words
    assert "Reste dû 40 000 FC" in words
    assert "Reste dû 0 FC" in seen(do(bob, "take_payment", document, montant="40000", mode="CASH"))
    assert "Crédit soldé" in seen(bob.get(LIST))
    check_invariants()


def test_a_refusal_is_shown_at_once_and_leaves_no_entry(
    cast: Cast, bob: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = sold(cast)
    path = reverse("web:void_sale", args=[document.pk])
    page = bob.get(path)
    hand_over = back_office.receive_batch

    def hand_over_too_late(**arguments: object) -> object:
        """A till voids the sale between the form's own check and the posting."""
        post(cast.device, follow("FAC-1", "annulation", numero_facture="V"))
        return hand_over(**arguments)

    monkeypatch.setattr(back_office, "receive_batch", hand_over_too_late)
    words = seen(bob.post(path, {"key": key_on(page), "motif": "erreur"}))
    assert "Vente déjà annulée" in words
    outcome = SaleOutcome.objects.get(terminal__is_office=True)
    assert (outcome.status, outcome.code) == ("set_aside", "ecartee")
    assert "Refusée à l'écran : Vente déjà annulée" in sentence_of(outcome, "fr")
    check_invariants()


def test_a_form_of_the_past_with_other_values_is_refused(cast: Cast, bob: Client) -> None:
    document = sold(cast, paye=False)
    path = reverse("web:take_payment", args=[document.pk])
    sent = {"key": key_on(bob.get(path)), "montant": "10", "mode": "CASH"}
    bob.post(path, sent)
    assert "Ce formulaire a déjà servi" in seen(bob.post(path, {**sent, "montant": "20"}))
    assert document.followers.count() == 1


def test_no_action_is_possible_on_a_voided_sale(cast: Cast, bob: Client) -> None:
    document = sold(cast)
    post(cast.device, follow("FAC-1", "annulation", numero_facture="V"))
    for name in ("void_sale", "return_lines", "take_payment"):
        path = reverse(f"web:{name}", args=[document.pk])
        assert "Il n'y a plus rien à faire" in seen(bob.get(path, follow=True))
        sent = {"key": "aaaaaaaaaaaa", "motif": "x", "mode": "CASH", "montant": "1", "ligne_1": "1"}
        assert "Il n'y a plus rien à faire" in seen(bob.post(path, sent, follow=True))
    assert document.followers.count() == 1


@pytest.mark.parametrize("name", ["void_sale", "return_lines", "take_payment"])
def test_a_viewer_changes_nothing_and_other_shops_see_nothing(
    name: str, cast: Cast, victor: Client, charlie: Client
) -> None:
    document = sold(cast, paye=False)
    path = reverse(f"web:{name}", args=[document.pk])
    sent = {"key": "aaaaaaaaaaaa", "motif": "x", "montant": "1", "mode": "CASH", "ligne_1": "1"}
    assert victor.get(path).status_code == 403
    assert victor.post(path, sent).status_code == 403
    assert charlie.get(path).status_code == 404
    assert charlie.post(path, sent).status_code == 404
    assert document.followers.count() == 0
    words = seen(victor.get(reverse("web:sale", args=[document.pk])))
    assert "Annuler la vente" not in words
    assert "Facture à imprimer" in words


def test_what_the_till_wrote_is_shown_word_for_word(cast: Cast, victor: Client, charlie: Client) -> None:
    first = sale(cast.rice, numero_facture="FAC-0")
    second = sale(cast.rice, numero_facture="FAC-1", client={"nom": "<Été>"}, inconnu=[1, 2])
    post(cast.device, first, second)
    path = reverse("web:sale_submission", args=[Sale.objects.get(number="FAC-1").pk])
    assert "<Été>" in json.loads(victor.get(path, {"fichier": 1}).content)["client"]["nom"]
    page = victor.get(path)
    assert json.dumps(second) in seen(page)
    assert "FAC-0" not in seen(page)
    assert charlie.get(path).status_code == 404


def test_a_sale_of_ones_other_shop_opens_there(cast: Cast, alice: Client) -> None:
    Membership.objects.create(user=cast.alice, shop=cast.other_shop, role=Role.OWNER)
    document = recorded(post(cast.other_device, sale(cast.other_article)))
    for name in ("sale", "sale_submission", "void_sale", "return_lines", "take_payment", "invoice"):
        path = reverse(f"web:{name}", args=[document.pk])
        answer = alice.get(path, {"boutique": cast.shop.code})
        assert (answer.status_code, answer["Location"]) == (302, f"{path}?boutique={cast.other_shop.code}")
