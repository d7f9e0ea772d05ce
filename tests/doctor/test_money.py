"""P13: money that is not written, is not what its rule says, does not add up, or is more than was owed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.doctor.registry import Scope
from backend.sales.days.day_totals import totals_of_days
from backend.sales.models import MoneyMovement, Sale
from backend.sales.repair.back_office import record_from_page
from backend.sales.repair.desk import Desk
from backend.testing import Cast
from tests.doctor.planted_faults import (
    add_money,
    busy_day,
    copy_document,
    document,
    erase,
    findings,
    follower,
    only_finding,
    outcome,
    repair,
    repaired,
    returned,
    unguarded,
    write,
)
from tests.tills import Till, line, sale

USD = {"mode": "CASH", "devise": "USD", "taux": 2850}
RULE = "money_is_as_the_rule_says"
SUM = "sales_know_what_was_paid"


def money_of(one: Sale) -> list[tuple[Any, ...]]:
    return list(one.money.order_by("position").values_list("kind", "mode", "currency", "amount", "rate", "value"))


def refuse_none(till: Till, *sales: dict[str, Any]) -> None:
    for one in sales:
        entry = till.settle_one(one)
        assert entry["status"] in ("created", "voided", "returned", "paid"), entry


@pytest.mark.embedded
def test_nothing_is_found_in_money_of_all_kinds(busy: Till, cast: Cast) -> None:
    """Change, splits, deposits, other currencies, and voids, returns and payments of these; some with warnings."""
    refuse_none(
        busy,
        # 28,500 less 3,500; undone as it stands, and in another mode.
        sale("M-1", line(cast.rice), paiements=[{**USD, "montant": 10}], rendu=[{"mode": "CASH", "montant": 3500}]),
        follower("annulation", "A-1", "M-1"),
        sale("M-2", line(cast.rice), paiements=[{**USD, "montant": 10}], rendu=[{"mode": "CASH", "montant": 3500}]),
        follower("annulation", "A-2", "M-2", mode_paiement="MOBILE_MONEY"),
        # Of dollars at two rates there are some left that are worth less than nothing: a void's rate is then negative.
        sale("M-0", line(cast.rice, price=1000), paiements=[{**USD, "montant": 1}],
             rendu=[{**USD, "montant": "0.5", "taux": 6000}]),
        follower("annulation", "A-0", "M-0"),
        # All dollars went back at another rate: the few francs of difference stay, and a void has nothing to undo.
        sale("M-3", line(cast.rice, quantity=2, price=14250), paiements=[{**USD, "montant": 10}]),
        follower("retour", "R-3", "M-3", lignes=returned((1, 2)), paiements=[{**USD, "taux": 2849, "montant": 10}]),
        follower("annulation", "A-3", "M-3"),
        # A third of a dollar is not to be had: half a cent of it is tolerated.
        sale("M-4", line(cast.oil, price=1000), paiements=[{**USD, "montant": "0.35"}]),
        sale("M-5", line(cast.rice), paye=True, paiements=[{"mode": "CASH", "montant": 30000}]),
        follower("annulation", "A-5", "M-5", paiements=[{"mode": "CASH", "montant": 25000}]),
        sale("M-6", line(cast.rice), paye=True, mode_paiement="CREDIT"),
        sale("M-7", line(cast.rice), paye=True,
             paiements=[{"mode": "CASH", "montant": 5000}, {"mode": "CREDIT", "montant": 20000}]),
        # A deposit, then goods that come back, then a payment in dollars of all that is left, with change.
        sale("M-8", line(cast.rice, quantity=2), paye=False, paiements=[{"mode": "CASH", "montant": 10000}]),
        follower("retour", "R-8", "M-8", lignes=returned((1, 1))),
        follower("paiement", "P-8", "M-8", montant=15000, paiements=[{**USD, "montant": 6}],
                 rendu=[{"mode": "CASH", "montant": 2100}]),
        follower("retour", "R-9", "M-8", lignes=returned((1, 1))),
        follower("paiement", "P-3", "FAC-3", montant=5, devise="USD", taux=2850,
                 rendu=[{"mode": "CASH", "montant": 1000}]),
    )  # fmt: skip
    warned = Sale.objects.filter(number__in=("M-0", "M-5", "A-5", "M-6", "P-8")).values_list("number", "warnings")
    assert {number for number, told in warned if "paiements_differents" in told} == {"M-0", "M-5", "A-5", "M-6"}
    assert findings() == {}


@pytest.mark.embedded
def test_nothing_is_found_in_what_the_pages_and_the_desk_did_with_drawers(busy: Till, cast: Cast) -> None:
    """Money in the drawer of a till that a page chose, and a correction that undoes it where it moved."""
    chosen = {"tiroir": {"caisse": cast.terminal.pk, "caissier": "C2"}}
    recorded = {"type": "vente", "lignes": [line(cast.rice)], **chosen}
    record_from_page(shop=cast.shop, user=cast.alice, document=recorded, key="aaaa1111")
    void = {"type": "annulation", "origine": {"vente_id": document("FAC-20").pk}, **chosen}
    record_from_page(shop=cast.shop, user=cast.alice, document=void, key="bbbb2222")
    busy.settle(
        sale("FAC-40", line(cast.rice), caissier={"code": "C7"}, paiements=[{**USD, "montant": 10}],
             rendu=[{"mode": "CASH", "montant": 3500}]),
        sale("FAC-40", line(cast.oil, price=100)),
    )  # fmt: skip
    conflict = outcome("FAC-40", "conflict")
    Desk(shop=cast.shop, user=cast.alice).replace_first(conflict.batch_id, conflict.position, key="cccc3333")
    strayed = MoneyMovement.objects.filter(document__terminal__is_office=True, terminal=cast.terminal)
    assert set(strayed.values_list("cashier", flat=True)) == {"C2", "C7"}
    assert findings() == {}


# Money that is not written --------------------------------------------------------------------------------------------


def test_money_that_an_older_process_did_not_write_is_written_from_the_bytes(real_database: None) -> None:
    """A deposit in two currencies, and a payment of the rest."""
    busy_day(Cast())
    first, later = document("FAC-3"), document("PAI-1")
    before = money_of(first), money_of(later)
    forget_money(first, later)
    told = findings()
    assert set(told) == {"documents_have_their_money"}
    sale_found, payment_found = told["documents_have_their_money"]
    assert sale_found.found.startswith("vente FAC-3 (")
    assert repair(payment_found) is not None
    # With the payment's, the money of the sale before it was written.
    assert repair(sale_found) is None
    assert (money_of(first), money_of(later)) == before
    assert (document("FAC-3").paid_total, document("PAI-1").paid_total) == (first.paid_total, later.paid_total)
    assert findings() == {}


def test_money_that_was_not_written_gets_its_warnings_too(real_database: None) -> None:
    """As if it were recorded now: the version before knew none of these."""
    cast = Cast()
    till = Till(cast.device)
    refuse_none(
        till,
        sale("M-1", line(cast.rice), paye=True, paiements=[{"mode": "CASH", "montant": 30000}], montant_total=1),
        follower("annulation", "A-1", "M-1", paiements=[{"mode": "CASH", "montant": 25000}]),
        sale("M-2", line(cast.rice), mode_paiement="CREDIT"),
    )
    warned = {one.number: one.warnings for one in Sale.objects.all()}
    assert "credit_suppose" in warned["M-2"]
    forget_money(*Sale.objects.all())
    for one in Sale.objects.all():
        kept = [told for told in one.warnings if told not in ("paiements_differents", "credit_suppose")]
        Sale.objects.filter(pk=one.pk).update(warnings=kept, is_paid=True)
    for finding in findings()["documents_have_their_money"]:
        repair(finding)
    assert {one.number: sorted(one.warnings) for one in Sale.objects.all()} == {
        number: sorted(told) for number, told in warned.items()
    }
    assert not Sale.objects.get(number="M-2").is_paid
    assert findings() == {}


def test_a_correction_whose_money_was_not_written_marks_the_day_on_which_that_moved(real_database: None) -> None:
    """Else the kept total of that day would stay as it was."""
    cast = Cast()
    till = Till(cast.device)
    past = datetime.now(UTC) - timedelta(days=3)
    refuse_none(till, sale("FAC-1", line(cast.rice), date_vente=past.isoformat()))
    till.settle(sale("FAC-1", line(cast.oil), date_vente=past.isoformat()))
    conflict = outcome("FAC-1", "conflict")
    Desk(shop=cast.shop, user=cast.alice).replace_first(conflict.batch_id, conflict.position, key="aaaa1111")
    void = Sale.objects.get(kind="annulation")
    moved_on = void.money.get().business_day
    assert moved_on < void.business_day
    forget_money(void)
    write("sales_sale", f"id = {void.origin_id}", paid_total=25000)
    totals_of_days(shop=cast.shop, days=[moved_on], now=datetime.now(UTC))
    repair(only_finding("documents_have_their_money"))
    assert void.money.get().business_day == moved_on
    assert findings() == {}


@pytest.mark.embedded
def test_money_of_a_document_without_bytes_is_written_as_it_was_paid(busy: Till) -> None:
    one = copy_document(document("FAC-20"), number="FAC-77", total=500, paid_total=None, payment_mode="Mpesa")
    finding = only_finding("documents_have_their_money")
    assert finding.found.startswith("vente FAC-77 (")
    changed = repaired(finding)
    assert changed.pop("sales_sale") == {"paid_total"}
    assert set(changed) == {"sales_moneymovement", "sales_daytotal"}
    assert money_of(one) == [("ENCAISSEMENT", "MPESA", "CDF", 500, 1, 500)]


def forget_money(*documents: Sale) -> None:
    """Leave the documents as a process of the version before the ledger of money would."""
    ids = ", ".join(str(one.pk) for one in documents)
    with unguarded():
        erase("sales_moneymovement", f"document_id IN ({ids})")
    write("sales_sale", f"id IN ({ids})", paid_total=None)


# Money that is not its rule's -----------------------------------------------------------------------------------------


def pay(one: Sale, amount: int, *, kind: str = "ENCAISSEMENT") -> None:
    """Move more money in a document's name, and add it to what is known to be paid."""
    add_money(one, amount, kind=kind)
    for pk in {one.pk, one.origin_id or one.pk}:
        paid = Sale.objects.get(pk=pk).paid_total
        write("sales_sale", f"id = {pk}", paid_total=paid + amount)


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("number", "amount", "kind", "told"),
    [
        ("FAC-20", 100, "ENCAISSEMENT", "25100 CDF reçu au lieu de 25000 CDF"),
        ("FAC-20", -100, "RENDU", "24900 CDF reçu au lieu de 25000 CDF"),
        ("AVO-1", -100, "REMBOURSEMENT", "112100 CDF rendu au lieu de 112000 CDF"),
        ("RET-8", -100, "REMBOURSEMENT", "25100 CDF rendu au lieu de 25000 CDF"),
        ("PAI-1", 50, "PAIEMENT", "150 CDF reçu au lieu de 100 CDF"),
    ],
)
def test_money_that_is_not_its_rules_is_found(busy: Till, number: str, amount: int, kind: str, told: str) -> None:
    pay(document(number), amount, kind=kind)
    finding = only_finding(RULE)
    assert f" {number} (" in finding.found
    assert finding.found.endswith(told)
    assert finding.repair is None
    write("sales_sale", f"id = {document(number).pk}", warnings='["paiements_differents"]')
    assert findings() == {}


