"""The repair desk: each action, what it records, and what a resend of the same sale is answered."""

import uuid

import pytest

from backend.sales.errors import UnitUnknown
from backend.sales.models import Lane, OutcomeHistory, Sale, SaleOutcome
from backend.sales.repair.desk import FIXES, OTHER_FIXES, Desk, fixes_for
from backend.sales.repair.open_entries import open_entries
from backend.testing import Cast
from tests.invariants import check_invariants, check_register, check_stock
from tests.tills import Till, line, sale, stock_of

pytestmark = pytest.mark.embedded


@pytest.fixture
def desk(cast: Cast) -> Desk:
    return Desk(shop=cast.shop, user=cast.alice)


def refused(till: Till, one: dict) -> tuple[int, int]:
    till.settle(one)
    return SaleOutcome.objects.values_list("batch_id", "position").latest("batch_id")


def is_open(cast: Cast) -> bool:
    return open_entries(shop_id=cast.shop.pk).exists()


def test_a_sale_is_accepted_with_negative_stock_and_a_resend_is_a_duplicate(cast: Cast, till: Till, desk: Desk) -> None:
    big = sale("A", line(cast.rice, quantity=150))
    entry = refused(till, big)
    assert not desk.try_again(*entry).has_changed
    retrial = desk.accept_short_stock(*entry, reason="le camion est passé")
    assert (retrial.before.code, retrial.after.status) == ("stock_insuffisant", "created")
    assert "stock_negatif" in Sale.objects.get().warnings
    assert stock_of(cast.rice) == -50
    assert not is_open(cast)
    assert till.settle_one(big)["status"] == "duplicate"
    history = OutcomeHistory.objects.get()
    assert (history.code, history.author, history.reason) == ("stock_insuffisant", "alice", "le camion est passé")
    check_invariants()


def test_an_override_is_for_one_sale_and_not_for_the_next(cast: Cast, till: Till, desk: Desk) -> None:
    desk.accept_short_stock(*refused(till, sale("A", line(cast.rice, quantity=150))))
    assert till.settle_one(sale("B", line(cast.rice)))["code"] == "stock_insuffisant"


def test_a_person_chooses_the_article_of_a_line(cast: Cast, till: Till, desk: Desk) -> None:
    lost = sale("A", {"article_id": cast.other_article.pk, "quantite": 2, "prix_unitaire": 900}, line(cast.oil))
    entry = refused(till, lost)
    retrial = desk.choose_units(*entry, units={0: cast.rice.base_unit.uuid})
    assert retrial.after.status == "created"
    assert (stock_of(cast.rice), stock_of(cast.oil)) == (98, 99)
    assert till.settle_one(lost)["status"] == "duplicate"
    check_invariants()


@pytest.mark.parametrize("foreign", [True, False])
def test_a_unit_of_another_shop_is_unknown(cast: Cast, till: Till, desk: Desk, foreign: bool) -> None:
    entry = refused(till, sale("A", {"article_id": 10**6, "quantite": 2, "prix_unitaire": 900}))
    unit = cast.other_article.base_unit.uuid if foreign else uuid.uuid4()
    with pytest.raises(UnitUnknown):
        desk.choose_units(*entry, units={0: unit})
    assert is_open(cast)


def test_a_conflict_becomes_a_sale_of_its_own(cast: Cast, till: Till, desk: Desk) -> None:
    till.settle(sale("A", line(cast.rice)))
    other = sale("A", line(cast.rice, quantity=3))
    assert desk.accept_as_own_sale(*refused(till, other)).after.status == "created"
    assert list(Sale.objects.order_by("pk").values_list("number", "variant")) == [("A", 1), ("A", 2)]
    assert stock_of(cast.rice) == 96
    assert till.settle_one(other)["status"] == "duplicate"
    check_invariants()


def test_a_correction_voids_the_first_and_records_the_second(cast: Cast, till: Till, desk: Desk) -> None:
    till.settle(sale("A", line(cast.rice)))
    entry = refused(till, sale("A", line(cast.rice, quantity=3)))
    voiding, retrial = desk.replace_first(*entry, key="aaaa1111")
    assert (voiding.outcome.status, retrial.after.status) == ("voided", "created")
    assert stock_of(cast.rice) == 97
    assert Sale.objects.get(number="A", variant=1).voided_at is not None
    assert not is_open(cast)
    check_stock()
    check_register()


