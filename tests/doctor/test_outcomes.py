"""P3 and P4: sales recorded twice, duplicates and conflicts that name the wrong sale, successes without a document."""

import pytest

from backend.sales.models import SaleOutcome
from backend.testing import Cast
from tests.doctor.planted_faults import copy_document, document, findings, only_finding, outcome, place_of, write
from tests.tills import Till, line, sale

pytestmark = pytest.mark.embedded

OTHER_CONTENT = f"1:{'0' * 64}"


def test_a_second_variant_with_other_content_is_no_finding(busy: Till) -> None:
    copy_document(document("FAC-1"), variant=2, fingerprint=OTHER_CONTENT)
    assert findings() == {}


def test_the_same_content_recorded_twice_is_found(busy: Till) -> None:
    first = document("FAC-1")
    second = copy_document(first, variant=2)
    finding = only_finding("contents_are_recorded_once")
    assert "caisse « Terminal MAUI »" in finding.found
    assert f"vente FAC-1 (document n° {first.pk}, {first.registration_number})" in finding.found
    assert f"vente FAC-1~2 (document n° {second.pk}" in finding.found
    assert finding.repair is None


def test_a_variant_that_is_gone_is_found(busy: Till) -> None:
    copy_document(document("FAC-1"), variant=3, fingerprint=OTHER_CONTENT)
    assert "les variantes du numéro FAC-1 sont 1 et 3" in only_finding("variants_count_up").found


@pytest.mark.parametrize(
    ("named", "told"),
    [(None, "ne nomme aucune vente"), ("FAC-2", "d'une autre caisse ou d'un autre numéro, vente FAC-2")],
)
def test_a_duplicate_that_does_not_name_its_first_is_found(busy: Till, named: str | None, told: str) -> None:
    again = outcome("FAC-1", "duplicate")
    write("sales_saleoutcome", place_of(again), document_id=document(named).pk if named else None)
    finding = only_finding("duplicates_name_their_first")
    assert told in finding.found
    assert f"vente {again.position} du lot n° {again.batch_id}" in finding.found
    assert "a pu effacer une vente" in finding.means


def test_a_duplicate_told_with_other_identifiers_or_an_older_rule_is_no_finding(busy: Till) -> None:
    renamed = outcome("FAC-2", "duplicate")
    assert renamed.fingerprint != renamed.document.fingerprint
    write("sales_saleoutcome", place_of(outcome("FAC-1", "duplicate")), fingerprint=f"9:{'0' * 64}")
    assert findings() == {}


def test_a_conflict_passed_off_as_a_duplicate_is_found(busy: Till) -> None:
    other = outcome("FAC-1", "conflict")
    write("sales_saleoutcome", place_of(other), status="duplicate")
    write("sales_batch", f"id = {other.batch_id}", duplicate_count=other.batch.duplicate_count + 1)
    assert "dont le contenu n'est pas celui de vente FAC-1" in only_finding("duplicates_name_their_first").found


def test_a_duplicate_that_names_itself_is_found(busy: Till) -> None:
    itself = outcome("FAC-8", "created")
    write("sales_saleoutcome", place_of(itself), status="duplicate")
    counts = {"created_count": itself.batch.created_count - 1, "error_count": itself.batch.error_count + 1}
    write("sales_batch", f"id = {itself.batch_id}", duplicate_count=itself.batch.duplicate_count + 1, **counts)
    finding = only_finding("duplicates_name_their_first", beside={"documents_have_successes"})
    assert "se nomme lui-même" in finding.found


@pytest.mark.parametrize("column", ["document_id", "fingerprint"])
def test_a_conflict_without_its_rival_is_found(busy: Till, column: str) -> None:
    other = outcome("FAC-1", "conflict")
    rival = {"document_id": None, "fingerprint": document("FAC-1").fingerprint}
    write("sales_saleoutcome", place_of(other), **{column: rival[column]})
    finding = only_finding("conflicts_name_their_rival")
    assert ("nomme aucune vente" if column == "document_id" else "nomme vente FAC-1") in finding.found


@pytest.mark.parametrize(("number", "status"), [("FAC-2", "created"), ("AVO-1", "voided"), ("RET-8", "returned")])
def test_a_success_without_its_document_is_found(busy: Till, number: str, status: str) -> None:
    write("sales_saleoutcome", place_of(outcome(number, status)), document_id=None)
    finding = only_finding("successes_have_documents")
    assert f"numéro {number}, est dite" in finding.found
    assert "ne nomme aucun document" in finding.found


def test_a_success_with_the_document_of_another_sale_is_found(busy: Till) -> None:
    write("sales_saleoutcome", place_of(outcome("FAC-2", "created")), document_id=document("FAC-1").pk)
    assert "et nomme vente FAC-1" in only_finding("successes_have_documents").found


def test_a_success_of_another_kind_than_its_document_is_found(busy: Till) -> None:
    write("sales_saleoutcome", place_of(outcome("RET-8", "returned")), status="created")
    assert "et nomme retour RET-8" in only_finding("successes_have_documents").found


def test_a_document_that_its_till_thinks_refused_is_found(busy: Till) -> None:
    said = outcome("FAC-8", "created")
    write("sales_saleoutcome", place_of(said), status="rejected", document_id=None)
    counts = {"created_count": said.batch.created_count - 1, "error_count": said.batch.error_count + 1}
    write("sales_batch", f"id = {said.batch_id}", **counts)
    finding = only_finding("documents_have_successes")
    assert "vente FAC-8" in finding.found
    assert "dit « Refusée »" in finding.found


def test_what_another_till_recorded_under_the_number_is_no_finding(busy: Till, cast: Cast) -> None:
    spare = Till(cast.token_device, token=cast.token)
    spare.settle(sale("FAC-2", line(cast.rice, quantity=2), line(cast.rice, quantity=1)))
    assert SaleOutcome.objects.filter(number="FAC-2", status="created").count() == 2
    assert findings() == {}
