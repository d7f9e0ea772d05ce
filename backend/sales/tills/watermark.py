"""Until when a shop's figures are complete: what its open tills said they hold, against what of them is not posted.

Silence never reads as complete. A till that has not said that it holds nothing gives no time, and is named.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum

from django.db.models import OuterRef, Subquery

from backend.sales.models import Batch, Heartbeat
from backend.sales.tills.status import DeviceStatus, TillStatus


class TillCompleteness(Enum):
    """What a till's last word, with what arrived of it, says of the figures."""

    # It said that it holds nothing, and what had arrived by then is posted.
    COMPLETE = "complete"
    # It has never said what it holds.
    SILENT = "silent"
    # Its last word was that it holds sales.
    HOLDING = "holding"
    # It holds nothing, but sales of it that had arrived by then still wait to be posted.
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class HeldAmount:
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class TillReport:
    """What is known of what one device of a till holds."""

    terminal_id: int
    terminal_name: str
    completeness: TillCompleteness
    # Another device holds the till now, but this one left with sales.
    is_of_replaced_device: bool
    complete_until: datetime | None
    said_at: datetime | None
    # When the till's last batch arrived.
    last_sent_at: datetime | None
    held_count: int
    held_amounts: tuple[HeldAmount, ...]


@dataclass(frozen=True, slots=True)
class Watermark:
    """A shop's: `until` is None unless every open till has given a time. `words` by the till's name."""

    until: datetime | None
    words: tuple[TillReport, ...]

    def with_completeness(self, completeness: TillCompleteness) -> tuple[TillReport, ...]:
        return tuple(word for word in self.words if word.completeness is completeness)

    @property
    def silent(self) -> tuple[TillReport, ...]:
        return self.with_completeness(TillCompleteness.SILENT)

    @property
    def holding(self) -> tuple[TillReport, ...]:
        return self.with_completeness(TillCompleteness.HOLDING)

    @property
    def waiting(self) -> tuple[TillReport, ...]:
        return self.with_completeness(TillCompleteness.WAITING)


def watermark_of_tills(tills: Iterable[TillStatus]) -> Watermark:
    """Return until when a shop's figures are complete: the earliest time that its open tills give.

    tills: what was heard of all of them. One query, if something of them is unsettled.

    A till is open if it is active and has an active device. Its time is the last moment at which it said that it holds
    nothing, and nothing of it that had arrived before that moment is unsettled. A device that was replaced while it
    held sales counts too, until it says otherwise or is disabled: those sales are in nobody's figures. What people
    recorded on the shop's pages holds the time back while it waits.
    """
    tills = list(tills)
    devices = [(till, device) for till in tills if till.is_open for device in till.devices if _counts(device)]
    earlier = _last_nothing_before([device for _, device in devices])
    words = tuple(_word_of(till, device, earlier.get(device.device_id)) for till, device in devices)
    times = [word.complete_until for word in words if word.complete_until is not None]
    if not words or len(times) < len(words):
        return Watermark(until=None, words=words)
    waiting = [till.waiting_since for till in tills if till.terminal.is_office and till.waiting_since]
    return Watermark(until=min([*times, *waiting]), words=words)


def _counts(device: DeviceStatus) -> bool:
    return device.is_active or device.held_count > 0


def _is_whole(device: DeviceStatus) -> bool:
    """Tell whether what the device had sent when it last spoke is posted."""
    if device.unsettled is None:
        return True
    assert device.said_at is not None, "asked of devices that have spoken"
    return device.unsettled.received_at > device.said_at


def _last_nothing_before(devices: list[DeviceStatus]) -> dict[int, datetime]:
    """Return when a device that has something unsettled last said, before that arrived, that it holds nothing."""
    spoken = [device for device in devices if device.said_at is not None]
    waiting = [device.unsettled.pk for device in spoken if device.unsettled is not None and not _is_whole(device)]
    if not waiting:
        return {}
    # Backwards from each batch: the device's words before it may be years of words.
    words = Heartbeat.objects.filter(
        terminal=OuterRef("terminal_id"), device=OuterRef("device_id"), at__lt=OuterRef("received_at"), held_count=0
    )
    last = Subquery(words.order_by("-at").values("at")[:1])
    return dict(Batch.objects.filter(pk__in=waiting).annotate(last=last).values_list("device_id", "last"))


def _word_of(till: TillStatus, device: DeviceStatus, earlier: datetime | None) -> TillReport:
    complete_until = None
    if device.said_at is None:
        completeness = TillCompleteness.SILENT
    elif device.held_count:
        completeness = TillCompleteness.HOLDING
    else:
        complete_until = device.said_at if _is_whole(device) else earlier
        completeness = TillCompleteness.COMPLETE if complete_until else TillCompleteness.WAITING
    return TillReport(
        terminal_id=till.terminal.pk,
        terminal_name=till.terminal.name,
        completeness=completeness,
        is_of_replaced_device=not device.is_active,
        complete_until=complete_until,
        said_at=device.said_at,
        last_sent_at=till.last_batch.received_at if till.last_batch else None,
        held_count=device.held_count,
        held_amounts=tuple(HeldAmount(Decimal(one["amount"]), one["currency"]) for one in device.held_amounts),
    )
