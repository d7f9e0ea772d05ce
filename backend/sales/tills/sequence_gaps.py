"""The till's own counter: which numbers it skipped, which of them came later, and which are missing at the end."""

from collections.abc import Iterable

from backend.sales.tills.status import Gaps, TillStatus, load_till_statuses
from backend.shops.models import Terminal

# A counter that jumps back and forth would otherwise fill the lane's row; the newest gaps are still worth a question.
GAPS_MAX = 50


def follow(seen: int | None, gaps: Gaps, arrived: Iterable[int]) -> tuple[int | None, Gaps, Gaps]:
    """Return (highest seen, open gaps, gaps that these arrivals made), after the counters in `arrived`, in any order.

    The first counter ever seen makes no gap: the till may have counted long before its first call to this server.
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
            gaps, opened = _without(gaps, counter), _without(opened, counter)
    return seen, (gaps + opened)[-GAPS_MAX:], opened[-GAPS_MAX:]


def _without(gaps: Gaps, counter: int) -> Gaps:
    remaining: Gaps = []
    for first, last in gaps:
        if not first <= counter <= last:
            remaining.append([first, last])
            continue
        if first < counter:
            remaining.append([first, counter - 1])
        if counter < last:
            remaining.append([counter + 1, last])
    return remaining


def gaps_of(terminal_ids: Iterable[int]) -> dict[int, Gaps]:
    """Return the open gaps of these tills, each [from, to] included; tills without one are left out. Two queries."""
    return gaps_of_tills(load_till_statuses(Terminal.objects.filter(pk__in=list(terminal_ids))))


def gaps_of_tills(tills: Iterable[TillStatus]) -> dict[int, Gaps]:
    """Return the same from these tills' statuses.

    No later sale shows a gap at the end. The till's last heartbeat that names its counter does: the till has counted
    further than the highest counter seen plus what it says it holds. This gap is returned only while no batch of the
    till waits, because a batch's counters are read when its first sale is posted.
    """
    found = {till.terminal.pk: [*till.sequence_gaps, *_missing_at_the_end(till)] for till in tills}
    return {terminal_id: gaps for terminal_id, gaps in found.items() if gaps}


def _missing_at_the_end(till: TillStatus) -> Gaps:
    # Of the device that holds the till now: a device that it replaced has stopped counting.
    last_missing = next((device.counted for device in till.devices if device.is_active), None)
    if last_missing is None or till.was_busy or till.sequence_seen is None:
        # The first counter ever seen makes no gap here either.
        return []
    # What the till holds has the last counters. A gap before them is neither on the server nor in the till.
    return [[till.sequence_seen + 1, last_missing]] if last_missing > till.sequence_seen else []
