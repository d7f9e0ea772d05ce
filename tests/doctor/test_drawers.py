"""P13: money in another drawer than its document's, or of a kind, a sign or a value that does not fit it."""

from datetime import date, timedelta
from typing import Any

import pytest

from backend.sales.models import Sale
from backend.sales.repair.back_office import record_from_page
from backend.testing import Cast
from tests.doctor.planted_faults import add_money, document, findings, only_finding, write
from tests.tills import Till, line

pytestmark = pytest.mark.embedded

DRAWER = "movements_are_in_their_drawer"
FIT = "movements_fit_their_document"


@pytest.mark.parametrize("column", ["terminal_id", "cashier", "till_day", "business_day"])
def test_money_in_another_drawer_than_its_documents_is_found(busy: Till, cast: Cast, column: str) -> None:
    one = document("FAC-20")
    yesterday = one.till_day - timedelta(days=1)
    other: dict[str, Any] = {
        "terminal_id": cast.token_device.terminal_id, "cashier": "C9", "till_day": yesterday, "business_day": yesterday,
    }  # fmt: skip
    add_money(one)
    assert findings() == {}
    add_money(one, **{column: other[column]})
    finding = only_finding(DRAWER)
    assert finding.found.startswith("mouvement d'argent 3 de vente FAC-20 (")
    assert "son document : caisse « Terminal MAUI »" in finding.found
    assert finding.repair is None


@pytest.mark.parametrize(
    ("code", "name", "cashier"), [("C1", "Joël", "C1"), ("", "Joël", "Joël"), ("C1", "Joël", "Joël")]
)
def test_a_cashier_is_known_by_the_code_or_else_by_the_name(busy: Till, code: str, name: str, cashier: str) -> None:
    other = document("FAC-8")
    write("sales_sale", f"id = {other.pk}", cashier_code=code, cashier_name=name)
    add_money(other, cashier=cashier)
    told = [one.found for one in findings()[DRAWER]]
    # Its first movement has none.
    assert "sans caissier" in told[0]
    assert len(told) == (1 if cashier == (code or name) else 2)


# Documents of the shop's pages ----------------------------------------------------------------------------------------


@pytest.fixture
def recorded(busy: Till, cast: Cast) -> Sale:
    """A sale that a page recorded, its money in the drawer of a till."""
    sold = {"type": "vente", "lignes": [line(cast.rice)], "tiroir": {"caisse": cast.terminal.pk, "caissier": "C2"}}
    recording = record_from_page(shop=cast.shop, user=cast.alice, document=sold, key="aaaa1111")
    assert recording.outcome is not None
    assert recording.outcome.document is not None
    return recording.outcome.document


@pytest.fixture
def undone(busy: Till, cast: Cast) -> Sale:
    """A correction of a sale of the day before yesterday, in the drawer and on the day of that sale."""
    first = document("FAC-20")
    back = first.till_day - timedelta(days=2)
    void = {"type": "annulation", "origine": {"vente_id": first.pk}, "tiroir": {"origine": True}}
    recording = record_from_page(shop=cast.shop, user=cast.alice, document=void, key="aaaa1111")
    assert recording.outcome is not None
    assert recording.outcome.document is not None
    document_id = recording.outcome.document.pk
    write("sales_sale", f"id = {document_id}", till_day=back.isoformat())
    return Sale.objects.get(pk=document_id)


def test_the_drawer_that_a_page_chose_is_right_if_it_was_the_shops(recorded: Sale, cast: Cast) -> None:
    assert recorded.terminal.is_office
    assert findings() == {}
    add_money(recorded, terminal_id=cast.other_terminal.pk)
    assert "caisse « Caisse" in only_finding(DRAWER).found


def test_a_drawer_that_was_the_shops_stays_right_when_its_till_is_moved(recorded: Sale, cast: Cast) -> None:
    write("shops_terminal", f"id = {cast.terminal.pk}", shop_id=cast.other_shop.pk)
    only_finding("tills_keep_their_shop")


