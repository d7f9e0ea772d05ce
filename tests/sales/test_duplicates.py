"""The same number again: a duplicate, a conflict, or another device of the same till."""

from typing import Any

import pytest

from backend.inventory.models import UnitLevel
from backend.sales.models import Sale
from backend.testing import Cast, add_unit, make_article, make_device
from tests.tills import Till, line, sale, stock_of

pytestmark = pytest.mark.embedded

DATED = {"date_vente": "2024-11-04T17:42:10+01:00"}


@pytest.fixture
def first(cast: Cast, till: Till) -> dict[str, Any]:
    """FAC-1, recorded: two bags of rice."""
    entry = till.settle_one(sale("FAC-1", line(cast.rice, quantity=2), **DATED))
    assert entry["status"] == "created"
    return entry


def test_the_same_content_is_a_duplicate_that_names_the_first(cast: Cast, till: Till, first: dict[str, Any]) -> None:
    again = till.settle_one(
        sale("FAC-1", line(cast.rice, quantity="2.000"), **DATED, sequence=9, client={"nom": "Ève"}, montant_total=1)
    )
    assert (again["status"], again["code"], again["action"]) == ("duplicate", "deja_existante", "purger")
    assert (again["id"], again["erreur"]) == (first["id"], "Vente déjà existante")
    assert stock_of(cast.rice) == 98
    assert Sale.objects.count() == 1


@pytest.mark.parametrize(
    "changed",
    [{"date_vente": "2024-11-04T17:43:00+01:00"}, {"remise": 1}, {"devise": "CDF"}],
    ids=lambda changed: next(iter(changed)),
)
def test_the_same_number_with_other_content_is_a_conflict_and_both_are_kept(
    cast: Cast, till: Till, first: dict[str, Any], changed: dict[str, Any]
) -> None:
    """As after a power cut: the same lines under the same number, a minute later by the clock."""
    other = till.settle_one(sale("FAC-1", line(cast.rice, quantity=2), **DATED | changed))
    assert (other["status"], other["code"], other["action"]) == ("conflict", "numero_deja_pris", "garder")
    assert other["erreur"] == "Numéro déjà pris par une autre vente"
    assert stock_of(cast.rice) == 98
    assert Sale.objects.count() == 1
    statuses = till.look_up_statuses("FAC-1")
    assert [(one["status"], one["action"]) for one in statuses] == [
        ("created", "purger"),
        ("conflict", "garder"),
    ]


def test_other_lines_are_a_conflict(cast: Cast, till: Till, first: dict[str, Any]) -> None:
    for lines in ([line(cast.rice, quantity=3)], [line(cast.oil, quantity=2)], [line(cast.rice, quantity=2)] * 2):
        assert till.settle_one(sale("FAC-1", *lines, **DATED))["status"] == "conflict"
    assert (stock_of(cast.rice), stock_of(cast.oil)) == (98, 100)


def test_a_conflict_is_found_before_an_unknown_article(cast: Cast, till: Till, first: dict[str, Any]) -> None:
    elsewhere = line(cast.other_article, quantity=2)
    assert till.settle_one(sale("FAC-1", elsewhere, **DATED))["status"] == "conflict"
    assert till.settle_one(sale("FAC-2", elsewhere, **DATED))["code"] == "article_inconnu"


def test_the_same_unit_under_another_name_is_a_duplicate(cast: Cast, till: Till, first: dict[str, Any]) -> None:
    """A till's update may send unite_uuid where it sent article_id."""
    for names in (
        {"unite_uuid": str(cast.rice.base_unit.uuid)},
        {"article_uuid": str(cast.rice.uuid)},
        {"article_id": cast.rice.pk, "unite_uuid": str(cast.rice.base_unit.uuid)},
    ):
        renamed = sale("FAC-1", {"quantite": 2, "prix_unitaire": 25000, **names}, **DATED)
        assert till.settle_one(renamed)["status"] == "duplicate"
    carton = add_unit(cast.rice, level=UnitLevel.CARTON, stock=5)
    other_unit = {"unite_uuid": str(carton.uuid), "quantite": 2, "prix_unitaire": 25000}
    assert till.settle_one(sale("FAC-1", other_unit, **DATED))["status"] == "conflict"