@pytest.mark.embedded
def test_a_sale_that_is_owed_and_brought_in_more_than_its_total_is_found(busy: Till) -> None:
    """What was paid of it later was then not owed."""
    pay(document("FAC-3"), 25000)
    finding = only_finding(RULE, beside={"payments_stay_within_what_is_owed"})
    assert finding.found.endswith("27950 CDF reçu au lieu de au plus 25000 CDF")


@pytest.mark.embedded
def test_a_paid_sale_without_money_is_found(busy: Till) -> None:
    copy_document(document("FAC-20"), number="FAC-77", total=500)
    assert only_finding(RULE).found.endswith("0 CDF reçu au lieu de 500 CDF")


def test_a_movement_that_is_gone_is_not_made_true(real_database: None) -> None:
    """Adding up again would confirm its loss."""
    busy_day(Cast())
    one = document("FAC-20")
    with unguarded():
        erase("sales_moneymovement", f"document_id = {one.pk}")
    finding = only_finding(SUM, beside={RULE})
    assert finding.found.endswith("25000 CDF payé au lieu de 0 CDF")
    assert finding.repair is None
    assert "sauvegarde" in finding.means


# What a sale knows of it ----------------------------------------------------------------------------------------------


@pytest.mark.embedded
@pytest.mark.parametrize("number", ["FAC-1", "FAC-2", "FAC-3", "FAC-8", "FAC-20", "AVO-1", "PAI-1"])
def test_what_was_paid_is_added_up_again(busy: Till, cast: Cast, number: str) -> None:
    """Of a sale with all that followed it; of what follows a sale, its own."""
    one = document(number)
    write("sales_sale", f"id = {one.pk}", paid_total="0.5")
    for scope in (Scope(shop=cast.shop), Scope(shop=cast.shop, terminal=cast.terminal)):
        assert set(findings(scope)) == {SUM}
    assert findings(Scope(shop=cast.other_shop)) == {}
    finding = only_finding(SUM)
    assert f" {number} (" in finding.found
    assert "0.5 CDF payé au lieu de" in finding.found
    assert repaired(finding) == {"sales_sale": {"paid_total"}}
    assert document(number).paid_total == one.paid_total


