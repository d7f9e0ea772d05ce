"""Voids, returns and payments: what they bring back, exactly and once, and how they wait for their origin."""

from decimal import Decimal
from typing import Any

import pytest

from backend.inventory.models import ArticleUnit, StockMovement, UnitLevel
from backend.sales.models import Batch, Lane, OutcomeHistory, Sale, SaleLine
from backend.testing import Cast, add_unit, make_device, make_terminal
from tests.invariants import check_invariants
from tests.tills import Till, line, sale, stock_of

pytestmark = pytest.mark.embedded


def void(number: str, origin: str, **fields: Any) -> dict[str, Any]:
    return {"type": "annulation", "numero_facture": number, "origine": {"numero_facture": origin}, **fields}


def bring_back(number: str, origin: str, *lines: tuple[int, object]) -> dict[str, Any]:
    returned = [{"ligne": at, "quantite": quantity} for at, quantity in lines]
    return {"type": "retour", "numero_facture": number, "origine": {"numero_facture": origin}, "lignes": returned}


def pay(number: str, origin: str, amount: object) -> dict[str, Any]:
    return {"type": "paiement", "numero_facture": number, "origine": {"numero_facture": origin}, "montant": amount}


def test_a_void_restores_what_its_sale_took_and_happens_once(cast: Cast, till: Till) -> None:
    created = till.settle_one(sale("FAC-1", line(cast.rice, quantity=3), line(cast.oil, quantity="1.5"), remise=500))
    voided = till.settle_one(void("AVO-1", "FAC-1", motif="erreur"))
    assert (voided["status"], voided["action"], voided["lignes_count"]) == ("voided", "purger", 2)
    assert voided["montant_total"] == created["montant_total"]
    assert voided["numero_enregistrement"].endswith("-000002")
    assert (stock_of(cast.rice), stock_of(cast.oil)) == (100, 100)
    assert till.settle_one(void("AVO-1", "FAC-1", motif="autre mot"))["status"] == "duplicate"
    again = till.settle_one(void("AVO-2", "FAC-1"))
    assert (again["status"], again["code"], again["action"]) == ("rejected", "deja_annulee", "garder")
    assert again["erreur"] == "Vente déjà annulée"
    assert (stock_of(cast.rice), stock_of(cast.oil)) == (100, 100)
    # The sale that it undid is unchanged.
    assert till.look_up_statuses("FAC-1")[0]["status"] == "created"
    check_invariants()


def test_a_void_finds_its_units_whatever_was_renamed_since(cast: Cast, till: Till) -> None:
    """Sell in three units, rename every mark, the article and its code, deactivate it, void: back to the digit."""
    carton = add_unit(cast.rice, level=UnitLevel.CARTON, stock=7, mark="CTN")
    thousand = add_unit(cast.rice, level=UnitLevel.MILLIER, stock=Decimal("2.125"), mark="MIL")
    units = [cast.rice.base_unit, carton, thousand]
    before = {unit.pk: ArticleUnit.objects.get(pk=unit.pk).stock for unit in units}
    lines = [{"unite_uuid": str(unit.uuid), "quantite": "1.125", "prix_unitaire": 10} for unit in units]
    assert till.settle_one(sale("FAC-1", *lines))["status"] == "created"
    ArticleUnit.objects.filter(article=cast.rice).update(mark="DZ")
    cast.rice.name, cast.rice.code, cast.rice.is_active = "Autre nom", "AUTRE", False
    cast.rice.save(update_fields=["name", "code", "is_active"])
    assert till.settle_one(void("AVO-1", "FAC-1"))["status"] == "voided"
    assert {unit.pk: ArticleUnit.objects.get(pk=unit.pk).stock for unit in units} == before
    sold = SaleLine.objects.filter(document__number="FAC-1")
    assert set(sold.values_list("unit_mark", flat=True)) == {"PCE", "CTN", "MIL"}
    assert set(sold.values_list("article_name", flat=True)) == {"Riz 25 kg"}
    check_invariants()


