"""A shop's tills: the last batch and the last call of each, and what is known to be missing."""

import datetime
from dataclasses import dataclass

from django.db.models import OuterRef, Prefetch, Subquery
from django.utils import timezone

from backend.sales.models import Batch
from backend.sales.tills.sequence_gaps import gaps_of_tills
from backend.sales.tills.status import Gaps, TillStatus
from backend.sales.tills.watermark import TillCompleteness, TillReport, Watermark, watermark_of_tills
from backend.shops.models import AuthMode, Device, DeviceState, Shop, Terminal

# A till sends a heartbeat after each batch, and at least every evening.
QUIET_AFTER = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Till:
    terminal: Terminal
    last_batch: Batch | None
    last_seen_at: datetime.datetime | None
    # A device without a token: anyone who knows its serial can send in its name.
    has_unproven_device: bool


@dataclass(frozen=True)
class TillWithDevices(Till):
    # The devices that hold it now.
    devices: list[Device]


@dataclass(frozen=True)
class TillGaps:
    """The till's sequence numbers that never arrived: [[from, to], …], both included."""

    terminal: Terminal
    gaps: Gaps


@dataclass(frozen=True)
class Completeness:
    """Until when the shop's figures are complete, and what is known to be missing from them."""

    watermark: Watermark
    missing: list[TillGaps]
    # They last reported that they hold nothing, too long ago: what they sold since is unknown.
    quiet: list[TillReport]


def completeness(statuses: list[TillStatus]) -> Completeness:
    """Return what is known to be missing from a shop's figures. statuses: of all its tills. One query at most."""
    gaps = gaps_of_tills(statuses)
    missing = [TillGaps(till.terminal, gaps[till.terminal.pk]) for till in statuses if till.terminal.pk in gaps]
    watermark = watermark_of_tills(statuses)
    long_ago = timezone.now() - QUIET_AFTER
    quiet = [
        report
        for report in watermark.with_completeness(TillCompleteness.COMPLETE)
        if report.said_at and report.said_at < long_ago
    ]
    return Completeness(watermark=watermark, missing=missing, quiet=quiet)


def till_of(status: TillStatus) -> Till:
    """Return what a till's card shows, from its active devices only."""
    active = [device for device in status.devices if device.is_active]
    return Till(
        terminal=status.terminal,
        last_batch=status.last_batch,
        last_seen_at=max((device.last_seen_at for device in active if device.last_seen_at), default=None),
        has_unproven_device=any(device.is_unproven for device in active),
    )


def tills(*, shop: Shop) -> list[TillWithDevices]:
    """Return the shop's tills by name. Three queries, for any number of tills."""
    newest = Batch.objects.filter(terminal=OuterRef("pk"), shop=shop).order_by("-pk").values("pk")[:1]
    active = Device.objects.filter(state=DeviceState.ACTIVE)
    terminals = list(
        Terminal.objects.filter(shop=shop)
        .annotate(last_batch_id=Subquery(newest))
        .prefetch_related(Prefetch("devices", queryset=active, to_attr="active_devices"))
        .order_by("name", "pk")
    )
    batches = Batch.objects.in_bulk([t.last_batch_id for t in terminals if t.last_batch_id])
    return [
        TillWithDevices(
            terminal=terminal,
            devices=terminal.active_devices,
            last_batch=batches.get(terminal.last_batch_id),
            last_seen_at=max((d.last_seen_at for d in terminal.active_devices if d.last_seen_at), default=None),
            has_unproven_device=any(d.auth_mode == AuthMode.SERIAL for d in terminal.active_devices),
        )
        for terminal in terminals
    ]