def test_a_correction_that_died_half_way_is_finished_by_doing_it_again(cast: Cast, till: Till, desk: Desk) -> None:
    first = till.settle_one(sale("A", line(cast.rice)))
    entry = refused(till, sale("A", line(cast.rice, quantity=3)))
    till.settle({"type": "annulation", "numero_facture": "V", "origine": {"vente_id": first["id"]}})
    _voiding, retrial = desk.replace_first(*entry, key="bbbb2222")
    assert retrial.after.status == "created"
    assert stock_of(cast.rice) == 97


def test_a_resend_of_a_sale_set_aside_is_set_aside_too(cast: Cast, till: Till, desk: Desk) -> None:
    big = sale("A", line(cast.rice, quantity=150))
    entry = refused(till, big)
    assert desk.set_aside(*entry, reason="essai du vendeur").after.status == "set_aside"
    assert not is_open(cast)
    again = till.settle_one(big)
    assert (again["status"], again["code"], again["action"]) == ("set_aside", "ecartee", "purger")
    assert "mise de côté" in again["erreur"]
    assert stock_of(cast.rice) == 100
    check_invariants()


def test_different_content_under_its_number_is_decided_by_the_rules(cast: Cast, till: Till, desk: Desk) -> None:
    desk.set_aside(*refused(till, sale("A", line(cast.rice, quantity=150))), reason="essai")
    assert till.settle_one(sale("A", line(cast.rice, quantity=1)))["status"] == "created"


def test_setting_aside_is_undone(cast: Cast, till: Till, desk: Desk) -> None:
    big = sale("A", line(cast.rice, quantity=150))
    entry = refused(till, big)
    desk.set_aside(*entry, reason="essai du vendeur")
    assert not desk.try_again(*entry).has_changed
    assert desk.take_up_again(*entry).after.code == "stock_insuffisant"
    assert is_open(cast)
    assert Lane.objects.get().sales_set_aside == 0
    assert till.settle_one(big)["code"] == "stock_insuffisant"


def test_setting_aside_requires_a_reason(cast: Cast, till: Till, desk: Desk) -> None:
    entry = refused(till, sale("A", line(cast.rice, quantity=150)))
    with pytest.raises(ValueError, match="reason"):
        desk.set_aside(*entry, reason=" ")
    assert is_open(cast)


def test_a_deferred_document_set_aside_no_longer_waits(cast: Cast, till: Till, desk: Desk) -> None:
    entry = refused(till, {"type": "annulation", "numero_facture": "V", "origine": {"numero_facture": "A"}})
    desk.set_aside(*entry, reason="jamais vendue")
    assert Lane.objects.get().waiting_documents == 0
    till.settle(sale("A", line(cast.rice)))
    assert stock_of(cast.rice) == 99


def test_a_recorded_sale_cannot_be_set_aside(cast: Cast, till: Till, desk: Desk) -> None:
    entry = refused(till, sale("A", line(cast.rice)))
    assert not desk.set_aside(*entry, reason="non").has_changed
    assert till.outcomes() == ["created"]


def test_an_entry_of_another_shop_does_not_exist(cast: Cast, till: Till) -> None:
    entry = refused(till, sale("A", line(cast.rice, quantity=150)))
    charlies = Desk(shop=cast.other_shop, user=cast.charlie)
    for act in (charlies.try_again, charlies.accept_short_stock, charlies.accept_as_own_sale, charlies.take_up_again):
        with pytest.raises(SaleOutcome.DoesNotExist):
            act(*entry)
    with pytest.raises(SaleOutcome.DoesNotExist):
        charlies.set_aside(*entry, reason="non")
    assert is_open(cast)


def test_the_best_fix_comes_first_and_a_recorded_sale_has_none(cast: Cast, till: Till) -> None:
    refused(till, sale("A", line(cast.rice, quantity=150)))
    assert fixes_for(SaleOutcome.objects.get())[1] == "accept_short_stock"
    refused(till, sale("B", line(cast.rice)))
    assert fixes_for(SaleOutcome.objects.latest("batch_id")) == ()
    assert all(hasattr(Desk, name) for names in (*FIXES.values(), OTHER_FIXES) for name in names)
