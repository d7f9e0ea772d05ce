"""One line a request: who asked for what, what it was answered, how long it took. Never a body, a query or a token."""

import time
from collections.abc import Callable
from http import HTTPStatus

import structlog
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse

log = structlog.get_logger("caisse.request")

# What a machine asks every few seconds, and what every page brings along: told at level DEBUG.
QUIET_PATHS = ("/healthz", "/readyz", "/metrics", "/static/")
PATH_LENGTH_MAX = 80
# An answer that a view raises; no fault of ours.
ANSWERS = (Http404, PermissionDenied, SuspiciousOperation)


def note(request: HttpRequest, **fields: object) -> None:
    """Add to this request's line, e.g. who is asking, once that is known."""
    request.__dict__.setdefault("log_fields", {}).update(fields)


class RequestLogMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        self._tell(request, response, took_ms=(time.perf_counter() - began) * 1000)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> None:
        """Shout about a page that broke; its reader sees only that it did."""
        if not isinstance(error, ANSWERS):
            log.error("page_broke", method=request.method, route=_route(request), exc_info=error)

    @staticmethod
    def _tell(request: HttpRequest, response: HttpResponse, *, took_ms: float) -> None:
        is_fault = response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        is_quiet = request.path.startswith(QUIET_PATHS) and not is_fault
        tell = log.debug if is_quiet else log.warning if is_fault else log.info
        tell(
            "request",
            method=request.method,
            route=_route(request),
            status=response.status_code,
            took_ms=round(took_ms, 1),
            **request.__dict__.get("log_fields", {}),
        )


def _route(request: HttpRequest) -> str:
    """Return the route and not the path: an address can hold the key of a link that sets a password."""
    if request.resolver_match:
        return f"/{request.resolver_match.route}"
    return "".join(letter for letter in request.path[:PATH_LENGTH_MAX] if letter.isprintable())
