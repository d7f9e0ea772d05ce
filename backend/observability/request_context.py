"""Each request's id, which follows a batch to the worker's log line, and the address that it comes from."""

import ipaddress
import re
import uuid
from collections.abc import Callable
from typing import cast

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

ACCEPTED = re.compile(r"[A-Za-z0-9._-]{8,64}")


class IdentifiedRequest(HttpRequest):
    """A request that RequestIdMiddleware has seen. Only a type: no object of it is created."""

    request_id: str


def request_id_of(request: HttpRequest) -> str:
    return cast(IdentifiedRequest, request).request_id


class RequestIdMiddleware:
    """Take the caller's X-Request-Id if it is short and plain, else make one; put it into the answer and the log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: IdentifiedRequest) -> HttpResponse:
        sent = request.headers.get("X-Request-Id", "")
        request.request_id = sent if ACCEPTED.fullmatch(sent) else uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.request_id)
        response = self.get_response(request)
        response["X-Request-Id"] = request.request_id
        return response


def address_of(request: HttpRequest) -> str | None:
    """Return the caller's address: the peer's, or the one that our own proxies added. What a caller adds is ignored."""
    address = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        if len(hops) >= settings.TRUSTED_PROXIES:
            address = hops[-settings.TRUSTED_PROXIES]
    try:
        # Drop the zone of a link-local address: it names an interface of this machine, and does not fit the columns.
        return str(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return None
