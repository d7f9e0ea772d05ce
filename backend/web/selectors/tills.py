"""A shop's tills: what each sent last, when it was last heard, and what of them is known to be missing."""

import datetime
from dataclasses import dataclass

from django.db.models import OuterRef, Prefetch, Subquery
from django.utils import timezone

from backend.sales.models import Batch
from backend.sales.tills.sequence_gaps import gaps_of_tills
from backend.sales.tills.status import Gaps, TillStatus
from backend.sales.tills.watermark import TillCompleteness, TillReport, Watermark, watermark_of_tills
from backend.shops.models import AuthMode, Device, DeviceState, Shop, Terminal

# A till speaks after each sending, every evening at least.
QUIET_AFTER = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Till:
    terminal: Terminal
    last_batch: Batch | None
    last_seen_at: datetime.datetime | None
    # A device that names itself by its serial alone: anybody who knows the serial can send in its name.
    has_unproven_device: bool


@dataclass(frozen=True)
class TillWithDevices(Till):
    # Those that hold it now.
    devices: list[Device]


@dataclass(frozen=True)
class TillHoles:
    """The till's own counters that never arrived: [[from, to], …], both included."""

    terminal: Terminal
    holes: Gaps


@dataclass(frozen=True)
class Completeness:
    """Until when the shop's figures are complete, and what is missing from them for all we know."""

    watermark: Watermark
    missing: list[TillHoles]
    # Said once that they hold nothing, and nothing for too long since: what they sell now nobody knows.
    quiet: list[TillReport]


def completeness(heard: list[TillStatus]) -> Completeness:
    """Return what is known to be missing of a shop's tills, all of which are given. One query at most."""
    holes = gaps_of_tills(heard)
    missing = [TillHoles(till.terminal, holes[till.terminal.pk]) for till in heard if till.terminal.pk in holes]
    watermark = watermark_of_tills(heard)
    long_ago = timezone.now() - QUIET_AFTER
    quiet = [
        word
        for word in watermark.with_completeness(TillCompleteness.COMPLETE)
        if word.said_at and word.said_at < long_ago
    ]
    return Completeness(watermark=watermark, missing=missing, quiet=quiet)


def till_of(heard: TillStatus) -> Till:
    """Return of a till what its card says, the devices that hold it no more left out."""
    active = [device for device in heard.devices if device.is_active]
    return Till(
        terminal=heard.terminal,
        last_batch=heard.last_batch,
        last_seen_at=max((device.last_seen_at for device in active if device.last_seen_at), default=None),
        has_unproven_device=any(device.is_unproven for device in active),
    )


def tills(*, shop: Shop) -> list[TillWithDevices]:
    """Return the shop's tills by name. Three queries, whatever the count."""
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
