"""Until when a shop's figures are complete: what its open tills said they hold, against what of them is not posted.

Silence never reads as complete. A till that has not said that it holds nothing gives no time, and is named.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum

from django.db.models import Max, Min, OuterRef, Q, Subquery

from backend.sales.models import Batch, Heartbeat
from backend.shops.models import Device, DeviceState, Shop, TerminalState


class Standing(Enum):
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
class TillWord:
    """What is known of what one device of a till holds."""

    terminal_id: int
    terminal_name: str
    standing: Standing
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
    words: tuple[TillWord, ...]

    def of_standing(self, standing: Standing) -> tuple[TillWord, ...]:
        return tuple(word for word in self.words if word.standing is standing)

    @property
    def silent(self) -> tuple[TillWord, ...]:
        return self.of_standing(Standing.SILENT)

    @property
    def holding(self) -> tuple[TillWord, ...]:
        return self.of_standing(Standing.HOLDING)

    @property
    def waiting(self) -> tuple[TillWord, ...]:
        return self.of_standing(Standing.WAITING)


def watermark_of(shop: Shop) -> Watermark:
    """Return until when the shop's figures are complete: the earliest time that its open tills give.

    A till is open if it is active and has an active device. Its time is the last moment at which it said that it holds
    nothing, and nothing of it that had arrived before that moment is unsettled. A device that was replaced while it
    held sales counts too, until it says otherwise or is disabled: those sales are in nobody's figures.
    Words are read before batches: a sale that was handed over before a word is then found unsettled, or is posted.
    Six queries, whatever the count.
    """
    devices = _devices_of(shop)
    newest = Heartbeat.objects.in_bulk([device.last_word_id for device in devices if device.last_word_id])
    words = {device.pk: newest.get(device.last_word_id) for device in devices}
    unsettled = _oldest_unsettled(devices)
    earlier = _last_nothing_before(devices, unsettled)
    sent = _last_sent(devices)
    said = [
        _word_of(device, words[device.pk], unsettled.get(device.pk), earlier.get(device.pk), sent)
        for device in devices
        if _counts(device, words[device.pk])
    ]
    times = [word.complete_until for word in said]
    return Watermark(until=min(times) if times and None not in times else None, words=tuple(said))


def _devices_of(shop: Shop) -> list[Device]:
    """Return the devices of the shop's open tills, each with the id of its newest word, in the order of their names."""
    is_open = Q(terminal__shop=shop, terminal__state=TerminalState.ACTIVE)
    has_device = Device.objects.filter(is_open, state=DeviceState.ACTIVE).values("terminal_id")
    words = Heartbeat.objects.filter(terminal=OuterRef("terminal_id"), device=OuterRef("pk")).order_by("-at")
    devices = Device.objects.filter(
        is_open, state__in=(DeviceState.ACTIVE, DeviceState.REPLACED), terminal_id__in=has_device
    )
    devices = devices.annotate(last_word_id=Subquery(words.values("pk")[:1])).select_related("terminal")
    return list(devices.order_by("terminal__name", "terminal_id", "pk"))


def _counts(device: Device, word: Heartbeat | None) -> bool:
    return device.state == DeviceState.ACTIVE or (word is not None and word.held_count > 0)


def _oldest_unsettled(devices: list[Device]) -> dict[int, datetime]:
    tills = {device.terminal_id for device in devices}
    rows = Batch.objects.filter(settled_at=None, terminal_id__in=tills).values_list("device_id")
    return dict(rows.annotate(Min("received_at")).order_by())


def _last_nothing_before(devices: list[Device], unsettled: dict[int, datetime]) -> dict[int, datetime]:
    """Return when a device that has something unsettled last said, before that arrived, that it holds nothing."""
    before = Q()
    for device in devices:
        if device.pk in unsettled:
            before |= Q(terminal_id=device.terminal_id, device_id=device.pk, at__lt=unsettled[device.pk])
    if not before:
        return {}
    rows = Heartbeat.objects.filter(before, held_count=0).values_list("device_id")
    return dict(rows.annotate(Max("at")).order_by())


def _last_sent(devices: list[Device]) -> dict[int, datetime]:
    tills = {device.terminal_id for device in devices}
    # By the highest id, which the index holds: the rows themselves are not read.
    rows = Batch.objects.filter(terminal_id__in=tills).values_list("terminal_id").annotate(Max("pk")).order_by()
    newest = Batch.objects.filter(pk__in=[pk for _, pk in rows])
    return dict(newest.values_list("terminal_id", "received_at"))


def _word_of(
    device: Device,
    word: Heartbeat | None,
    unsettled_since: datetime | None,
    earlier: datetime | None,
    sent: dict[int, datetime],
) -> TillWord:
    complete_until = None
    if word is None:
        standing = Standing.SILENT
    elif word.held_count:
        standing = Standing.HOLDING
    else:
        is_whole = unsettled_since is None or unsettled_since > word.at
        complete_until = word.at if is_whole else earlier
        standing = Standing.COMPLETE if complete_until else Standing.WAITING
    return TillWord(
        terminal_id=device.terminal_id,
        terminal_name=device.terminal.name,
        standing=standing,
        is_of_replaced_device=device.state == DeviceState.REPLACED,
        complete_until=complete_until,
        said_at=word.at if word else None,
        last_sent_at=sent.get(device.terminal_id),
        held_count=word.held_count if word else 0,
        held_amounts=tuple(HeldAmount(Decimal(one["amount"]), one["currency"]) for one in word.held_amounts)
        if word
        else (),
    )