@pytest.mark.embedded
def test_a_payment_that_was_forgotten_is_added_up_again(busy: Till) -> None:
    write("sales_sale", f"id = {document('FAC-3').pk}", paid_total=2950)
    assert repaired(only_finding(SUM)) == {"sales_sale": {"paid_total"}}
    # 25,000 less 100, 2,850 and 100.
    refused = busy.settle_one(follower("paiement", "PAI-2", "FAC-3", montant="21950.01"))
    assert refused["code"] == "paiement_excessif"
    assert busy.settle_one(follower("paiement", "PAI-3", "FAC-3", montant=21950))["status"] == "paid"
    assert findings() == {}


@pytest.mark.embedded
def test_what_comes_back_after_it_was_paid_is_no_overpayment(busy: Till, cast: Cast) -> None:
    busy.settle_one(sale("FAC-40", line(cast.oil, price=1000), paye=False))
    busy.settle_one(follower("paiement", "PAI-40", "FAC-40", montant=1000))
    busy.settle_one(follower("retour", "RET-40", "FAC-40", lignes=returned((1, 1))))
    assert document("RET-40").total == document("PAI-40").total == 1000
    assert findings() == {}


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("column", "value", "owed", "beside"), [("is_paid", True, 0, {RULE}), ("total", 3000, 50, set())]
)
def test_a_payment_beyond_what_was_owed_is_found(
    busy: Till, column: str, value: object, owed: int, beside: set[str]
) -> None:
    write("sales_sale", f"id = {document('FAC-3').pk}", **{column: value})
    finding = only_finding("payments_stay_within_what_is_owed", beside=beside)
    assert finding.found.startswith("paiement PAI-1 (")
    assert finding.found.endswith(f"100 CDF payé, {owed} CDF était dû")
