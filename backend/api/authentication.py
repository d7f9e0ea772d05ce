"""Authentication of devices: the serial names the device, the token proves it."""

import contextlib
from datetime import UTC, datetime, timedelta

from django.db import Error
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from backend.api.callers import app_version_of, serial_of
from backend.api.problems import Problem
from backend.observability.request_context import address_of
from backend.observability.request_log import note
from backend.shops.devices import SERIAL_LENGTH_MAX, accepts_token
from backend.shops.models import AuthMode, Device, DeviceState, TerminalState

# A busy till polls every second; its row is written once a minute.
SEEN_EVERY = timedelta(minutes=1)


class DeviceAuthentication(BaseAuthentication):
    """Sets `request.user` to the Device, with its terminal and shop. Raises a Problem for any other caller.

    `request.auth` is the token that proved it, or None for a device that may call with its serial alone.
    """

    def authenticate(self, request: Request) -> tuple[Device, str | None]:
        serial = serial_of(request)
        if not serial:
            raise Problem("header_manquant")
        device = self._find(serial)
        if device is None:
            raise Problem("terminal_inconnu")
        proof = self._check_token(request, device)
        if device.state == DeviceState.DISABLED or device.terminal.state == TerminalState.DISABLED:
            raise Problem("terminal_desactive")
        if device.terminal.shop is None:
            raise Problem("terminal_sans_boutique")
        note(request._request, terminal=device.terminal_id, shop=device.terminal.shop_id)
        note_seen(request, device)
        return device, proof

    def _find(self, serial: str) -> Device | None:
        if len(serial) > SERIAL_LENGTH_MAX or not serial.isprintable():
            return None
        try:
            return Device.objects.select_related("terminal__shop").get(serial=serial)
        except Device.DoesNotExist:
            return None

    def _check_token(self, request: Request, device: Device) -> str | None:
        token = token_of(request)
        if token and (device.token_hash or device.next_token_hash):
            if not accepts_token(device, token):
                raise Problem("jeton_invalide")
            return token
        if device.auth_mode == AuthMode.TOKEN:
            raise Problem("jeton_invalide" if token else "jeton_manquant")
        return None


def device_of(request: Request) -> Device:
    """Return the device that calls, in a view that only devices reach."""
    assert isinstance(request.user, Device)
    return request.user


class IsDevice(BasePermission):
    def has_permission(self, request: Request, view: object) -> bool:
        return isinstance(request.user, Device)


class HasProvenItself(BasePermission):
    """Requires a token: a serial is no secret."""

    def has_permission(self, request: Request, view: object) -> bool:
        if request.auth is None:
            raise Problem("jeton_invalide" if token_of(request) else "jeton_manquant")
        return True


def token_of(request: Request) -> str:
    """Return the bearer token, or an empty string."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def note_seen(request: Request, device: Device) -> None:
    """Record when and from where the device last called, at most once a minute. A failure does not fail the call."""
    now = datetime.now(UTC)
    version = app_version_of(request) or device.app_version
    is_fresh = device.last_seen_at is not None and now - device.last_seen_at < SEEN_EVERY
    if is_fresh and version == device.app_version:
        return
    with contextlib.suppress(Error):
        Device.objects.filter(pk=device.pk).update(last_seen_at=now, last_ip=address_of(request), app_version=version)
