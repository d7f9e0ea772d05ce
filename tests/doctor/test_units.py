"""P11: missing units, uuids that name two units, and goods returned to another unit."""

import pytest
from django.db import connection

from backend.testing import Cast
from tests.doctor.planted_faults import add_line, busy_day, document, findings, move, only_finding, unguarded, write
from tests.tills import Till


@pytest.mark.embedded
def test_a_return_to_the_unit_that_was_sold_is_no_finding(busy: Till, cast: Cast) -> None:
    """Only the changes of the tests below make their findings. One of the two bottles has come back."""
    line = document("FAC-8").lines.get()
    extra = add_line(document("RET-8"), cast.oil.base_unit, 1, origin_line=line)
    move(cast.oil.base_unit, 1, type="RETOUR", document=extra.document, line=extra.position)
    write("sales_saleline", f"id = {line.pk}", quantity_returned=2)
    assert findings() == {}


@pytest.mark.embedded
def test_what_came_back_to_another_unit_is_found(busy: Till, cast: Cast) -> None:
    line = document("FAC-8").lines.get()
    extra = add_line(document("RET-8"), cast.rice.base_unit, 1, origin_line=line)
    move(cast.rice.base_unit, 1, type="RETOUR", document=extra.document, line=extra.position)
    write("sales_saleline", f"id = {line.pk}", quantity_returned=2)
    finding = only_finding("what_comes_back_was_sold")
    assert finding.found.startswith("ligne 2 de retour RET-8")
    assert "rend la ligne 1 de vente FAC-8" in finding.found
    assert "(article HUI20" in finding.found


@pytest.mark.embedded
def test_what_came_back_of_another_sale_than_its_documents_is_found(busy: Till, cast: Cast) -> None:
    line = document("FAC-20").lines.get()
    extra = add_line(document("RET-8"), cast.rice.base_unit, 1, origin_line=line)
    move(cast.rice.base_unit, 1, type="RETOUR", document=extra.document, line=extra.position)
    write("sales_saleline", f"id = {line.pk}", quantity_returned=1)
    assert "rend la ligne 1 de vente FAC-20" in only_finding("what_comes_back_was_sold").found


@pytest.mark.embedded
def test_what_came_back_of_nothing_is_found(busy: Till, cast: Cast) -> None:
    extra = add_line(document("RET-8"), cast.rice.base_unit, 1)
    move(cast.rice.base_unit, 1, type="RETOUR", document=extra.document, line=extra.position)
    assert "ne dit pas quelle ligne revient" in only_finding("what_comes_back_was_sold").found


@pytest.mark.embedded
def test_a_sale_that_says_it_brings_something_back_is_found(busy: Till, cast: Cast) -> None:
    line = document("FAC-8").lines.get()
    extra = add_line(document("FAC-20"), cast.oil.base_unit, 1, origin_line=line)
    move(cast.oil.base_unit, -1, type="VENTE", document=extra.document, line=extra.position)
    write("sales_saleline", f"id = {line.pk}", quantity_returned=2)
    assert "une vente, et dit rendre la ligne 1 de vente FAC-8" in only_finding("what_comes_back_was_sold").found


@pytest.mark.embedded
def test_renaming_what_was_sold_is_no_finding(busy: Till, cast: Cast) -> None:
    write("inventory_articleunit", f"article_id = {cast.rice.pk}", mark="DZ")
    write("inventory_article", f"id = {cast.rice.pk}", code="AUTRE", name="Autre nom", is_active=False)
    assert findings() == {}


def test_a_unit_that_is_gone_is_found_by_its_lines_and_movements(real_database: None) -> None:
    """As after a restore without checks: the keys refer to nothing."""
    cast = Cast()
    till = busy_day(cast)
    unit = cast.rice.units.create(shop=cast.shop, level="CARTON")
    line = add_line(document("FAC-20"), unit, 1)
    move(unit, -1, type="VENTE", document=line.document, line=line.position)
    assert findings() == {}
    with unguarded(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM inventory_articleunit WHERE id = %s", [unit.pk])
    told = [one.found for one in findings()["rows_find_their_unit"]]
    assert [one.split()[0] for one in told] == ["ligne", "mouvement"]
    assert all(one.endswith(f"l'unité n° {unit.pk} n'existe plus") for one in told)
    assert till.outcomes()


def test_a_uuid_of_two_units_is_found(real_database: None) -> None:
    """Without the index; another check reports that it is missing."""
    cast = Cast()
    unit = cast.rice.base_unit
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "inventory_articleunit")
        [index] = [name for name, one in constraints.items() if one["unique"] and one["columns"] == ["uuid"]]
        cursor.execute(f"ALTER TABLE inventory_articleunit DROP INDEX `{index}`")
        try:
            type(unit).objects.filter(pk=cast.oil.base_unit_id).update(uuid=unit.uuid)
            finding = only_finding("uuids_name_one_thing")
        finally:
            type(unit).objects.filter(pk=cast.oil.base_unit_id).update(uuid=cast.oil.base_unit.uuid)
            cursor.execute(f"ALTER TABLE inventory_articleunit ADD UNIQUE INDEX `{index}` (uuid)")
    assert finding.found.startswith(f"uuid {unit.uuid} : unité n° ")
    assert "RIZ25" in finding.found
    assert "HUI20" in finding.found
    assert findings() == {}
