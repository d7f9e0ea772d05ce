"""A shop's tills: what each sent last, and when it was last heard."""

import datetime
from dataclasses import dataclass

from django.db.models import OuterRef, Prefetch, Subquery

from backend.sales.models import Batch
from backend.shops.models import AuthMode, Device, DeviceState, Shop, Terminal


@dataclass(frozen=True)
class Till:
    terminal: Terminal
    last_batch: Batch | None
    last_seen_at: datetime.datetime | None
    # A device that names itself by its serial alone: anybody who knows the serial can send in its name.
    has_unproven_device: bool


def tills(*, shop: Shop) -> list[Till]:
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
        Till(
            terminal=terminal,
            last_batch=batches.get(terminal.last_batch_id),
            last_seen_at=max((d.last_seen_at for d in terminal.active_devices if d.last_seen_at), default=None),
            has_unproven_device=any(d.auth_mode == AuthMode.SERIAL for d in terminal.active_devices),
        )
        for terminal in terminals
    ]
