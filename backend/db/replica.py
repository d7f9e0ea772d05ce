"""Lets merchants' pages read from a replica, so that page views do not slow the tills down.

A replica lags by a moment. So a user who has just sent a form or signed in reads the primary database for a while;
tills always do.
"""

from collections.abc import Callable
from contextvars import ContextVar

from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

REPLICA = "replica"
PAGES = "/commercant/"
READING_METHODS = ("GET", "HEAD")
# Longer than the lag of a healthy replica. Alerts on a larger lag are the database's business.
FRESH_COOKIE, FRESH_S = "frais", 30

# Set by each request, and kept until the thread's next: a streamed answer is read after its view has returned.
_reads_a_copy: ContextVar[bool] = ContextVar("reads_a_copy", default=False)


class ReplicaRouter:
    """Chooses the database of each query that names none. Writes, and the reads that belong to them, use `default`."""

    def db_for_read(self, model: type[Model], **_: object) -> str | None:
        return REPLICA if _reads_a_copy.get() else None

    def db_for_write(self, model: type[Model], **_: object) -> str:
        return "default"

    def allow_relation(self, one: Model, other: Model, **_: object) -> bool:
        return True

    def allow_migrate(self, database: str, *_: object, **__: object) -> bool:
        return database == "default"


class ReplicaMiddleware:
    """Decides for each request, and sets a cookie when a user has just changed something."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_looking = request.method in READING_METHODS
        is_page = request.path.startswith(PAGES)
        has_replica = REPLICA in settings.DATABASES
        _reads_a_copy.set(has_replica and is_page and is_looking and FRESH_COOKIE not in request.COOKIES)
        response = self.get_response(request)
        if has_replica and not is_looking:
            response.set_cookie(
                FRESH_COOKIE, "1", max_age=FRESH_S, httponly=True, samesite="Lax", secure=settings.HTTPS
            )
        return response
