"""What a request says of who sends it: serial, address, version."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

APP_VERSION_LENGTH_MAX = 32


def name_caller(request: Request, serial: str) -> None:
    """Note that `serial` calls, where the body says so and no header does: a refusal is kept under that name."""
    request._request.named_serial = serial


def serial_of(request: HttpRequest) -> str:
    named = getattr(request, "named_serial", None)
    if named is not None:
        return named
    return (request.headers.get("X-Device-Serial") or request.headers.get("Device-Serial") or "").strip()


def app_version_of(request: HttpRequest) -> str:
    version = request.headers.get("X-App-Version", "").strip()[:APP_VERSION_LENGTH_MAX]
    return version if version.isprintable() else ""


def address_of(request: HttpRequest) -> str | None:
    """Return the caller's address: the peer's, or what our own proxies say it was. Never more than they add."""
    address = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        if len(hops) >= settings.TRUSTED_PROXIES:
            address = hops[-settings.TRUSTED_PROXIES]
    try:
        # Without the zone of a link-local address: it names an interface of ours, and no column has room for it.
        return str(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return None