def test_a_return_brings_back_at_most_what_is_left_across_the_tills_of_a_shop(cast: Cast, till: Till) -> None:
    created = till.settle_one(sale("FAC-1", line(cast.rice, quantity=3, price=100), line(cast.oil, price=50)))
    other = Till(make_device(make_terminal(cast.shop)))
    one_back = {
        "type": "retour",
        "numero_facture": "RET-1",
        "origine": {"numero_enregistrement": created["numero_enregistrement"]},
        "lignes": [{"ligne": 1, "quantite": 2}],
    }
    first = other.settle_one(one_back)
    assert (first["status"], first["montant_total"]) == ("returned", "200.00")
    assert stock_of(cast.rice) == 99
    refused = till.settle_one(bring_back("RET-2", "FAC-1", (1, 1), (1, 1)))
    assert (refused["code"], refused["chemin"]) == ("retour_excessif", "lignes[1].quantite")
    assert refused["erreur"].startswith("Retour supérieur à ce qui reste de la vente : Riz 25 kg (demandé 2, reste 1)")
    assert till.settle_one(bring_back("RET-3", "FAC-1", (3, 1)))["code"] == "origine_invalide"
    assert till.settle_one(bring_back("RET-3", "FAC-1", (1, 1)))["status"] == "returned"
    voided = till.settle_one(void("AVO-1", "FAC-1"))
    assert (voided["status"], voided["montant_total"], voided["lignes_count"]) == ("voided", "50.00", 1)
    assert (stock_of(cast.rice), stock_of(cast.oil)) == (100, 100)
    assert till.settle_one(bring_back("RET-4", "FAC-1", (2, 1)))["code"] == "deja_annulee"
    check_invariants()


def test_many_small_returns_bring_back_to_the_cent_what_one_would(cast: Cast, till: Till) -> None:
    lines = [line(cast.rice, quantity=3, price="33.33"), line(cast.oil, price="0.01")]
    till.settle_one(sale("FAC-1", *lines, remise="7.77"))
    total = Sale.objects.get(number="FAC-1").total
    parts = [Decimal(till.settle_one(bring_back(f"RET-{n}", "FAC-1", (1, 1)))["montant_total"]) for n in range(3)]
    parts.append(Decimal(till.settle_one(bring_back("RET-9", "FAC-1", (2, 1)))["montant_total"]))
    assert sum(parts) == total
    origin = Sale.objects.get(number="FAC-1")
    assert origin.returned_total == total
    check_invariants()


def test_a_payment_never_exceeds_what_is_owed(cast: Cast, till: Till) -> None:
    dollars = {"mode": "CASH", "devise": "USD", "montant": "0.1", "taux": 2850}
    paid_part = [{"mode": "CASH", "devise": "CDF", "montant": 100}, dollars]
    till.settle_one(sale("FAC-1", line(cast.rice, quantity=2, price=1000), paye=False, paiements=paid_part))
    # 2000 less 100 and 285.
    refused = till.settle_one(pay("PAI-1", "FAC-1", "1615.01"))
    assert (refused["code"], refused["action"], refused["chemin"]) == ("paiement_excessif", "garder", "montant")
    assert refused["erreur"] == "Paiement supérieur à ce qui est dû (payé 1615.01, dû 1615.00)"
    done = till.settle_one(pay("PAI-2", "FAC-1", 615))
    assert (done["status"], done["montant_total"], done["lignes"]) == ("paid", "615.00", [])
    assert till.settle_one(bring_back("RET-1", "FAC-1", (1, 1)))["montant_total"] == "1000.00"
    assert till.settle_one(pay("PAI-3", "FAC-1", 1))["code"] == "paiement_excessif"
    check_invariants()


def test_a_paid_sale_owes_nothing(cast: Cast, till: Till) -> None:
    till.settle_one(sale("FAC-1", line(cast.rice)))
    assert till.settle_one(pay("PAI-1", "FAC-1", 1))["code"] == "paiement_excessif"


