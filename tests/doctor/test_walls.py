"""P8: rows that join two shops, and orphans: rows whose shop, till or device does not exist."""

from datetime import UTC, datetime

import pytest

from backend.doctor.registry import Finding, Scope
from backend.sales.models import Batch, Heartbeat, Sale, SaleLine
from backend.testing import Cast
from tests.doctor.planted_faults import (
    add_line,
    add_money,
    document,
    findings,
    move,
    only_finding,
    outcome,
    place_of,
    repair,
    repaired,
    write,
)
from tests.tills import Till

pytestmark = pytest.mark.embedded

NOWHERE = 999_999


def found_in_one_shop() -> list[str]:
    found = findings()
    assert set(found) == {"rows_stay_in_one_shop"}
    return [one.found for one in found["rows_stay_in_one_shop"]]


def test_a_line_in_another_shop_is_found(busy: Till, cast: Cast) -> None:
    line = document("FAC-1").lines.first()
    write("sales_saleline", f"id = {line.pk}", shop_id=cast.other_shop.pk)
    [told] = found_in_one_shop()
    assert told.startswith("ligne 1 de vente FAC-1")
    assert told.endswith("boutique BTQ-777, mais boutique BTQ-009 par son document et boutique BTQ-009 par son unité")


def test_money_in_another_shop_is_found(busy: Till, cast: Cast) -> None:
    add_money(document("FAC-3"), shop_id=cast.other_shop.pk)
    [told] = found_in_one_shop()
    assert told.startswith("mouvement d'argent 3 de vente FAC-3")
    assert told.endswith("boutique BTQ-777, mais boutique BTQ-009 par son document")


def test_an_outcome_in_another_shop_is_found(busy: Till, cast: Cast) -> None:
    write("sales_saleoutcome", place_of(outcome("FAC-8", "created")), shop_id=cast.other_shop.pk)
    [told] = found_in_one_shop()
    assert told.startswith("résultat de la vente 1 du lot")


def test_an_outcome_of_another_till_is_found(busy: Till, cast: Cast) -> None:
    write("sales_saleoutcome", place_of(outcome("FAC-5", "rejected")), terminal_id=cast.token_device.terminal_id)
    [told] = found_in_one_shop()
    assert "mais caisse « Terminal MAUI »" in told


def test_a_document_of_another_till_than_its_batch_is_found(busy: Till, cast: Cast) -> None:
    """Its money is then in the drawer of another till than its own."""
    write("sales_sale", f"id = {document('FAC-20').pk}", terminal_id=cast.token_device.terminal_id)
    finding = only_finding("rows_stay_in_one_shop", beside={"movements_are_in_their_drawer"})
    assert finding.found.startswith("vente FAC-20")


def test_a_document_that_follows_another_shops_sale_is_found(busy: Till, cast: Cast) -> None:
    theirs = Sale.objects.get(shop=cast.other_shop)
    write("sales_sale", f"id = {document('PAI-1').pk}", origin_id=theirs.pk)
    found = findings()
    assert "boutique BTQ-777 par sa vente d'origine" in found["rows_stay_in_one_shop"][0].found


def test_a_movement_in_another_shop_is_found(busy: Till, cast: Cast) -> None:
    move(cast.rice.base_unit, 1, shop_id=cast.other_shop.pk)
    [told] = found_in_one_shop()
    assert told.startswith("mouvement n° ")


def test_a_unit_in_another_shop_than_its_article_is_found(busy: Till, cast: Cast) -> None:
    unit = cast.rice.units.create(shop=cast.other_shop, level="CARTON")
    [told] = found_in_one_shop()
    assert told.startswith(f"unité n° {unit.pk} (article RIZ25")


def test_a_line_that_sold_another_shops_unit_is_found(busy: Till, cast: Cast) -> None:
    unit = cast.other_article.base_unit
    line = add_line(document("FAC-20"), unit, 1)
    move(unit, -1, type="VENTE", document=line.document, line=line.position)
    told = found_in_one_shop()
    assert [one.split()[0] for one in told] == ["ligne", "mouvement"]


def test_a_base_unit_of_another_article_is_found(busy: Till, cast: Cast) -> None:
    write("inventory_article", f"id = {cast.rice.pk}", base_unit_id=cast.oil.base_unit_id)
    finding = only_finding("base_units_are_their_articles")
    assert finding.found.startswith("article RIZ25")
    assert "de l'article HUI20" in finding.found


def test_a_till_that_was_moved_by_hand_is_found(busy: Till, cast: Cast) -> None:
    write("shops_terminal", f"id = {cast.terminal.pk}", shop_id=cast.other_shop.pk)
    finding = only_finding("tills_keep_their_shop")
    assert "est dans la boutique BTQ-777" in finding.found
    assert (
        f"{Batch.objects.filter(terminal=cast.terminal).count()} lots d'elle dans la boutique BTQ-009" in finding.found
    )


# Orphans -------------------------------------------------------------------------------------------------------------


def orphaned(one: Sale) -> Finding:
    """Remove the sale's shop and return the finding; meanwhile its register has a gap."""
    write("sales_sale", f"id = {one.pk}", shop_id=NOWHERE)
    beside = {"register_has_no_gap", "sequences_know_the_last_number"}
    return only_finding("sales_have_their_shop", beside=beside)


def test_an_orphan_comes_home_where_everything_says_whose_it_is(busy: Till, cast: Cast) -> None:
    one = document("FAC-2")
    finding = orphaned(one)
    assert finding.found.startswith("vente orpheline : vente FAC-2")
    assert "Synchronisation réussie" in finding.means
    assert repaired(finding) == {"sales_sale": {"shop_id"}}
    assert document("FAC-2").pk == one.pk


