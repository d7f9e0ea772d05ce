"""The till's own counter: which numbers it skipped, which of them came later, and which are missing at the end."""

from collections.abc import Iterable

from backend.sales.tills.status import Gaps, TillStatus, load_till_statuses
from backend.shops.models import Terminal

# A till that jumps about would otherwise fill the lane's row; the newest holes are the ones still worth a question.
HOLES_MAX = 50


def follow(seen: int | None, holes: Gaps, arrived: Iterable[int]) -> tuple[int | None, Gaps, Gaps]:
    """Return (highest seen, open holes, holes that these arrivals made), after the counters in `arrived`, in any order.

    The first counter ever seen makes no hole: the till may have counted long before it knew us.
    """
    opened: Gaps = []
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


def _without(holes: Gaps, counter: int) -> Gaps:
    remaining: Gaps = []
    for first, last in holes:
        if not first <= counter <= last:
            remaining.append([first, last])
            continue
        if first < counter:
            remaining.append([first, counter - 1])
        if counter < last:
            remaining.append([counter + 1, last])
    return remaining


def gaps_of(terminal_ids: Iterable[int]) -> dict[int, Gaps]:
    """Return the open holes of these tills, each [from, to] included; tills without one are left out. Two queries."""
    return gaps_of_tills(load_till_statuses(Terminal.objects.filter(pk__in=list(terminal_ids))))


def gaps_of_tills(tills: Iterable[TillStatus]) -> dict[int, Gaps]:
    """Return the same from what was heard of these tills.

    A till's last heartbeat that names its counter shows what is missing at the end, where no later sale does: it has
    counted further than has been seen plus what it says it holds. That is told only while nothing of the till waits to
    be begun, for the counters of a batch are read when it is.
    """
    found = {till.terminal.pk: [*till.sequence_holes, *_missing_at_the_end(till)] for till in tills}
    return {terminal_id: holes for terminal_id, holes in found.items() if holes}


def _missing_at_the_end(till: TillStatus) -> Gaps:
    # Of the device that holds the till now: one that it replaced has stopped counting.
    last_missing = next((device.counted for device in till.devices if device.is_active), None)
    if last_missing is None or till.was_busy or till.sequence_seen is None:
        # The first counter ever seen makes no hole either: the till may have counted long before it knew us.
        return []
    # What it holds are the last it counted; a hole before them is what is neither here nor there.
    return [[till.sequence_seen + 1, last_missing]] if last_missing > till.sequence_seen else []
