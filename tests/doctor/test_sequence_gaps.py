"""The till's own counter: numbers that it skipped, and numbers that it used twice."""

import pytest

from backend.testing import Cast
from tests.doctor.planted_faults import findings, only_finding
from tests.tills import Till, line, sale

pytestmark = pytest.mark.embedded


def test_a_hole_is_named_until_it_closes(busy: Till, cast: Cast) -> None:
    busy.post_all()
    busy.settle(sale("FAC-40", line(cast.oil), sequence=10), sale("FAC-41", line(cast.oil), sequence=13))
    finding = only_finding("till_counters_have_no_hole")
    assert "caisse « Terminal MAUI »" in finding.found
    assert "il manque 9 et 11 à 12 à son compteur, qui est à 13" in finding.found
    for counter in (9, 11, 12):
        busy.settle(sale(f"FAC-5{counter}", line(cast.oil), sequence=counter))
    assert findings() == {}


def test_a_counter_under_two_numbers_is_noted(busy: Till, cast: Cast) -> None:
    busy.settle(sale("FAC-40", line(cast.oil), sequence=3))
    finding = only_finding("till_counters_do_not_repeat")
    assert finding.is_note
    assert "le 3 pour FAC-3 et FAC-40" in finding.found


def test_the_same_counter_of_two_tills_is_no_finding(busy: Till, cast: Cast) -> None:
    Till(cast.token_device, token=cast.token).settle(sale("FAC-40", line(cast.oil), sequence=3))
    assert findings() == {}
