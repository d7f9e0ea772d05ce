"""The paper of a document: the shop, the sums, and the disclaimer."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from reportlab.platypus import Flowable, Paragraph, Table

from backend.sales.models import Sale
from backend.sales.money.vat import vat_parts
from backend.testing import Cast, make_article
from backend.web.papers.fonts import letters, printable
from backend.web.papers.pdf import SHEETS, story, write_pdf
from backend.web.selectors.papers import paper_of
from backend.web.selectors.sales import sale_view
from tests.shop_day import post, recorded, sale
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

NOT_FISCAL = "n'est pas une facture normalisée"


def follow(origin: str, kind: str, **fields: object) -> dict[str, object]:
    origin_of = {"type": kind, "origine": {"numero_facture": origin}}
    return {**origin_of, "date_vente": datetime.now(UTC).isoformat(), **fields}


def printed(document: Sale, size: str) -> str:
    """Return the texts of the PDF in order, and assert that it can be written."""
    paper = paper_of(sale_view(sale_id=document.pk, shop_ids=[document.shop_id]))
    content = write_pdf(paper, SHEETS[size])
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    words = " ".join(text for one in story(paper, SHEETS[size]) for text in texts_of(one))
    return " ".join(words.split())


def texts_of(flowable: Flowable) -> list[str]:
    if isinstance(flowable, Paragraph):
        return [flowable.getPlainText()]
    if isinstance(flowable, Table):
        return [text for row in flowable._cellvalues for cell in row for text in texts_of(cell)]
    return []


def on_page(client: Client, document: Sale) -> str:
    return seen(client.get(reverse("web:invoice", args=[document.pk])))


@pytest.fixture
def registered_shop(cast: Cast) -> None:
    fields = {
        "legal_name": "Établissements Béatrice & Fils SARL",
        "address": "12, avenue du Commerce, Gombe, Kinshasa",
        "phone": "+243 81 000 00 00",
        "nif": "A1234567B",
        "rccm": "CD/KIN/RCCM/20-B-00123",
    }
    for name, value in fields.items():
        setattr(cast.shop, name, value)
    cast.shop.save(update_fields=list(fields))


@pytest.fixture
def big_sale(cast: Cast, registered_shop: None) -> Sale:
    taxed = make_article(cast.shop, name="Savon", vat_rate=16)
    lines = [
        {"article_id": cast.rice.pk, "quantite": 2, "prix_unitaire": 25000, "remise": 500},
        {"article_id": taxed.pk, "quantite": 3, "prix_unitaire": "333.33"},
    ]
    mixed = [{"mode": "CASH", "montant": 21999}, {"mode": "MOBILE_MONEY", "devise": "USD", "montant": 10, "taux": 2850}]
    sent = sale(
        cast.rice,
        numero_facture="FAC-20241104-003",
        lignes=lines,
        remise="0.99",
        paiements=mixed,
        caissier={"code": "C2", "nom": "Béatrice"},
        client={"nom": "Maman Chantal", "telephone": "+243 99", "nif": "B7"},
    )
    return recorded(post(cast.device, sent))


@pytest.mark.parametrize("where", ["page", "a4", "80mm"])
def test_it_says_who_sold_what_for_how_much(where: str, cast: Cast, big_sale: Sale, victor: Client) -> None:
    words = on_page(victor, big_sale) if where == "page" else printed(big_sale, where)
    words = words.replace("\N{NO-BREAK SPACE}", " ")
    for expected in (
        "Établissements Béatrice & Fils SARL",
        "Ma Boutique",
        "12, avenue du Commerce, Gombe, Kinshasa",
        "NIF : A1234567B",
        "RCCM : CD/KIN/RCCM/20-B-00123",
        f"Facture {big_sale.registration_number}",
        "FAC-20241104-003",
        "Terminal MAUI",
        "Béatrice",
        "Maman Chantal",
        "Riz 25 kg PCE",
        "25 000 FC",
        "500 FC",
        "Somme des lignes 50 499,99 FC",
        "Remise 0,99 FC",
        "Total TTC 50 499 FC",
        "TVA 16 %",
        "Espèces 21 999 FC",
        "Mobile money 10,00 $US (taux 2 850)",
        NOT_FISCAL,
    ):
        assert expected in words
    for absent in ("Id. nat.", "Régime de TVA", "Reste dû", "ANNULÉE"):
        assert absent not in words


@pytest.mark.parametrize("where", ["page", "a4", "80mm"])
def test_a_voided_sale_says_so(where: str, cast: Cast, alice: Client) -> None:
    document = recorded(post(cast.device, sale(cast.rice, numero_facture="FAC-1")))
    post(cast.device, follow("FAC-1", "annulation", numero_facture="V", motif="erreur"))
    void = document.followers.get()
    words = on_page(alice, document) if where == "page" else printed(document, where)
    assert "ANNULÉE" in words
    assert f"par le document {void.registration_number}" in words
    paper = on_page(alice, void) if where == "page" else printed(void, where)
    assert f"Annulation {void.registration_number}" in paper
    assert f"{document.registration_number} (FAC-1)" in paper
    assert "ANNULÉE" not in paper
    assert re.search(r"Rendu : Espèces 25.000.FC", paper)


def test_a_credit_shows_what_was_paid_since_and_what_is_owed(cast: Cast, alice: Client) -> None:
    document = recorded(post(cast.device, sale(cast.rice, numero_facture="FAC-1", quantity=2, paye=False)))
    post(
        cast.device,
        follow("FAC-1", "paiement", numero_facture="P", montant=10000, mode_paiement="MOBILE_MONEY"),
        follow("FAC-1", "retour", numero_facture="R", lignes=[{"ligne": 1, "quantite": 1}]),
    )
    words = on_page(alice, document)
    assert re.search(r"Paiement du \d+ \S+ \d{4} 10 000 FC", words)
    assert re.search(r"Retour du \d+ \S+ \d{4} 25 000 FC", words)
    assert "Reste dû 15 000 FC" in words
    payment = on_page(alice, document.followers.get(kind="paiement"))
    assert "Reçu de paiement" in payment
    assert "Mobile money 10 000 FC" in payment
    assert "Reste dû 15 000 FC" in payment
    assert "Retour" in printed(document.followers.get(kind="retour"), "80mm")


def test_fiscal_data_of_a_certified_device_are_printed_instead_of_the_disclaimer(cast: Cast, alice: Client) -> None:
    fiscal = {"nim": "DEF-001", "code": "ABCD-1234", "compteurs": [3, 4], "vide": ""}
    document = recorded(post(cast.device, sale(cast.rice, fiscal=fiscal)))
    words = on_page(alice, document)
    assert "nim DEF-001" in words
    assert "compteurs [3, 4]" in words
    assert "vide" not in words
    assert NOT_FISCAL not in words
    assert NOT_FISCAL not in printed(document, "a4")
    nothing = recorded(post(cast.device, sale(cast.rice, fiscal={})))
    assert NOT_FISCAL in on_page(alice, nothing)
    assert NOT_FISCAL in printed(nothing, "a4")


@pytest.mark.parametrize("size", ["a4", "80mm"])
def test_a_name_of_any_letters_is_printed_and_none_vanishes(size: str, cast: Cast) -> None:
    cast.rice.name = "Ndɔ́kɔ 米 😀 <b>&amp;"
    cast.rice.save(update_fields=["name"])
    words = printed(recorded(post(cast.device, sale(cast.rice))), size)
    assert "Ndoko ? ? <b>&amp;" in words
    assert "« ? » remplace une lettre" in words


@pytest.mark.parametrize("size", ["a4", "80mm"])
def test_a_paper_as_long_as_a_sale_can_be(size: str, cast: Cast) -> None:
    cast.rice.name = "W" * 160
    cast.rice.save(update_fields=["name"])
    line = {"article_id": cast.rice.pk, "quantite": "0.1", "prix_unitaire": "99999999.99", "remise": "0.01"}
    document = recorded(post(cast.device, sale(cast.rice, lignes=[line] * 200, client={"nom": "x" * 160})))
    content = write_pdf(paper_of(sale_view(sale_id=document.pk, shop_ids=[cast.shop.pk])), SHEETS[size])
    pages = len(re.findall(rb"/Type /Page\b", content))
    assert pages > 3 if size == "a4" else pages == 1


def test_letters_that_the_font_lacks_have_a_stand_in() -> None:
    assert printable("Élikya na ngɔ́ndɛ, 5 € – œuf") == "Élikya na ngonde, 5 € – œuf"
    assert printable("ŋ漢\u200b\u202fA") == "ng? A"
    assert "é" in letters()
    assert "漢" not in letters()


def test_the_pdf_is_of_the_size_asked_for(cast: Cast, victor: Client, charlie: Client) -> None:
    document = recorded(post(cast.device, sale(cast.rice)))
    for size, width in (("a4", "595.2756"), ("80mm", "226.7717")):
        answer = victor.get(reverse("web:invoice_pdf", args=[document.pk, size]))
        assert answer["Content-Type"] == "application/pdf"
        assert f"/MediaBox [ 0 0 {width}".encode() in answer.content
        assert f'filename="{document.registration_number}.pdf"' in answer["Content-Disposition"]
        assert charlie.get(reverse("web:invoice_pdf", args=[document.pk, size])).status_code == 404
    assert victor.get(reverse("web:invoice_pdf", args=[document.pk, "a5"])).status_code == 404
    assert charlie.get(reverse("web:invoice", args=[document.pk])).status_code == 404


# ---- What is tax ----


def test_a_price_includes_its_tax_rounded_half_up() -> None:
    (part,) = vat_parts(lines=[(Decimal("16.00"), Decimal("1000"))], total=Decimal("1000"))
    assert (part.rate, part.net, part.tax, part.gross) == (16, Decimal("862.07"), Decimal("137.93"), 1000)


def test_a_discount_is_shared_out_and_no_cent_is_lost() -> None:
    lines = [(Decimal(0), Decimal("10.00")), (Decimal(16), Decimal("10.00")), (Decimal(8), Decimal("10.00"))]
    parts = vat_parts(lines=[*lines, (Decimal("16.00"), Decimal("0.01"))], total=Decimal("20.00"))
    assert [part.rate for part in parts] == [0, 8, 16]
    assert sum(part.gross for part in parts) == Decimal("20.00")
    assert all(part.net + part.tax == part.gross for part in parts)
    assert [part.gross for part in parts] == [Decimal("6.66"), Decimal("6.67"), Decimal("6.67")]


def test_a_free_sale_has_no_tax() -> None:
    (part,) = vat_parts(lines=[(Decimal(16), Decimal(0))], total=Decimal(0))
    assert (part.net, part.tax, part.gross) == (0, 0, 0)
    assert vat_parts(lines=[], total=Decimal(500)) == []
