"""Loads the demo's last days: plays a simulated month through the real intake and posting, at the simulated times."""

import hashlib
import time as monotonic_clock
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import singledispatchmethod
from zoneinfo import ZoneInfo

import msgspec
from django.db import connection

from backend.db import dialect
from backend.demo.baskets import TillName
from backend.demo.goods import UnitName, load_goods
from backend.demo.loader import OPENED_BY, load_silent_till
from backend.demo.story import TILLS, DayEnd, Delivery, Handover, MonthEnd, Opening, Step, make_steps
from backend.inventory.carton_opening import open_units
from backend.inventory.models import ArticleUnit, MovementType, StockMovement
from backend.inventory.stock import move_stock
from backend.sales.days.day_report import WireDay, read_day_report
from backend.sales.days.month_closing import close_month
from backend.sales.days.reconciliation import reconcile
from backend.sales.intake import Caller, receive_batch
from backend.sales.models import Batch, Heartbeat, InvoiceSequence, TillClosing
from backend.sales.posting.runner import post_slice
from backend.sales.tills.heartbeat import WireHeartbeat, WireHeld, read_heartbeat, record_heartbeat
from backend.shops.models import Device, Shop

DAYS_MAX = 40
KEY_PREFIX = "demo-"
APP_VERSION = "2.3.1"
# The simulated time between two outcomes.
TICK = timedelta(milliseconds=40)
POSTED_S_MAX = 60


class NotPosted(Exception):
    """A batch of the demo was not posted: posting is paused, or another process keeps the till's lane."""


def load_days(*, shop: Shop, days: int, now: datetime | None = None) -> int:
    """Simulate the shop's last `days` days, up to DAYS_MAX, and return how many documents its tills handed over.

    The shop has the tills of `load_demo`. If the days are loaded already, nothing changes and 0 is returned; an
    interrupted load is completed, unless this code makes other steps by now. No till may read changes meanwhile:
    outcomes are stamped with simulated times. Raises NotPosted.
    """
    begun = _begun(shop)
    until = begun[0] if begun else (now or datetime.now(UTC)).astimezone(ZoneInfo(shop.timezone)).replace(microsecond=0)
    days = begun[1] if begun else days
    steps = make_steps(until=until, days=days)
    keys = _Keys(until=until, days=days, steps=steps)
    if begun and (begun[2] != keys.digest or keys.are_used_up(shop)):
        return 0
    load_goods(shop)
    load_silent_till(shop)
    player = _Player(shop, keys)
    # No till holds a receipt of these batches, and lost steps are played again. It halves the time, from 20.5 to 9.9 s
    # on two cores and a busy disk.
    with dialect.relaxed_commits(connection):
        # Movements are never stamped before their unit's last change, and these days are in the past.
        untouched = ArticleUnit.objects.filter(shop=shop, movements=None)
        untouched.update(changed_at=min(step.at for step in steps))
        for step in steps:
            player.carry_out(step)
    player.stamp_devices(steps)
    return player.handed_over


class _Keys:
    """The idempotency keys of the batches. They contain the end, the days and a digest of the simulated month, so that
    an interrupted load can be completed."""

    def __init__(self, *, until: datetime, days: int, steps: Iterable[Step]) -> None:
        bodies = [step.body for step in steps if isinstance(step, Handover)]
        self.digest = hashlib.sha256(b"".join(bodies)).hexdigest()[:12]
        self.count = len(bodies)
        self._stem = f"{KEY_PREFIX}{int(until.timestamp())}-{days}-{self.digest}"

    def key(self, index: int) -> str:
        return f"{self._stem}-{index}"

    def are_used_up(self, shop: Shop) -> bool:
        """Return whether the last batch is settled."""
        last = Batch.objects.filter(shop=shop, idempotency_key=self.key(self.count - 1))
        return last.exclude(settled_at=None).exists()


def _begun(shop: Shop) -> tuple[datetime, int, str] | None:
    """Return the end, the days and the digest of the load that was begun in this shop, None if none was."""
    first = Batch.objects.filter(shop=shop, idempotency_key__startswith=KEY_PREFIX).order_by("pk").first()
    if first is None or first.idempotency_key is None:
        return None
    until, days, digest, _ = first.idempotency_key.removeprefix(KEY_PREFIX).split("-")
    return datetime.fromtimestamp(int(until), ZoneInfo(shop.timezone)), int(days), digest


