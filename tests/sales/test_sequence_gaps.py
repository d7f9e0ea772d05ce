"""The till's own counter: which numbers it skipped, and which came later."""

import pytest

from backend.sales.tills.sequence_gaps import HOLES_MAX, follow

pytestmark = pytest.mark.embedded


@pytest.mark.parametrize(
    ("seen", "holes", "arrived", "expected"),
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
def test_it_follows_the_counter(seen: int | None, holes: list, arrived: list[int], expected: tuple) -> None:
    assert follow(seen, holes, arrived) == expected


def test_a_till_that_jumps_about_keeps_its_newest_holes() -> None:
    seen, holes, opened = follow(0, [], range(2, 400, 2))
    assert seen == 398
    assert holes == opened
    assert len(holes) == HOLES_MAX
    assert holes[-1] == [397, 397]
