"""All that is known of a shop's tills: who holds them, what they say they still hold, what of them waits."""

import datetime
from collections import Counter
from dataclasses import dataclass

from django.db.models import F, Q, Sum

from backend.sales.models import Batch, Pause
from backend.sales.repair.open_entries import open_entries
from backend.sales.tills.status import Gaps, load_till_statuses
from backend.sales.tills.watermark import TillReport
from backend.shops.models import AuthMode, Device, DeviceState, EnrolmentCode, RefusedCall, Shop, Terminal
from backend.web.selectors.dashboard import pauses
from backend.web.selectors.tills import TillWithDevices, completeness, tills

REFUSED_CALLS_MAX = 10
# What a device holds first, then what held it before.
STATE_ORDER = (DeviceState.ACTIVE, DeviceState.REPLACED, DeviceState.DISABLED)


@dataclass(frozen=True)
class TillCard:
    """One till with what is known of it. `words` are its open devices' last, one each."""

    till: TillWithDevices
    words: tuple[TillReport, ...]
    holes: Gaps
    waiting_count: int
    to_correct_count: int
    pauses: list[Pause]

    @property
    def terminal(self) -> Terminal:
        return self.till.terminal

    @property
    def devices(self) -> list[Device]:
        return self.till.devices


@dataclass(frozen=True)
class TillCards:
    tills: list[TillCard]
    # What people record on the shop's pages is posted as a till's: it stands among them, without hardware.
    office: TillCard | None
    # What stops the whole shop, not one till of it.
    pauses: list[Pause]


@dataclass(frozen=True)
class DeviceView:
    """A device of a till, with whether it may be given a new code or token."""

    device: Device
    is_unproven: bool
    holds_till: bool
    has_new_token: bool


def till_cards(*, shop: Shop) -> TillCards:
    """Return the shop's tills by name, the office apart. Nine queries at most, whatever the count."""
    found = tills(shop=shop)
    ids = [till.terminal.pk for till in found]
    known = completeness(load_till_statuses(Terminal.objects.filter(shop=shop)))
    holes = {one.terminal.pk: one.holes for one in known.missing}
    waiting = _waiting_counts(shop)
    to_correct = Counter(open_entries(shop_id=shop.pk).values_list("terminal_id", flat=True))
    stopped = pauses(shop=shop, terminal_ids=ids)
    cards = [
        TillCard(
            till=till,
            words=tuple(word for word in known.watermark.reports if word.terminal_id == till.terminal.pk),
            holes=holes.get(till.terminal.pk, []),
            waiting_count=waiting.get(till.terminal.pk, 0),
            to_correct_count=to_correct[till.terminal.pk],
            pauses=[pause for pause in stopped if pause.terminal_id == till.terminal.pk],
        )
        for till in found
    ]
    return TillCards(
        tills=[card for card in cards if not card.terminal.is_office],
        office=next((card for card in cards if card.terminal.is_office), None),
        pauses=[pause for pause in stopped if pause.terminal_id is None],
    )


def _waiting_counts(shop: Shop) -> dict[int, int]:
    unsettled = Batch.objects.filter(shop=shop, settled_at=None).values_list("terminal_id")
    return dict(unsettled.annotate(count=Sum(F("sale_count") - F("next_position") + 1)).order_by())


def till_of_shops(*, terminal_id: int, shop_ids: list[int]) -> Terminal | None:
    return Terminal.objects.filter(pk=terminal_id, shop_id__in=shop_ids).select_related("shop").first()


def device_of_till(*, terminal: Terminal, device_id: int) -> Device | None:
    return Device.objects.filter(pk=device_id, terminal=terminal).select_related("terminal").first()


def devices_of_till(terminal: Terminal) -> list[DeviceView]:
    """Return all devices that ever held the till and are still known as its own: who holds it now comes first."""
    devices = sorted(
        Device.objects.filter(terminal=terminal), key=lambda device: (STATE_ORDER.index(device.state), -device.pk)
    )
    return [
        DeviceView(
            device=device,
            is_unproven=device.auth_mode == AuthMode.SERIAL and device.state != DeviceState.DISABLED,
            holds_till=device.state == DeviceState.ACTIVE,
            has_new_token=bool(device.next_token_hash),
        )
        for device in devices
    ]


def waiting_code(terminal: Terminal, *, now: datetime.datetime) -> EnrolmentCode | None:
    """Return the code that was made for the till and can still be used. What it says is kept nowhere."""
    return EnrolmentCode.objects.filter(terminal=terminal, used_at=None, expires_at__gt=now).order_by("-pk").first()


def refused_calls_of(devices: list[DeviceView]) -> list[RefusedCall]:
    """Return the last refused calls of the devices: what to look at when the till says that it sent."""
    named = Q(serial__in=[view.device.serial for view in devices])
    return list(RefusedCall.objects.filter(named).order_by("-last_at")[:REFUSED_CALLS_MAX]) if devices else []