@pytest.mark.parametrize("column", ["till_day", "business_day"])
def test_a_page_chooses_no_other_day(recorded: Sale, column: str) -> None:
    add_money(recorded, **{column: date(2026, 1, 2)})
    assert "2026-01-02" in only_finding(DRAWER).found


def test_a_correction_is_right_where_the_money_moved(undone: Sale) -> None:
    first = document("FAC-20")
    in_place = {"kind": "REMBOURSEMENT", "terminal_id": first.terminal_id, "till_day": first.till_day, "cashier": ""}
    assert findings() == {}
    add_money(undone, **in_place, business_day=undone.business_day)
    assert findings() == {}
    add_money(undone, **in_place | {"cashier": "C9"})
    assert "caissier C9" in only_finding(DRAWER).found


# Kinds, signs and values ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("FAC-20", "PAIEMENT"),
        ("FAC-20", "REMBOURSEMENT"),
        ("RET-8", "RENDU"),
        ("AVO-1", "ENCAISSEMENT"),
        ("PAI-1", "ENCAISSEMENT"),
        ("PAI-1", "AUTRE"),
    ],
)
def test_a_kind_that_does_not_fit_the_document_is_found(busy: Till, number: str, kind: str) -> None:
    add_money(document(number), kind=kind)
    finding = only_finding(FIT)
    assert f" de {document(number).get_kind_display().lower()} {number} (" in finding.found
    assert f"« {kind} » ne va pas avec un document" in finding.found


@pytest.mark.parametrize(
    ("number", "kind", "way"),
    [
        ("FAC-20", "ENCAISSEMENT", "100 CDF sort du tiroir"),
        ("FAC-20", "RENDU", "100 CDF entre dans le tiroir"),
        ("PAI-1", "PAIEMENT", "100 CDF sort du tiroir"),
        ("RET-8", "REMBOURSEMENT", "100 CDF entre dans le tiroir"),
        ("AVO-1", "REMBOURSEMENT", "100 CDF entre dans le tiroir"),
    ],
)
def test_money_that_moves_the_wrong_way_is_found(busy: Till, number: str, kind: str, way: str) -> None:
    for amount in (100, -100):
        add_money(document(number), amount, kind=kind)
    assert only_finding(FIT).found.endswith(f"« {kind} », et {way}")


@pytest.mark.parametrize(
    ("number", "fields", "told"),
    [
        ("FAC-20", {"value": 0}, "1 CDF au taux 1 vaut 0 CDF, dans la monnaie même du document"),
        ("FAC-20", {"amount": 0, "rate": 2}, "0 CDF au taux 2 vaut 0 CDF, dans la monnaie même du document"),
        ("FAC-20", {"currency": "USD", "rate": 2850, "value": 0}, "1 USD au taux 2850 vaut 0 CDF"),
        ("PAI-1", {"currency": "USD", "rate": 2850, "value": 0, "kind": "PAIEMENT"}, "1 USD au taux 2850 vaut 0 CDF"),
        ("RET-8", {"currency": "USD", "amount": -1, "rate": 2850, "value": 0, "kind": "REMBOURSEMENT"},
         "-1 USD au taux 2850 vaut 0 CDF"),
        ("AVO-1", {"currency": "USD", "amount": -1, "rate": 2850, "value": 0, "kind": "REMBOURSEMENT"},
         "-1 USD au taux 2850 vaut 0 CDF"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_the_amount_at_its_rate_is_found(
    busy: Till, number: str, fields: dict[str, Any], told: str
) -> None:
    add_money(document(number), **{"amount": 1, **fields})
    assert only_finding(FIT).found.endswith(told)


@pytest.mark.parametrize(("value", "is_right"), [("3.34", True), ("3.33", False), ("3.35", False)])
def test_a_value_is_rounded_half_up(busy: Till, value: str, is_right: bool) -> None:
    """0.01 at 333.5; the sale's own total is a little less."""
    one = document("FAC-20")
    add_money(one, "0.01", currency="USD", rate="333.5", value=value)
    write("sales_sale", f"id = {one.pk}", paid_total=25000 + float(value), warnings='["paiements_differents"]')
    assert set(findings()) == (set() if is_right else {FIT})