@pytest.mark.parametrize("fields", [{"remise": 0}, {"quantite": "2.0004"}])
def test_another_name_and_another_content_are_a_conflict(
    cast: Cast, till: Till, first: dict[str, Any], fields: dict[str, Any]
) -> None:
    """As they are under one name: an absent field is not the same as its default, nor a number as it is rounded."""
    by_article = line(cast.rice, quantity=2) | fields
    by_unit = {name: value for name, value in by_article.items() if name != "article_id"}
    by_unit["unite_uuid"] = str(cast.rice.base_unit.uuid)
    for changed in (by_article, by_unit):
        assert till.settle_one(sale("FAC-1", changed, **DATED))["status"] == "conflict"


def test_a_replay_of_a_sale_whose_article_has_sold_out_is_a_duplicate(
    cast: Cast, till: Till, first: dict[str, Any]
) -> None:
    assert till.settle_one(sale("FAC-2", line(cast.rice, quantity=98)))["status"] == "created"
    assert stock_of(cast.rice) == 0
    assert till.settle_one(sale("FAC-1", line(cast.rice, quantity=2), **DATED))["status"] == "duplicate"
    assert till.settle_one(sale("FAC-3", line(cast.rice, quantity=2), **DATED))["code"] == "stock_insuffisant"


def test_another_device_of_the_till_gets_the_next_variant_flagged(
    cast: Cast, till: Till, first: dict[str, Any]
) -> None:
    """A restored or replaced device counts on from an old number: its sale is a new sale, not a conflict."""
    spare = Till(make_device(cast.terminal))
    other_content = sale("FAC-1", line(cast.oil), **DATED)

    entry = spare.settle_one(other_content)

    assert (entry["status"], entry["variante"], entry["numero_facture"]) == ("created", 2, "FAC-1")
    assert "numero_reutilise" in entry["avertissements"]
    assert first["variante"] == 1
    assert stock_of(cast.oil) == 99
    assert [str(one) for one in Sale.objects.order_by("variant")] == ["FAC-1", "FAC-1~2"]
    # Resent by either device, each content is a duplicate of its own variant.
    assert spare.settle_one(other_content)["id"] == entry["id"]
    assert till.settle_one(sale("FAC-1", line(cast.rice, quantity=2), **DATED))["id"] == first["id"]
    assert spare.settle_one(sale("FAC-1", line(cast.rice, quantity=2), **DATED))["status"] == "duplicate"
    assert spare.settle_one(sale("FAC-1", line(cast.rice, quantity=7), **DATED))["status"] == "conflict"


def test_two_tills_may_use_the_same_number(cast: Cast, till: Till, first: dict[str, Any]) -> None:
    other = Till(cast.complete_device)
    other.device.answer_mode = "recu"
    other.device.save(update_fields=["answer_mode"])
    assert other.settle_one(sale("FAC-1", line(cast.rice), **DATED))["variante"] == 1


def test_numbers_are_compared_byte_for_byte(cast: Cast, till: Till, first: dict[str, Any]) -> None:
    numbers = ["fac-1", "FÁC-1", "FA\u0301C-1", "FAC‑1", "FAC-01"]
    entries = [till.settle_one(sale(number, line(cast.oil), **DATED)) for number in numbers]
    assert [one["status"] for one in entries] == ["created"] * len(numbers)
    assert [one["numero_facture"] for one in entries] == numbers
    assert till.settle_one(sale(" FAC-1 ", line(cast.rice, quantity=2), **DATED))["status"] == "duplicate"
    assert [one["status"] for one in till.look_up_statuses("fac-1", "Fac-1")] == ["created", "unknown"]


def test_one_batch_may_hold_the_same_sale_twice(cast: Cast, till: Till) -> None:
    one = sale("FAC-9", line(cast.rice))
    till.settle(one, one)
    assert till.outcomes() == ["created", "duplicate"]


def test_a_refused_sale_is_recorded_when_its_reason_is_gone(cast: Cast, till: Till) -> None:
    empty = make_article(cast.shop, stock=0)
    wanted = sale("FAC-5", line(empty))
    assert till.settle_one(wanted)["code"] == "stock_insuffisant"
    empty.base_unit.stock = 5
    empty.base_unit.save(update_fields=["stock"])
    assert till.settle_one(wanted)["status"] == "created"
    assert [one["status"] for one in till.look_up_statuses("FAC-5")] == ["created"]
