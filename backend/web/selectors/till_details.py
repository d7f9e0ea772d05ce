"""The details of a shop's tills: their devices, what they report holding, their gaps and waiting sales."""

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
# The devices that hold the till come first, then those that held it before.
STATE_ORDER = (DeviceState.ACTIVE, DeviceState.REPLACED, DeviceState.DISABLED)


@dataclass(frozen=True)
class TillCard:
    """One till with its details. `reports`: the last report of each open device."""

    till: TillWithDevices
    reports: tuple[TillReport, ...]
    gaps: Gaps
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
    # The till that stands for the shop's web pages, without hardware.
    office: TillCard | None
    # The pauses of the whole shop, not of one till.
    pauses: list[Pause]


@dataclass(frozen=True)
class DeviceView:
    """A device of a till, with what its page needs to know."""

    device: Device
    is_unproven: bool
    holds_till: bool
    has_new_token: bool


def till_cards(*, shop: Shop) -> TillCards:
    """Return the shop's tills by name, the office apart. Nine queries at most, for any number of tills."""
    found = tills(shop=shop)
    ids = [till.terminal.pk for till in found]
    known = completeness(load_till_statuses(Terminal.objects.filter(shop=shop)))
    gaps = {missing.terminal.pk: missing.gaps for missing in known.missing}
    waiting = _waiting_counts(shop)
    to_correct = Counter(open_entries(shop_id=shop.pk).values_list("terminal_id", flat=True))
    stopped = pauses(shop=shop, terminal_ids=ids)
    cards = [
        TillCard(
            till=till,
            reports=tuple(report for report in known.watermark.reports if report.terminal_id == till.terminal.pk),
            gaps=gaps.get(till.terminal.pk, []),
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
    """Return all devices of the till, present and past; the one that holds it now comes first."""
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
    """Return the till's code that can still be used. Its text is not stored."""
    return EnrolmentCode.objects.filter(terminal=terminal, used_at=None, expires_at__gt=now).order_by("-pk").first()


def refused_calls_of(devices: list[DeviceView]) -> list[RefusedCall]:
    """Return the last refused calls of these devices."""
    named = Q(serial__in=[view.device.serial for view in devices])
    return list(RefusedCall.objects.filter(named).order_by("-last_at")[:REFUSED_CALLS_MAX]) if devices else []
