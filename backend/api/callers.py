"""What a request says about its sender: serial and app version."""

from typing import cast

from django.http import HttpRequest
from rest_framework.request import Request

APP_VERSION_LENGTH_MAX = 32


class NamedRequest(HttpRequest):
    """Types a request whose body named its sender. Never instantiated."""

    named_serial: str


def name_caller(request: Request, serial: str) -> None:
    """Record the serial that the body names, for calls without the header: a refusal is recorded under it."""
    cast(NamedRequest, request._request).named_serial = serial


def serial_of(request: HttpRequest) -> str:
    named = getattr(request, "named_serial", None)
    if named is not None:
        return named
    return (request.headers.get("X-Device-Serial") or request.headers.get("Device-Serial") or "").strip()


def app_version_of(request: HttpRequest) -> str:
    version = request.headers.get("X-App-Version", "").strip()[:APP_VERSION_LENGTH_MAX]
    return version if version.isprintable() else ""
