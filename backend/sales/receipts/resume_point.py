"""The resume point of a till: where a device that replaces another one goes on."""

from dataclasses import dataclass

from backend.sales.models import Batch, Heartbeat, Lane, Sale
from backend.sales.receipts.receipt import sales_of
from backend.sales.wire.split import peek


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """The till's own counter and number to go on from. None: the till never sent one."""

    sequence: int | None
    last_number: str | None


def resume_point_of(terminal_id: int) -> ResumePoint:
    """Return the highest counter known of a till, and the number of its last document.

    Waiting sales count too: a new device must not give their numbers again. Of sales that the old device never sent,
    only its last heartbeat's counter is known.
    """
    waiting = [peek(raw) for raw in _waiting_sales(terminal_id)]
    heartbeats = Heartbeat.objects.filter(terminal_id=terminal_id).order_by("-at", "-pk")
    counters = [
        Lane.objects.filter(pk=terminal_id).values_list("sequence_seen", flat=True).first(),
        heartbeats.values_list("sequence", flat=True).first(),
        *(counter for _, counter in waiting),
    ]
    return ResumePoint(
        sequence=max((counter for counter in counters if counter is not None), default=None),
        last_number=_last_new_number(terminal_id, [number for number, _ in waiting if number])
        or Sale.objects.filter(terminal_id=terminal_id).order_by("-pk").values_list("number", flat=True).first(),
    )


def _waiting_sales(terminal_id: int) -> list[bytes]:
    """Return the bytes of the sales that are not posted yet, in the order of their posting."""
    found = []
    for batch in Batch.objects.filter(settled_at=None, terminal_id=terminal_id).order_by("pk"):
        found += sales_of(batch.pk)[batch.next_position - 1 :]
    return found


def _last_new_number(terminal_id: int, numbers: list[str]) -> str | None:
    """Return the last of these numbers that has no document yet: a till may also resend older sales."""
    known = set(Sale.objects.filter(terminal_id=terminal_id, number__in=numbers).values_list("number", flat=True))
    return next((number for number in reversed(numbers) if number not in known), None)
