"""What a request says of who sends it: serial, address, version."""

from typing import cast

from django.http import HttpRequest
from rest_framework.request import Request

APP_VERSION_LENGTH_MAX = 32


class NamedRequest(HttpRequest):
    """A request whose body said who sends it. Never made as such."""

    named_serial: str


def name_caller(request: Request, serial: str) -> None:
    """Note that `serial` calls, where the body says so and no header does: a refusal is kept under that name."""
    cast(NamedRequest, request._request).named_serial = serial


def serial_of(request: HttpRequest) -> str:
    named = getattr(request, "named_serial", None)
    if named is not None:
        return named
    return (request.headers.get("X-Device-Serial") or request.headers.get("Device-Serial") or "").strip()


def app_version_of(request: HttpRequest) -> str:
    version = request.headers.get("X-App-Version", "").strip()[:APP_VERSION_LENGTH_MAX]
    return version if version.isprintable() else ""
