"""Which of a till's own counters never arrived: the holes between those that did, and those missing at the end."""

from collections.abc import Iterable

from django.db.models import OuterRef, Subquery

from backend.sales.models import Batch, Heartbeat, Lane
from backend.sales.sequences import Holes
from backend.shops.models import DeviceState, Terminal


def holes_of(terminal_ids: Iterable[int]) -> dict[int, Holes]:
    """Return the open holes of these tills, each [from, to] included; tills without one are left out. Four queries.

    A till's last heartbeat that names its counter shows what is missing at the end, where no later sale does: it has
    counted further than has been seen plus what it says it holds. That is told only while nothing of the till waits to
    be begun, for the counters of a batch are read when it is. Read in this order: what was accepted before the
    heartbeat is waiting or seen, never in neither.
    """
    words = _last_words(terminal_ids)
    unsettled = Batch.objects.filter(settled_at=None, terminal_id__in=words)
    busy = set(unsettled.values_list("terminal_id", flat=True).distinct())
    found: dict[int, Holes] = {}
    for lane in Lane.objects.filter(pk__in=list(terminal_ids)).only("sequence_seen", "sequence_holes"):
        word = words.get(lane.pk) if lane.pk not in busy else None
        holes = [*lane.sequence_holes, *_missing_at_the_end(lane, word)]
        if holes:
            found[lane.pk] = holes
    return found


def _last_words(terminal_ids: Iterable[int]) -> dict[int, Heartbeat]:
    # Of the device that holds the till now: one that it replaced has stopped counting.
    named = Heartbeat.objects.filter(terminal=OuterRef("pk"), sequence__isnull=False, device__state=DeviceState.ACTIVE)
    tills = Terminal.objects.filter(pk__in=list(terminal_ids))
    newest = tills.values_list(Subquery(named.order_by("-at").values("pk")[:1]), flat=True)
    words = Heartbeat.objects.filter(pk__in=[pk for pk in newest if pk is not None])
    return {word.terminal_id: word for word in words}


def _missing_at_the_end(lane: Lane, word: Heartbeat | None) -> Holes:
    if word is None or lane.sequence_seen is None:
        # The first counter ever seen makes no hole either: the till may have counted long before it knew us.
        return []
    # What it holds are the last it counted; a hole before them is what is neither here nor there.
    last_missing = word.sequence - word.held_count
    return [[lane.sequence_seen + 1, last_missing]] if last_missing > lane.sequence_seen else []