@pytest.mark.parametrize("kind", ["annulation", "retour", "paiement"])
def test_a_follower_waits_for_its_origin_and_takes_effect_by_itself(kind: str, cast: Cast, till: Till) -> None:
    follower = {
        "annulation": void("SUITE-1", "FAC-1"),
        "retour": bring_back("SUITE-1", "FAC-1", (1, 1)),
        "paiement": pay("SUITE-1", "FAC-1", 25000),
    }[kind]
    receipt = till.hand_over(follower)
    till.post_all()
    waiting = till.receipt(receipt)
    (entry,) = waiting["details"]["erreurs"]
    assert (entry["status"], entry["code"], entry["action"]) == ("deferred", "origine_inconnue", "garder")
    assert entry["erreur"].startswith("Vente d'origine pas encore reçue")
    assert (waiting["statut"], waiting["success"]) == ("traite", False)
    assert Lane.objects.get(pk=cast.terminal.pk).waiting_documents == 1
    origin = sale("FAC-1", line(cast.rice, quantity=2, price=25000), paye=kind != "paiement")
    created = till.settle_one(origin)
    after = till.receipt(receipt)
    (entry,) = after["details"]["creees"]
    assert entry["status"] == {"annulation": "voided", "retour": "returned", "paiement": "paid"}[kind]
    assert after["version"] == waiting["version"] + 1
    assert after["success"] is True
    assert till.receipt(receipt, f"?depuis={waiting['version']}")["details"]["creees"] == [entry]
    assert Lane.objects.get(pk=cast.terminal.pk).waiting_documents == 0
    assert OutcomeHistory.objects.get().status == "deferred"
    # The origin's number comes first.
    assert created["numero_enregistrement"] < entry["numero_enregistrement"]
    assert stock_of(cast.rice) == {"annulation": 100, "retour": 99, "paiement": 98}[kind]
    check_invariants()


def test_a_follower_may_come_before_its_origin_in_the_same_batch(cast: Cast, till: Till) -> None:
    receipt = till.settle(void("AVO-1", "FAC-1"), void("AVO-2", "FAC-1"), sale("FAC-1", line(cast.rice)))
    by_number = {e["numero_facture"]: e for e in receipt["details"]["creees"] + receipt["details"]["erreurs"]}
    assert {number: entry["status"] for number, entry in by_number.items()} == {
        "AVO-1": "voided",
        "AVO-2": "rejected",
        "FAC-1": "created",
    }
    assert by_number["AVO-2"]["code"] == "deja_annulee"
    assert (receipt["ventes_creees"], receipt["ventes_erreurs"], receipt["version"]) == (2, 1, 5)
    assert Batch.objects.get().settled_at
    check_invariants()


def test_a_follower_of_a_document_that_is_no_sale_is_refused_when_that_arrives(cast: Cast, till: Till) -> None:
    """Its origin is a void, which waited too."""
    till.settle(void("AVO-2", "AVO-1"))
    till.settle(void("AVO-1", "FAC-1"))
    assert till.outcomes() == ["deferred", "deferred"]
    till.settle(sale("FAC-1", line(cast.rice)))
    assert till.outcomes() == ["rejected", "voided", "created"]
    assert till.look_up_statuses("AVO-2")[0]["code"] == "origine_invalide"
    till.settle(void("AVO-4", "AVO-3"))
    till.settle(sale("FAC-3", line(cast.rice)), void("AVO-3", "FAC-3"))
    assert till.outcomes()[3:] == ["rejected", "created", "voided"]
    assert Lane.objects.get(pk=cast.terminal.pk).waiting_documents == 0
    assert stock_of(cast.rice) == 100
    check_invariants()


