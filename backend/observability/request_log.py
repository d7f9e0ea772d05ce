"""One log line for each request: its caller, route, status and duration. Never a body, a query or a token."""

import time
from collections.abc import Callable
from http import HTTPStatus

import structlog
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse

log = structlog.get_logger("caisse.request")

# Health checks, which come every few seconds, and the files of every page: logged at level DEBUG.
QUIET_PATHS = ("/healthz", "/readyz", "/metrics", "/static/")
PATH_LENGTH_MAX = 80
# Exceptions that views raise as answers; they are not faults.
ANSWERS = (Http404, PermissionDenied, SuspiciousOperation)


def note(request: HttpRequest, **fields: object) -> None:
    """Add fields to this request's log line, e.g. the caller once it is known."""
    request.__dict__.setdefault("log_fields", {}).update(fields)


class RequestLogMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        self._log(request, response, took_ms=(time.perf_counter() - began) * 1000)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> None:
        """Log the traceback of a page that broke; its reader sees only an error page."""
        if not isinstance(error, ANSWERS):
            log.error("page_broke", method=request.method, route=_route(request), exc_info=error)

    @staticmethod
    def _log(request: HttpRequest, response: HttpResponse, *, took_ms: float) -> None:
        is_fault = response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        is_quiet = request.path.startswith(QUIET_PATHS) and not is_fault
        write = log.debug if is_quiet else log.warning if is_fault else log.info
        write(
            "request",
            method=request.method,
            route=_route(request),
            status=response.status_code,
            took_ms=round(took_ms, 1),
            **request.__dict__.get("log_fields", {}),
        )


def _route(request: HttpRequest) -> str:
    """Return the route, not the path: a path may contain the secret key of a password link."""
    if request.resolver_match:
        return f"/{request.resolver_match.route}"
    return "".join(letter for letter in request.path[:PATH_LENGTH_MAX] if letter.isprintable())
