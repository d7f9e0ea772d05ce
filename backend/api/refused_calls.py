"""Refused calls, counted by serial: the first thing to look at when a shop says "the till did send it"."""

import contextlib
from datetime import UTC, datetime
from typing import Any

from django.db import Error, IntegrityError
from django.db.models import F
from rest_framework.request import Request

from backend.api.callers import app_version_of, serial_of
from backend.observability.request_context import address_of
from backend.shops.models import Device, RefusedCall

# Anyone can invent serials: beyond this many rows, only the refusals of known devices are recorded.
REFUSED_CALLS_MAX = 100_000
# Any other method is recorded as "?": anyone can invent methods, and each would make a row.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def note_refused_call(request: Request, *, status: int, code: str, detail: str) -> None:
    """Count a refused call, in one row per (serial, call, code). A failure here never changes the answer."""
    serial = serial_of(request)[:64]
    if not serial.isprintable():
        serial = ""
    with contextlib.suppress(Error):
        _count(
            key={"serial": serial, "call": _name(request), "code": code},
            seen={
                "status": status,
                "detail": detail[:300],
                "ip": address_of(request),
                "app_version": app_version_of(request),
                "last_at": datetime.now(UTC),
            },
        )


def _name(request: Request) -> str:
    path = request.path.removeprefix("/api/v2/simple/")
    match = request.resolver_match
    # The route and not the path: a thousand receipts make one row.
    method = request.method if request.method in METHODS else "?"
    return f"{method} {match.route.removeprefix('api/v2/simple/') if match else path}"[:80]


def _count(*, key: dict[str, str], seen: dict[str, Any]) -> None:
    rows = RefusedCall.objects.filter(**key)
    if rows.update(count=F("count") + 1, **seen):
        return
    if _is_full() and not Device.objects.filter(serial=key["serial"]).exists():
        return
    try:
        RefusedCall.objects.create(**key, **seen, first_at=seen["last_at"])
    except IntegrityError:
        rows.update(count=F("count") + 1, **seen)


def _is_full() -> bool:
    """Estimate from the lowest and the highest id: counting rows would read them all."""
    newest = RefusedCall.objects.order_by("-pk").values_list("pk", flat=True).first()
    oldest = RefusedCall.objects.order_by("pk").values_list("pk", flat=True).first()
    return newest is not None and oldest is not None and newest - oldest >= REFUSED_CALLS_MAX