def test_an_orphan_is_found_where_its_till_or_its_tills_shop_is_asked_about(busy: Till, cast: Cast) -> None:
    orphaned(document("FAC-2"))
    for scope in (Scope(shop=cast.shop), Scope(shop=cast.shop, terminal=cast.terminal)):
        assert "sales_have_their_shop" in findings(scope)
    for scope in (Scope(shop=cast.other_shop), Scope(shop=cast.other_shop, terminal=cast.other_terminal)):
        assert findings(scope) == {}


@pytest.mark.parametrize("doubt", ["till", "batch", "unit", "number", "name", "sequence"])
def test_an_orphan_stays_where_anything_says_otherwise(busy: Till, cast: Cast, doubt: str) -> None:
    one = document("FAC-2")
    other = cast.other_shop.pk
    repair_before = orphaned(one).repair
    assert repair_before is not None
    if doubt == "till":
        write("shops_terminal", f"id = {one.terminal_id}", shop_id=other)
    elif doubt == "batch":
        write("sales_batch", f"id = {one.batch_id}", shop_id=other)
    elif doubt == "unit":
        write("inventory_articleunit", f"id = {cast.rice.base_unit_id}", shop_id=other)
    elif doubt == "number":
        write("sales_sale", f"id = {document('FAC-1').pk}", register_number=one.register_number)
    elif doubt == "name":
        write("sales_sale", f"id = {one.pk}", registration_number="FAC-BTQ-777-202411-000002")
    elif doubt == "sequence":
        write("sales_invoicesequence", f"shop_id = {cast.shop.pk}", last_number=0)
    [finding] = findings()["sales_have_their_shop"]
    assert finding.repair is None
    assert "Rien ne prouve" in finding.means
    # A repair found before the contradiction does nothing either.
    assert repair_before.act() is None
    assert Sale.objects.get(pk=one.pk).shop_id == NOWHERE


@pytest.mark.parametrize("table", ["sales_saleline", "sales_saleoutcome"])
def test_parts_of_a_sale_without_their_shop_are_given_its_shop(busy: Till, table: str) -> None:
    one = document("FAC-3")
    where = f"document_id = {one.pk}"
    write(table, where, shop_id=NOWHERE)
    finding = only_finding("parts_of_sales_have_their_shop")
    assert f"la boutique n° {NOWHERE} n'existe pas" in finding.found
    assert repaired(finding) == {table: {"shop_id"}}


def test_money_without_its_shop_is_left_to_a_person(busy: Till) -> None:
    """The database refuses any change of a movement."""
    for _ in range(2):
        add_money(document("FAC-3"), shop_id=NOWHERE)
    finding = only_finding("parts_of_sales_have_their_shop")
    assert finding.found.startswith("2 mouvements d'argent de vente FAC-3")
    assert finding.repair is None


def test_a_line_whose_sale_is_an_orphan_too_is_not_repaired_before_it(busy: Till) -> None:
    one = document("FAC-2")
    write("sales_saleline", f"document_id = {one.pk}", shop_id=NOWHERE)
    write("sales_sale", f"id = {one.pk}", shop_id=NOWHERE)
    found = findings()
    [finding] = found["parts_of_sales_have_their_shop"]
    assert finding.repair is None
    [orphan] = found["sales_have_their_shop"]
    repair(orphan)
    assert repaired(only_finding("parts_of_sales_have_their_shop")) == {"sales_saleline": {"shop_id"}}
    assert SaleLine.objects.filter(document=one, shop=one.shop).count() == 2


@pytest.mark.parametrize(
    ("table", "column", "told"),
    [
        ("sales_sale", "device_id", "document (sales_sale) : l'appareil"),
        ("sales_batch", "device_id", "lot (sales_batch) : l'appareil"),
        ("sales_heartbeat", "shop_id", "signe de vie (sales_heartbeat) : la boutique"),
        ("sales_heartbeat", "terminal_id", "signe de vie (sales_heartbeat) : la caisse"),
    ],
)
def test_a_row_of_nobodys_is_found(busy: Till, cast: Cast, table: str, column: str, told: str) -> None:
    keys = {"shop": cast.shop, "terminal": cast.terminal, "device": cast.device}
    Heartbeat.objects.create(**keys, held_count=0, at=datetime.now(UTC))
    write(table, f"id = (SELECT * FROM (SELECT MIN(id) FROM {table}) AS first)", **{column: NOWHERE})
    finding = only_finding("rows_have_their_parents")
    assert finding.found == f"1 {told} n° {NOWHERE} n'existe pas"
    assert finding.repair is None


def test_money_in_the_drawer_of_a_till_that_is_gone_is_found(busy: Till) -> None:
    add_money(document("FAC-3"), terminal_id=NOWHERE)
    finding = only_finding("rows_have_their_parents")
    assert finding.found == f"1 mouvement d'argent (sales_moneymovement) : la caisse n° {NOWHERE} n'existe pas"


@pytest.mark.parametrize("table", ["sales_lane", "sales_sale"])
def test_a_till_that_is_gone_leaves_orphans(busy: Till, table: str) -> None:
    """A lane's key is its till; a document keeps its batch's till."""
    key = f"terminal_id = {busy.device.terminal_id}"
    if table == "sales_sale":
        key = f"id = {document('FAC-20').pk}"
    write(table, key, terminal_id=NOWHERE)
    told = [one.found for one in findings()["rows_have_their_parents"]]
    assert told == [
        f"1 {'voie' if table == 'sales_lane' else 'document'} ({table}) : la caisse n° {NOWHERE} n'existe pas"
    ]
