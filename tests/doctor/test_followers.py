"""P12: sales voided twice or in part, more returned than sold, documents without an origin."""

import pytest

from backend.inventory.models import ArticleUnit
from backend.sales.models import Lane, Sale, SaleLine
from backend.sales.repair.desk import Desk
from backend.testing import Cast
from tests.doctor.planted_faults import (
    add_line,
    copy_document,
    document,
    findings,
    follower,
    move,
    only_finding,
    outcome,
    place_of,
    repaired,
    write,
)
from tests.tills import Till, line, sale

pytestmark = pytest.mark.embedded


def bring_back(back: Sale, unit: ArticleUnit, first: SaleLine, quantity: int) -> None:
    """Make a document bring back more of a line, and count it on the origin too."""
    extra = add_line(back, unit, quantity, origin_line=first)
    move(unit, quantity, type="RETOUR", document=back, line=extra.position)
    write("sales_saleline", f"id = {first.pk}", quantity_returned=first.quantity_returned + quantity)


@pytest.mark.parametrize(("origin", "told"), [(None, "suit aucune vente"), ("RET-8", "suit retour RET-8")])
def test_a_payment_that_follows_no_sale_is_found(busy: Till, origin: str | None, told: str) -> None:
    paid = document("PAI-1")
    write("sales_sale", f"id = {paid.pk}", origin_id=document(origin).pk if origin else None)
    first = document("FAC-3")
    write("sales_sale", f"id = {first.pk}", paid_total=first.paid_total - 100)
    assert told in only_finding("followers_follow_a_sale").found


def test_a_sale_that_follows_another_is_found(busy: Till) -> None:
    write("sales_sale", f"id = {document('FAC-20').pk}", origin_id=document("FAC-8").pk)
    assert only_finding("followers_follow_a_sale").found.startswith("vente FAC-20")


def test_a_sale_voided_twice_is_found(busy: Till) -> None:
    copy_document(document("AVO-1"), number="AVO-77")
    finding = only_finding("sales_are_voided_once")
    assert finding.found.startswith("vente FAC-1 (document")
    assert "est annulée 2 fois : annulation AVO-1 (" in finding.found
    assert finding.repair is None


def test_a_voided_sale_that_is_not_noted_so_is_noted(busy: Till) -> None:
    """Before the repair a second void would pass."""
    noted_at = document("FAC-1").voided_at
    write("sales_sale", f"id = {document('FAC-1').pk}", voided_at=None)
    assert repaired(only_finding("voids_are_whole")) == {"sales_sale": {"voided_at"}}
    assert document("FAC-1").voided_at == noted_at
    again = busy.settle_one(follower("annulation", "AVO-78", "FAC-1"))
    assert again["code"] == "deja_annulee"


def test_a_sale_noted_as_voided_without_its_annulation_is_found(busy: Till) -> None:
    write("sales_sale", f"id = {document('FAC-20').pk}", voided_at="2026-01-01 00:00:00")
    finding = only_finding("voids_are_whole")
    assert finding.found.endswith("est notée annulée et n'a pas d'annulation")
    assert finding.repair is None


def test_a_void_that_left_something_is_found(busy: Till, cast: Cast) -> None:
    extra = add_line(document("FAC-1"), cast.oil.base_unit, 2)
    move(cast.oil.base_unit, -2, type="VENTE", document=extra.document, line=extra.position)
    finding = only_finding("voids_are_whole")
    assert finding.found.startswith("ligne 3 de vente FAC-1")
    assert finding.found.endswith("annulée, 0 revenu sur 2")


@pytest.mark.parametrize("quantity", [1, 2])
def test_no_more_comes_back_than_was_sold(busy: Till, cast: Cast, quantity: int) -> None:
    """Of two bottles one has come back."""
    bring_back(document("RET-8"), cast.oil.base_unit, document("FAC-8").lines.get(), quantity)
    if quantity == 1:
        assert findings() == {}
    else:
        finding = only_finding("returns_stay_within_the_sale")
        assert finding.found.startswith("ligne 1 de vente FAC-8")
        assert finding.found.endswith("3 revenu sur 2 vendu")


@pytest.mark.parametrize("number", ["FAC-1", "FAC-2", "FAC-8", "FAC-20"])
def test_what_came_back_of_a_sale_is_added_up_again(busy: Till, number: str) -> None:
    """Whether it was voided, returned and voided, returned, or nothing followed it."""
    one = document(number)
    write("sales_sale", f"id = {one.pk}", returned_total="0.5")
    finding = only_finding("origins_know_their_followers")
    assert f"vente {number} (" in finding.found
    assert repaired(finding) == {"sales_sale": {"returned_total"}}
    assert document(number).returned_total == one.returned_total


@pytest.mark.parametrize("number", ["FAC-2", "FAC-8", "FAC-20"])
def test_quantities_that_came_back_are_added_up_again(busy: Till, number: str) -> None:
    first = document(number).lines.first()
    write("sales_saleline", f"id = {first.pk}", quantity_returned="0.25")
    finding = only_finding("origins_know_their_followers")
    assert "ligne 1 revenu 0.25 au lieu de" in finding.found
    assert repaired(finding) == {"sales_saleline": {"quantity_returned"}}


@pytest.mark.parametrize("count", [0, 7])
def test_a_lane_that_forgot_who_waits_counts_again(busy: Till, cast: Cast, count: int) -> None:
    write("sales_lane", f"terminal_id = {cast.terminal.pk}", waiting_documents=count)
    finding = only_finding("lanes_know_who_waits")
    assert f"1 document(s) attendent leur vente d'origine, sa voie en compte {count}" in finding.found
    assert repaired(finding) == {"sales_lane": {"waiting_documents"}}
    busy.settle_one(sale("FAC-9", line(cast.oil)))
    assert outcome("AVO-9", "voided")
    assert Lane.objects.get(pk=cast.terminal.pk).waiting_documents == 0
    assert findings() == {}


def test_who_waits_for_a_sale_that_has_come_is_found(busy: Till) -> None:
    write("sales_saleoutcome", place_of(outcome("AVO-9", "deferred")), awaits="FAC-8")
    finding = only_finding("nobody_waits_in_vain")
    assert "numéro AVO-9 : attend FAC-8, qui est enregistrée" in finding.found
    assert finding.repair is None


def test_a_lane_that_forgot_what_was_set_aside_counts_again(busy: Till, cast: Cast) -> None:
    """Before the repair a resend would be recorded."""
    refused = outcome("FAC-4", "rejected")
    Desk(shop=cast.shop, user=cast.alice).set_aside(refused.batch_id, refused.position, reason="essai")
    assert findings() == {}
    write("sales_lane", f"terminal_id = {cast.terminal.pk}", sales_set_aside=0)
    assert repaired(only_finding("lanes_know_what_is_set_aside")) == {"sales_lane": {"sales_set_aside"}}
    move(cast.rice.base_unit, 2000)
    assert busy.settle_one(sale("FAC-4", line(cast.rice, quantity=1000)))["status"] == "set_aside"
    assert findings() == {}
