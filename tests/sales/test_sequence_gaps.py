"""Gaps in the till's own counter: which numbers it skipped, and which came later."""

import pytest

from backend.sales.models import SaleOutcome
from backend.sales.tills.sequence_gaps import GAPS_MAX, follow
from backend.testing import Cast
from tests.tills import STATE, Till, line, sale

pytestmark = pytest.mark.embedded


@pytest.mark.parametrize(
    ("seen", "gaps", "arrived", "expected"),
    [
        (None, [], [1842, 1843], (1843, [], [])),
        (1843, [], [1844], (1844, [], [])),
        (1839, [], [1842, 1843], (1843, [[1840, 1841]], [[1840, 1841]])),
        (1843, [[1840, 1841]], [1840], (1843, [[1841, 1841]], [])),
        (10, [[2, 8]], [5], (10, [[2, 4], [6, 8]], [])),
        (10, [], [15, 13], (15, [[11, 12], [14, 14]], [[11, 12], [14, 14]])),
        (10, [], [10, 10], (10, [], [])),
        (10, [[2, 3]], [12], (12, [[2, 3], [11, 11]], [[11, 11]])),
    ],
)
def test_it_follows_the_counter(seen: int | None, gaps: list, arrived: list[int], expected: tuple) -> None:
    assert follow(seen, gaps, arrived) == expected


def test_a_till_that_jumps_about_keeps_its_newest_gaps() -> None:
    seen, gaps, opened = follow(0, [], range(2, 400, 2))
    assert seen == 398
    assert gaps == opened
    assert len(gaps) == GAPS_MAX
    assert gaps[-1] == [397, 397]


def test_gaps_in_the_tills_counter_are_reported_and_filled(cast: Cast, till: Till) -> None:
    def counted(*counters: int) -> list[dict]:
        return [sale(f"FAC-{counter}", line(cast.rice), sequence=counter) for counter in counters]

    assert till.settle(*counted(1839))["trous"] == []
    with_gaps = till.settle(*counted(1842, 1844))
    assert with_gaps["trous"] == [{"de": 1840, "a": 1841}, {"de": 1843, "a": 1843}]
    assert till.get(STATE).json()["trous"] == with_gaps["trous"]

    assert till.settle(*counted(1841))["trous"] == []
    assert till.get(STATE).json()["trous"] == [{"de": 1840, "a": 1840}, {"de": 1843, "a": 1843}]
    # A receipt keeps the gaps that its batch showed.
    assert till.receipt(with_gaps["recu"])["trous"] == with_gaps["trous"]


def test_a_malformed_sale_is_counted_too(cast: Cast, till: Till) -> None:
    body = b'[{"sequence": 1}, {"sequence": 2, "remise": NaN}, {"sequence": 3}]'
    receipt = till.send(body).json()["recu"]
    till.post_all()
    assert till.receipt(receipt)["trous"] == []
    assert SaleOutcome.objects.filter(code="champ_invalide").count() == 3
