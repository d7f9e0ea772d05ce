"""The spreadsheet of money, a row a movement, and the column of the sales' one that can be added up."""

import csv
import io
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from backend.sales.models import Sale, SaleOutcome
from backend.sales.repair.desk import Desk
from backend.testing import Cast
from backend.web.selectors import sale_search
from tests.shop_day import post, sale

pytestmark = pytest.mark.embedded

LIST = "/commercant/ventes/"


def exported(client: Client, name: str, **chosen: str) -> list[dict[str, str]]:
    answer = client.get(f"{LIST}{name}.csv", chosen)
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


def follow(kind: str, number: str, **fields: object) -> dict[str, object]:
    moment = datetime.now(UTC).isoformat()
    origin = {"numero_facture": number}
    return {"type": kind, "numero_facture": f"{kind}-{number}", "date_vente": moment, "origine": origin, **fields}


def test_it_has_a_row_for_each_movement_with_its_sign(cast: Cast, victor: Client) -> None:
    dollars = [{"mode": "CASH", "devise": "USD", "montant": 10, "taux": 2850}]
    change = [{"mode": "CASH", "montant": 3500}]
    post(
        cast.device,
        sale(cast.rice, numero_facture="A", paiements=dollars, rendu=change, caissier={"code": "C2", "nom": "Béa"}),
        sale(cast.rice, numero_facture="B", price="10.50", mode_paiement="MOBILE_MONEY"),
        sale(cast.rice, numero_facture="C", paye=False),
        follow("paiement", "C", montant=5000),
        follow("annulation", "B"),
    )
    rows = exported(victor, "argent")
    document = Sale.objects.get(number="A")
    day, till_day = document.business_day.isoformat(), document.till_day.isoformat()
    assert list(rows[0].values()) == [
        day, till_day, "Terminal MAUI", "C2", "Vente", "A", document.registration_number, "Encaissement", "Espèces",
        "USD", "10", "2850", "28500", "CDF",
    ]  # fmt: skip
    columns = ("Document", "Numéro", "Nature", "Règlement", "Devise", "Montant", "Valeur", "Devise du document")
    assert [tuple(row[column] for column in columns) for row in rows[1:]] == [
        ("Vente", "A", "Monnaie rendue", "Espèces", "CDF", "-3500", "-3500", "CDF"),
        ("Vente", "B", "Encaissement", "Mobile money", "CDF", "10,5", "10,5", "CDF"),
        ("Paiement", "paiement-C", "Paiement d'un crédit", "Espèces", "CDF", "5000", "5000", "CDF"),
        ("Annulation", "annulation-B", "Rendu", "Mobile money", "CDF", "-10,5", "-10,5", "CDF"),
    ]


def test_a_workbook_has_the_same_rows_as_numbers_and_dates(cast: Cast, victor: Client) -> None:
    dollars = [{"mode": "CASH", "devise": "USD", "montant": 10, "taux": "2850.5"}]
    post(cast.device, sale(cast.rice, price=28505, paiements=dollars))
    answer = victor.get(f"{LIST}argent.xlsx")
    assert 'filename="argent-' in answer["Content-Disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).worksheets[0]
    head, row = sheet.iter_rows(values_only=True)
    first = dict(zip(head, row, strict=True))
    assert (first["Montant"], first["Taux"], first["Valeur"]) == (10, 2850.5, 28505)
    assert first["Jour"].date() == Sale.objects.get().business_day
    assert sheet.title == "Argent"


def test_it_is_of_the_days_and_the_till_of_the_drawer(cast: Cast, alice: Client) -> None:
    now = datetime.now(UTC)
    old = sale(cast.rice, numero_facture="OLD", date_vente=(now - timedelta(days=5)).isoformat())
    post(cast.device, sale(cast.rice, numero_facture="NEW"), old)
    post(cast.token_device, sale(cast.rice, numero_facture="OTHER"))
    post(cast.other_device, sale(cast.other_article, numero_facture="FOREIGN"))
    day = Sale.objects.get(number="OLD").business_day.isoformat()
    assert [row["Numéro"] for row in exported(alice, "argent")] == ["OLD", "NEW", "OTHER"]
    assert [row["Numéro"] for row in exported(alice, "argent", du=day, au=day)] == ["OLD"]
    assert [row["Numéro"] for row in exported(alice, "argent", caisse=str(cast.terminal.pk))] == ["OLD", "NEW"]
    assert alice.get(f"{LIST}argent.csv", {"caisse": cast.other_terminal.pk}).status_code == 400
    page = alice.get(LIST, {"du": day, "au": day, "etat": "payee"}).content.decode()
    assert f'href="/commercant/ventes/argent.csv?du={day}&amp;au={day}"' in page


def test_it_is_read_in_chunks_of_a_few_queries(
    cast: Cast, alice: Client, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    split = [{"mode": "CASH", "montant": 4}, {"mode": "CARTE", "montant": 6}]
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    post(cast.device, *(sale(cast.rice, price=10, paiements=split, numero_facture=f"N{n}") for n in range(5)))
    post(cast.device, sale(cast.rice, price=10, paiements=split, numero_facture="OLD", date_vente=yesterday))
    with django_assert_max_num_queries(9):
        whole = exported(alice, "argent")
    # A chunk ends between two movements of one document.
    monkeypatch.setattr(sale_search, "CHUNK_ROWS", 3)
    assert exported(alice, "argent") == whole
    assert [row["Numéro"] for row in whole[::2]] == ["OLD", "N0", "N1", "N2", "N3", "N4"]
    assert [row["Montant"] for row in whole] == ["4", "6"] * 6


def test_what_a_correction_undid_is_named_and_no_cell_is_a_formula(cast: Cast, alice: Client) -> None:
    post(cast.device, sale(cast.rice, numero_facture="=1+1", caissier={"code": "@C2"}))
    post(cast.device, sale(cast.rice, numero_facture="=1+1", price=2600))
    conflict = SaleOutcome.objects.get(status="conflict")
    Desk(shop=cast.shop, user=cast.bob).replace_first(conflict.batch_id, conflict.position, key="aaaa1111")
    first, *others = exported(alice, "argent")
    assert (first["Numéro"], first["Caissier"]) == ("'=1+1", "'@C2")
    correction = next(row for row in others if row["Document"] == "Annulation")
    assert (correction["Nature"], correction["Caisse"], correction["Montant"]) == (
        "Correction",
        "Terminal MAUI",
        "-25000",
    )


def test_the_sales_have_a_column_that_adds_up_to_what_was_sold(cast: Cast, alice: Client) -> None:
    post(
        cast.device,
        sale(cast.rice, numero_facture="A", quantity=2, price=100),
        sale(cast.rice, numero_facture="B", price=70),
        sale(cast.rice, numero_facture="C", price=50, paye=False),
        follow("retour", "A", lignes=[{"ligne": 1, "quantite": 1}]),
        follow("annulation", "B"),
        follow("paiement", "C", montant=5),
    )
    sold = [(row["Document"], row["Montant"], row["Vendu"]) for row in exported(alice, "ventes")]
    assert sold == [
        ("Vente", "200", "200"), ("Vente", "70", "70"), ("Vente", "50", "50"),
        ("Retour", "100", "-100"), ("Annulation", "70", "-70"), ("Paiement", "5", ""),
    ]  # fmt: skip