class _Player:
    """Carries out each step once: what exists already under its time or its key is left as it is."""

    def __init__(self, shop: Shop, keys: _Keys) -> None:
        self.shop = shop
        self.keys = keys
        self.handed_over = 0
        self._batches = 0
        devices = Device.objects.select_related("terminal__shop").filter(serial__in=[till.serial for till in TILLS])
        self._devices = {device.serial: device for device in devices}
        self._units = {unit.uuid: unit for unit in ArticleUnit.objects.filter(shop=shop).select_related("article")}

    def device(self, till: TillName) -> Device:
        return self._devices[till.serial]

    def unit(self, name: UnitName) -> ArticleUnit:
        return self._units[name.uuid]

    @singledispatchmethod
    def carry_out(self, step: Step) -> None:
        raise NotImplementedError(type(step).__name__)

    @carry_out.register
    def _(self, step: Delivery) -> None:
        unit = self.unit(step.unit)
        if not StockMovement.objects.filter(unit=unit, at=step.at).exists():
            move_stock(
                unit=unit,
                quantity=step.quantity,
                movement_type=MovementType.ENTRY,
                author=OPENED_BY,
                comment=step.comment,
                reference=step.reference,
                at=step.at,
            )

    @carry_out.register
    def _(self, step: Opening) -> None:
        unit = self.unit(step.unit)
        if not StockMovement.objects.filter(unit=unit, at=step.at).exists():
            open_units(unit=unit, count=step.count, author=OPENED_BY, at=step.at)

    @carry_out.register
    def _(self, step: Handover) -> None:
        device = self.device(step.till)
        caller = Caller(device, app_version=APP_VERSION)
        accepted = receive_batch(caller=caller, body=step.body, key=self.keys.key(self._batches), now=step.at)
        self._batches += 1
        clock = _clock(step.at)
        self._post(accepted.batch, clock)
        heartbeat_at = next(clock)
        if not Heartbeat.objects.filter(terminal=device.terminal_id, at__gte=step.at).exists():
            wire = WireHeartbeat(heure=heartbeat_at.isoformat(), a_envoyer=WireHeld(nombre=0))
            record_heartbeat(device=device, heartbeat=read_heartbeat(wire, shop=self.shop), now=heartbeat_at)
        self.handed_over += 0 if accepted.is_replay else accepted.batch.sale_count

    @carry_out.register
    def _(self, step: DayEnd) -> None:
        device = self.device(step.till)
        if TillClosing.objects.filter(terminal=device.terminal_id, at=step.at).exists():
            return
        report = read_day_report(msgspec.convert(step.report, WireDay, strict=False), shop=self.shop)
        reconcile(terminal=device.terminal, device=device, report=report, said=step.report, now=step.at)

    @carry_out.register
    def _(self, step: MonthEnd) -> None:
        closed = InvoiceSequence.objects.filter(shop=self.shop, year=step.year, month=step.month)
        if not closed.exclude(closed_at=None).exists():
            close_month(shop=self.shop, year=step.year, month=step.month, author=OPENED_BY, now=step.at)

    def stamp_devices(self, steps: list[Step]) -> None:
        """Set when each device was last seen, as its calls would have."""
        for till in TILLS:
            called_at = [step.at for step in steps if isinstance(step, Handover) and step.till is till]
            if not called_at:  # in a day or two, not every till hands over
                continue
            last = max(called_at)
            Device.objects.filter(serial=till.serial, last_seen_at=None).update(
                last_seen_at=last, app_version=APP_VERSION
            )

    def _post(self, batch: Batch, clock: Iterator[datetime]) -> None:
        deadline = monotonic_clock.monotonic() + POSTED_S_MAX
        while batch.settled_at is None:
            if monotonic_clock.monotonic() > deadline:
                raise NotPosted(batch.receipt)
            report = post_slice(batch.terminal_id, slice_s=POSTED_S_MAX, clock=lambda: next(clock), breath_s=0)
            if not report.posted:
                monotonic_clock.sleep(0.05)
            batch.refresh_from_db(fields=["settled_at"])


def _clock(at: datetime) -> Iterator[datetime]:
    """Yield times after `at`, each TICK later than the one before."""
    while True:
        at += TICK
        yield at
