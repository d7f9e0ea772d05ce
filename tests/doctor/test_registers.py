"""P7: gaps in a month's register, sequences behind it, documents recorded in a closed month."""

from datetime import UTC, datetime, timedelta

import pytest

from backend.sales.models import InvoiceSequence, Sale
from backend.testing import Cast
from tests.doctor.planted_faults import document, erase, findings, only_finding, repaired, write
from tests.tills import Till, line, sale

pytestmark = pytest.mark.embedded


@pytest.fixture
def sequence(busy: Till, cast: Cast) -> InvoiceSequence:
    return InvoiceSequence.objects.get(shop=cast.shop)


def renumber(one: Sale, number: int) -> None:
    text = f"{one.registration_number[:-6]}{number:06}"
    write("sales_sale", f"id = {one.pk}", register_number=number, registration_number=text)


def test_a_hole_in_the_register_is_found(sequence: InvoiceSequence) -> None:
    last = sequence.last_number
    renumber(document("FAC-2"), last + 3)
    write("sales_invoicesequence", f"id = {sequence.pk}", last_number=last + 3)
    finding = only_finding("register_has_no_gap")
    assert f"registre {sequence.year}-{sequence.month:02} de la boutique BTQ-009" in finding.found
    assert f"il manque 2 et {last + 1} à {last + 2}" in finding.found
    assert finding.repair is None


def test_a_sequence_behind_its_register_is_raised(busy: Till, cast: Cast, sequence: InvoiceSequence) -> None:
    write("sales_invoicesequence", f"id = {sequence.pk}", last_number=sequence.last_number - 2)
    finding = only_finding("sequences_know_the_last_number")
    assert f"le compteur est à {sequence.last_number - 2}" in finding.found
    assert repaired(finding) == {"sales_invoicesequence": {"last_number"}}
    assert busy.settle_one(sale("FAC-30", line(cast.oil)))["status"] == "created"
    assert findings() == {}


def test_a_sequence_that_is_gone_is_begun_again(busy: Till, cast: Cast, sequence: InvoiceSequence) -> None:
    erase("sales_invoicesequence", f"id = {sequence.pk}")
    finding = only_finding("sequences_know_the_last_number")
    assert "pas de compteur" in finding.found
    assert set(repaired(finding)) == {"sales_invoicesequence"}
    assert InvoiceSequence.objects.get(shop=cast.shop).last_number == sequence.last_number


def test_a_sequence_ahead_of_its_register_is_a_gap_and_is_not_lowered(sequence: InvoiceSequence) -> None:
    write("sales_invoicesequence", f"id = {sequence.pk}", last_number=sequence.last_number + 1)
    finding = only_finding("sequences_know_the_last_number")
    assert "ne redescendez pas le compteur" in finding.means
    assert finding.repair is None


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "aucun numéro"), ("FAC-BTQ-009-209901-000001", "« FAC-BTQ-009-209901-000001 »"), ("X-1", "« X-1 »")],
)
def test_a_document_whose_number_is_not_the_registers_is_found(busy: Till, text: str, told: str) -> None:
    first = document("FAC-1")
    write("sales_sale", f"id = {first.pk}", registration_number=text)
    finding = only_finding("documents_are_registered")
    assert f"porte {told}" in finding.found
    assert finding.found.endswith(f"{first.register_year}-{first.register_month:02} n° {first.register_number}")


def test_a_shop_that_was_renamed_keeps_its_old_numbers(busy: Till, cast: Cast) -> None:
    cast.shop.code = "BTQ-010"
    cast.shop.save(update_fields=["code"])
    assert findings() == {}


def test_a_document_without_a_place_in_the_register_is_found(busy: Till, sequence: InvoiceSequence) -> None:
    last = Sale.objects.get(shop=sequence.shop, register_number=sequence.last_number)
    write("sales_sale", f"id = {last.pk}", register_number=None)
    finding = only_finding("documents_are_registered", beside={"sequences_know_the_last_number"})
    assert finding.found.endswith("le registre dit rien")


def test_a_document_recorded_in_a_month_that_was_closed_is_found(sequence: InvoiceSequence) -> None:
    closed_at = datetime.now(UTC) - timedelta(hours=1)
    InvoiceSequence.objects.filter(pk=sequence.pk).update(closed_at=closed_at)
    found = findings()
    assert set(found) == {"closed_months_took_none"}
    assert len(found["closed_months_took_none"]) == Sale.objects.filter(shop=sequence.shop).count()
    assert found["closed_months_took_none"][0].found.startswith("vente FAC-1 ")


def test_a_closing_that_met_a_posting_is_no_finding(sequence: InvoiceSequence) -> None:
    """Both take their times before they wait for the month's row, on machines whose clocks differ."""
    closed_at = datetime.now(UTC) - timedelta(minutes=1)
    InvoiceSequence.objects.filter(pk=sequence.pk).update(closed_at=closed_at)
    assert findings() == {}


@pytest.mark.parametrize("years", [0, 1])
def test_a_day_outside_its_registers_month_is_found(busy: Till, years: int) -> None:
    first = document("FAC-1")
    moved = first.business_day - timedelta(days=365 * years or 40)
    write("sales_sale", f"id = {first.pk}", business_day=moved.isoformat())
    # Its money stayed on the day on which it moved.
    finding = only_finding("days_lie_in_their_month", beside={"movements_are_in_their_drawer"})
    assert f"compte pour le {moved.isoformat()}" in finding.found