def test_the_same_follower_sent_twice_takes_effect_once(cast: Cast, till: Till) -> None:
    for _ in range(2):
        till.settle(void("AVO-1", "FAC-1"))
    till.settle(sale("FAC-1", line(cast.rice)))
    assert till.outcomes() == ["voided", "duplicate", "created"]
    assert StockMovement.objects.filter(type="ANNULATION").count() == 1
    assert Lane.objects.get(pk=cast.terminal.pk).waiting_documents == 0
    check_invariants()


def test_the_same_number_with_another_content_is_a_conflict(cast: Cast, till: Till) -> None:
    till.settle_one(sale("FAC-1", line(cast.rice, quantity=3, price=1000), paye=False))
    till.settle_one(sale("FAC-2", line(cast.rice, quantity=3, price=1000), paye=False))
    for first, other in (
        (pay("PAI-1", "FAC-1", 100), pay("PAI-1", "FAC-1", 200)),
        (bring_back("RET-1", "FAC-1", (1, 1)), bring_back("RET-1", "FAC-1", (1, 2))),
        (void("AVO-1", "FAC-1"), void("AVO-1", "FAC-2")),
    ):
        document = till.settle_one(first)
        assert document["action"] == "purger"
        assert till.settle_one(first)["status"] == "duplicate"
        assert till.settle_one(other)["status"] == "conflict"
    assert stock_of(cast.rice) == 97
    check_invariants()


def test_another_shops_sale_is_no_origin(cast: Cast, till: Till) -> None:
    stranger = Till(cast.other_device)
    theirs = stranger.settle_one(sale("FAC-1", line(cast.other_article)))
    for origin in ({"vente_id": theirs["id"]}, {"numero_enregistrement": theirs["numero_enregistrement"]}):
        for kind in ("annulation", "retour"):
            entry = till.settle_one(
                {"type": kind, "numero_facture": "AVO-1", "origine": origin, "lignes": [{"ligne": 1, "quantite": 1}]}
            )
            assert (entry["status"], entry["code"], entry["action"]) == ("rejected", "origine_invalide", "garder")
            assert entry["erreur"].startswith("Vente d'origine")
    # A number means this till's own sale, which has not arrived.
    assert till.settle_one(void("AVO-2", "FAC-1"))["status"] == "deferred"
    assert stock_of(cast.other_article) == 99
    check_invariants()


def test_a_follower_must_name_a_sale_and_its_lines_or_amount(cast: Cast, till: Till) -> None:
    till.settle_one(sale("FAC-1", line(cast.rice), paye=False))
    voided = till.settle_one(void("AVO-1", "FAC-1"))
    for faulty, path in (
        ({"type": "annulation", "numero_facture": "X"}, "origine"),
        (bring_back("X", "FAC-1"), "lignes"),
        (bring_back("X", "FAC-1", (1, 0)), "lignes[0].quantite"),
        (pay("X", "FAC-1", 0), "montant"),
        (pay("X", "FAC-1", None), "montant"),
        ({**bring_back("X", "FAC-1"), "lignes": [{"quantite": 1}]}, "lignes[0].ligne"),
    ):
        entry = till.settle_one(faulty)
        assert (entry["code"], entry["action"], entry["chemin"]) == ("champ_invalide", "corriger", path)
    of_void = {"type": "annulation", "numero_facture": "X", "origine": {"vente_id": voided["id"]}}
    assert till.settle_one(of_void)["code"] == "origine_invalide"
    check_invariants()


def test_an_origin_by_number_is_the_same_devices_sale(cast: Cast, till: Till) -> None:
    restored = Till(make_device(cast.terminal))
    third = Till(make_device(cast.terminal))
    till.settle_one(sale("FAC-1", line(cast.rice, quantity=1)))
    restored.settle_one(sale("FAC-1", line(cast.rice, quantity=5)))
    assert third.settle_one(void("AVO-0", "FAC-1"))["code"] == "origine_ambigue"
    assert restored.settle_one(void("AVO-1", "FAC-1"))["lignes"][0]["quantite"] == 5
    assert stock_of(cast.rice) == 99
    check_invariants()
