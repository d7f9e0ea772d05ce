"""Refused calls by serial: the first place to look when "the till says it sent"."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.shops.models import Device, RefusedCall

SHOWN_MAX = 50


@dataclass(frozen=True)
class CallRow:
    refused_call: RefusedCall
    # None: no device has that serial.
    device: Device | None


@dataclass(frozen=True)
class Calls:
    refused: Sequence[CallRow]
    # The devices whose serial begins with what was typed, refused or not.
    devices: Sequence[Device]


def find_calls(*, serial: str = "") -> Calls:
    """Return the last refused calls, of serials that begin with `serial` if given; newest first."""
    refused_calls = RefusedCall.objects.order_by("-last_at")
    asked: list[Device] = []
    if serial:
        refused_calls = refused_calls.filter(serial__startswith=serial)
        asked = list(_devices().filter(serial__startswith=serial).order_by("serial")[:SHOWN_MAX])
    shown = list(refused_calls[:SHOWN_MAX])
    known = {
        device.serial: device
        for device in _devices().filter(serial__in={refused_call.serial for refused_call in shown})
    }
    return Calls([CallRow(refused_call, known.get(refused_call.serial)) for refused_call in shown], asked)


def _devices():
    return Device.objects.select_related("terminal__shop").defer("token_hash", "next_token_hash")
