"""Until when a shop's figures are complete: what its open tills said they hold, and which of their sales still wait.

Silence is never read as complete. A till that has not said that it holds nothing gives no time, and is named.
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
    """What a till's last heartbeat, and what had arrived from it, say of the figures."""

    # It said that it holds nothing, and what had arrived by then is posted.
    COMPLETE = "complete"
    # It has never said what it holds.
    SILENT = "silent"
    # It last said that it holds sales.
    HOLDING = "holding"
    # It holds nothing, but some of its sales that had arrived by then still wait to be posted.
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class HeldAmount:
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class TillReport:
    """What one device of a till holds, as far as is known."""

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
    """A shop's watermark: `until` is None unless every open till has given a time. `reports` by the till's name."""

    until: datetime | None
    reports: tuple[TillReport, ...]

    def with_completeness(self, completeness: TillCompleteness) -> tuple[TillReport, ...]:
        return tuple(report for report in self.reports if report.completeness is completeness)

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

    tills: the statuses of all the shop's tills. One query, if any of their sales wait.

    A till is open if it is active and has an active device. Its time is the last moment at which it said that it holds
    nothing, and before which none of its batches that still wait had arrived. A device that was replaced while it held
    sales counts too, until it says otherwise or is disabled: those sales are in nobody's figures. What people recorded
    on the shop's pages holds the time back while it waits.
    """
    tills = list(tills)
    devices = [(till, device) for till in tills if till.is_open for device in till.devices if _counts(device)]
    earlier = _last_nothing_before([device for _, device in devices])
    reports = tuple(_report_of(till, device, earlier.get(device.device_id)) for till, device in devices)
    times = [report.complete_until for report in reports if report.complete_until is not None]
    if not reports or len(times) < len(reports):
        return Watermark(until=None, reports=reports)
    waiting = [till.waiting_since for till in tills if till.terminal.is_office and till.waiting_since]
    return Watermark(until=min([*times, *waiting]), reports=reports)


def _counts(device: DeviceStatus) -> bool:
    return device.is_active or device.held_count > 0


def _is_whole(device: DeviceStatus) -> bool:
    """Tell whether everything that the device had sent before its last heartbeat is posted."""
    if device.unsettled is None:
        return True
    assert device.said_at is not None, "the caller passes devices that have sent a heartbeat"
    return device.unsettled.received_at > device.said_at


def _last_nothing_before(devices: list[DeviceStatus]) -> dict[int, datetime]:
    """Return when a device that has something unsettled last said, before that arrived, that it holds nothing."""
    reporting = [device for device in devices if device.said_at is not None]
    waiting = [device.unsettled.pk for device in reporting if device.unsettled is not None and not _is_whole(device)]
    if not waiting:
        return {}
    # Backwards from each batch: the device may have sent heartbeats for years before it.
    heartbeats = Heartbeat.objects.filter(
        terminal=OuterRef("terminal_id"), device=OuterRef("device_id"), at__lt=OuterRef("received_at"), held_count=0
    )
    last = Subquery(heartbeats.order_by("-at").values("at")[:1])
    return dict(Batch.objects.filter(pk__in=waiting).annotate(last=last).values_list("device_id", "last"))


def _report_of(till: TillStatus, device: DeviceStatus, earlier: datetime | None) -> TillReport:
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
        held_amounts=tuple(HeldAmount(Decimal(held["amount"]), held["currency"]) for held in device.held_amounts),
    )
