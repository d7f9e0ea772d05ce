"""Which of a till's own counters never arrived: the holes between those that did, and those missing at the end."""

from collections.abc import Iterable

from backend.sales.tills.sequence_gaps import Holes
from backend.sales.tills.status import HeardTill, hear
from backend.shops.models import Terminal


def holes_of(terminal_ids: Iterable[int]) -> dict[int, Holes]:
    """Return the open holes of these tills, each [from, to] included; tills without one are left out. Two queries."""
    return holes_of_tills(hear(Terminal.objects.filter(pk__in=list(terminal_ids))))


def holes_of_tills(tills: Iterable[HeardTill]) -> dict[int, Holes]:
    """Return the same from what was heard of these tills.

    A till's last heartbeat that names its counter shows what is missing at the end, where no later sale does: it has
    counted further than has been seen plus what it says it holds. That is told only while nothing of the till waits to
    be begun, for the counters of a batch are read when it is.
    """
    found = {till.terminal.pk: [*till.sequence_holes, *_missing_at_the_end(till)] for till in tills}
    return {terminal_id: holes for terminal_id, holes in found.items() if holes}


def _missing_at_the_end(till: HeardTill) -> Holes:
    # Of the device that holds the till now: one that it replaced has stopped counting.
    last_missing = next((device.counted for device in till.devices if device.is_active), None)
    if last_missing is None or till.was_busy or till.sequence_seen is None:
        # The first counter ever seen makes no hole either: the till may have counted long before it knew us.
        return []
    # What it holds are the last it counted; a hole before them is what is neither here nor there.
    return [[till.sequence_seen + 1, last_missing]] if last_missing > till.sequence_seen else []
