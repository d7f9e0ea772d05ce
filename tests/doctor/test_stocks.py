"""P5 and P6: stock that differs from its movements, movements without lines, history newer than its outcome."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from backend.inventory.models import StockMovement
from backend.sales.models import OutcomeHistory
from backend.testing import Cast
from tests.doctor.planted_faults import (
    add_line,
    busy_day,
    document,
    erase,
    findings,
    move,
    only_finding,
    outcome,
    repaired,
    unguarded,
    write,
)
from tests.tills import Till, stock_of


@pytest.mark.embedded
@pytest.mark.parametrize("stock", ["5", "-0.001", "99999999.999"])
def test_a_stock_that_its_movements_do_not_explain_is_written_anew(busy: Till, cast: Cast, stock: str) -> None:
    before = stock_of(cast.rice)
    write("inventory_articleunit", f"id = {cast.rice.base_unit_id}", stock=stock)
    finding = only_finding("stock_is_the_sum_of_movements")
    assert "article RIZ25 « Riz 25 kg »" in finding.found
    assert repaired(finding) == {"inventory_articleunit": {"stock", "changed_at"}}
    assert stock_of(cast.rice) == before


def test_a_movement_that_is_gone_is_not_made_true(real_database: None) -> None:
    """The chain of the other movements has no gap, but the sale's line shows that a movement is missing."""
    busy_day(Cast())
    last = StockMovement.objects.filter(document=document("FAC-20")).get()
    with unguarded():
        erase("inventory_stockmovement", f"id = {last.pk}")
    finding = only_finding("stock_is_the_sum_of_movements", beside={"lines_have_their_movement"})
    assert finding.repair is None
    assert "corrigez par un ajustement" in finding.means


@pytest.mark.embedded
@pytest.mark.parametrize("fault", ["jump", "sum"])
def test_a_broken_chain_is_found(busy: Till, cast: Cast, fault: str) -> None:
    unit = cast.rice.base_unit
    fields = {"stock_before": 7, "stock_after": 7} if fault == "jump" else {"stock_after": stock_of(cast.rice)}
    movement = move(unit, 0 if fault == "jump" else "0.5", **fields)
    moved = sum(unit.movements.values_list("quantity", flat=True), Decimal(0))
    write("inventory_articleunit", f"id = {unit.pk}", stock=str(moved))
    finding = only_finding("movements_make_one_chain")
    assert f"mouvement n° {movement.pk} (Ajustement" in finding.found
    told = {"jump": "part de 7, le précédent avait laissé", "sum": "change de 0.5 et laisse"}[fault]
    assert told in finding.found
    assert finding.repair is None


@pytest.mark.embedded
def test_a_first_movement_that_begins_with_stock_is_found(busy: Till, cast: Cast) -> None:
    new = cast.rice.units.create(shop=cast.shop, level="CARTON")
    move(new, 5, stock_before=3, stock_after=8)
    assert "le précédent avait laissé 0" in only_finding("movements_make_one_chain").found


@pytest.mark.embedded
def test_stock_is_not_written_anew_from_a_broken_chain(busy: Till, cast: Cast) -> None:
    move(cast.rice.base_unit, 0, stock_before=7, stock_after=7)
    write("inventory_articleunit", f"id = {cast.rice.base_unit_id}", stock=5)
    assert only_finding("stock_is_the_sum_of_movements", beside={"movements_make_one_chain"}).repair is None


@pytest.mark.embedded
def test_a_line_with_its_movement_is_no_finding(busy: Till, cast: Cast) -> None:
    """The tests below leave steps out or repeat them, and only that makes their findings."""
    extra = add_line(document("FAC-20"), cast.oil.base_unit, 2)
    move(cast.oil.base_unit, -2, type="VENTE", document=extra.document, line=extra.position)
    assert findings() == {}


@pytest.mark.embedded
@pytest.mark.parametrize("fields", [{}, {"type": "SORTIE"}, {"quantity": -1}, {"unit": "rice"}], ids=str)
def test_a_line_without_its_movement_is_found(busy: Till, cast: Cast, fields: dict[str, object]) -> None:
    extra = add_line(document("FAC-20"), cast.oil.base_unit, 2)
    if fields:
        wanted = {"type": "VENTE", "document": extra.document, "line": extra.position}
        unit = cast.rice.base_unit if "unit" in fields else cast.oil.base_unit
        move(unit, fields.get("quantity", -2), **wanted | {"type": fields.get("type", "VENTE")})
    finding = only_finding("lines_have_their_movement")
    assert finding.found.startswith("ligne 2 de vente FAC-20")
    assert "VENTE de 2 pour unité" in finding.found


@pytest.mark.embedded
def test_a_movement_without_a_line_is_found(busy: Till, cast: Cast) -> None:
    movement = move(cast.rice.base_unit, 0, document=document("FAC-20"), line=9)
    finding = only_finding("movements_have_their_line")
    assert finding.found.startswith(f"mouvement n° {movement.pk}")
    assert finding.found.endswith("n'a pas de ligne 9")


@pytest.mark.embedded
def test_a_line_that_moved_twice_is_found(busy: Till, cast: Cast) -> None:
    move(cast.rice.base_unit, -1, type="VENTE", document=document("FAC-20"), line=1)
    finding = only_finding("movements_have_their_line")
    assert "2 mouvements de stock" in finding.found


@pytest.mark.embedded
@pytest.mark.parametrize("place", ["newer", "nowhere"])
def test_a_history_that_nothing_replaced_is_found(busy: Till, place: str) -> None:
    said = outcome("RET-8", "returned")
    is_newer = place == "newer"
    where = {"position": said.position if is_newer else 99, "version": said.version if is_newer else 1}
    where["shop_id"] = said.shop_id
    now = datetime.now(UTC)
    old = OutcomeHistory.objects.create(batch=said.batch, status="failed", at=now, replaced_at=now, **where)
    finding = only_finding("history_lies_behind")
    assert finding.found.startswith(f"historique n° {old.pk} : « Échec de notre côté »")


@pytest.mark.embedded
def test_a_history_behind_its_outcome_is_no_finding(busy: Till) -> None:
    said = outcome("RET-8", "returned")
    now = datetime.now(UTC)
    where = {"shop_id": said.shop_id, "position": said.position, "version": said.version - 1}
    OutcomeHistory.objects.create(batch=said.batch, status="failed", at=now, replaced_at=now, **where)
    assert findings() == {}
