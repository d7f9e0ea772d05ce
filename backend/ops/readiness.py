"""/readyz: whether this system can take sales in and post them. Open to anybody; it names parts, not addresses.

`?for=intake` checks only what an acknowledgement needs. Without Redis, workers or a sweep, sales are still taken in
safely, so a load balancer must not turn tills away.
"""

from dataclasses import dataclass

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from backend import __version__
from backend.ops import broker_watch
from backend.ops.bounded_call import CachedCall
from backend.ops.gauges import pending_migrations
from backend.ops.sweeps import last_turn_age_s

SWEEP_TURN_AGE_S_MAX = 30
DATABASE_PATIENCE_S = 2.5
DATABASE_CACHED_S = 1.0


@dataclass(frozen=True, slots=True)
class DatabaseState:
    migrations_pending: int
    # None: no sweep has ever ended a turn, or its table does not exist yet.
    sweep_age_s: float | None


def _ask_database() -> DatabaseState | None:
    try:
        with connection.cursor() as cursor:
            # The queries below may be skipped: complete migrations are not read again.
            cursor.execute("SELECT 1")
        pending = pending_migrations()
        return DatabaseState(pending, None if pending else last_turn_age_s())
    except Error:
        return None


_database = CachedCall(_ask_database, patience_s=DATABASE_PATIENCE_S, cached_s=DATABASE_CACHED_S)


@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    is_for_intake = request.GET.get("for") == "intake"
    _database.start()
    broker_checks = {} if is_for_intake else _check_broker()
    state = _database.result()
    checks = {"database": _judge(state is not None, "does not answer"), "migrations": _check_migrations(state)}
    if not is_for_intake:
        checks |= {**broker_checks, "sweep": _check_sweep(state)}
    ready = all(check["ok"] for check in checks.values())
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


def _judge(is_ok: bool, complaint: str) -> dict[str, object]:
    return {"ok": True} if is_ok else {"ok": False, "detail": complaint}


def _check_migrations(state: DatabaseState | None) -> dict[str, object]:
    if state is None:
        return _judge(is_ok=False, complaint="unknown")
    return _judge(state.migrations_pending == 0, f"{state.migrations_pending} to be applied")


def _check_sweep(state: DatabaseState | None) -> dict[str, object]:
    if state is None:
        return _judge(is_ok=False, complaint="unknown")
    if state.sweep_age_s is None:
        return _judge(is_ok=False, complaint="no turn yet")
    return _judge(state.sweep_age_s <= SWEEP_TURN_AGE_S_MAX, f"last turn {state.sweep_age_s:.0f} s ago")


def _check_broker() -> dict[str, dict[str, object]]:
    """Check the broker and the workers. Running without a broker is legal: the sweep then posts alone, more slowly."""
    if not settings.BROKER_URL:
        return {name: {"ok": True, "detail": "no broker is configured"} for name in ("broker", "worker")}
    broker_watch.broker.start()
    broker_watch.workers.start()
    return {
        "broker": _judge(bool(broker_watch.broker.result()), "does not answer"),
        "worker": _judge(bool(broker_watch.workers.result()), "none answers"),
    }


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer `ok`, the text that health checks expect; the version is in a header."""
    return HttpResponse("ok\n", content_type="text/plain", headers={"X-Caisse-Version": __version__})
