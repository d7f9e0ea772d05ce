"""The till's own counter: which numbers it skipped, and which of them came later. Pure."""

from collections.abc import Iterable

Holes = list[list[int]]  # [[from, to], …], both included, in order

# A till that jumps about would otherwise fill the lane's row; the newest holes are the ones still worth a question.
HOLES_MAX = 50


def follow(seen: int | None, holes: Holes, arrived: Iterable[int]) -> tuple[int | None, Holes, Holes]:
    """Return (highest seen, open holes, holes that these arrivals made), after the counters in `arrived`, in any order.

    The first counter ever seen makes no hole: the till may have counted long before it knew us.
    """
    opened: Holes = []
    for counter in arrived:
        if seen is None:
            seen = counter
        elif counter > seen:
            if counter > seen + 1:
                opened.append([seen + 1, counter - 1])
            seen = counter
        else:
            holes, opened = _without(holes, counter), _without(opened, counter)
    return seen, (holes + opened)[-HOLES_MAX:], opened[-HOLES_MAX:]


def _without(holes: Holes, counter: int) -> Holes:
    remaining: Holes = []
    for first, last in holes:
        if not first <= counter <= last:
            remaining.append([first, last])
            continue
        if first < counter:
            remaining.append([first, counter - 1])
        if counter < last:
            remaining.append([counter + 1, last])
    return remaining
