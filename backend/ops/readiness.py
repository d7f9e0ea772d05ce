"""/readyz: can this system take sales in and post them? Anybody may ask; the answer names parts, and no addresses.

`?for=intake` judges only what an acknowledgement needs: without Redis, workers or sweep sales are taken in and safe, so
a load balancer must not turn tills away for them.
"""

from dataclasses import dataclass

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from backend import __version__
from backend.ops import broker_watch
from backend.ops.bounded_call import KeptQuestion
from backend.ops.gauges import pending_migrations
from backend.ops.sweeps import last_turn_age_s

SWEEP_TURN_AGE_S_MAX = 30
DATABASE_PATIENCE_S = 2.5
DATABASE_KEPT_S = 1.0


@dataclass(frozen=True, slots=True)
class DatabaseState:
    migrations_pending: int
    # None: no sweep has ever ended a turn, or its table is still to be made.
    sweep_age_s: float | None


def _ask_database() -> DatabaseState | None:
    try:
        with connection.cursor() as cursor:
            # The others may have nothing to ask: what is complete is not read again.
            cursor.execute("SELECT 1")
        pending = pending_migrations()
        return DatabaseState(pending, None if pending else last_turn_age_s())
    except Error:
        return None


_database = KeptQuestion(_ask_database, patience_s=DATABASE_PATIENCE_S, kept_s=DATABASE_KEPT_S)


@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    is_for_intake = request.GET.get("for") == "intake"
    _database.put()
    behind = {} if is_for_intake else _check_broker()
    state = _database.answer()
    checks = {"database": _judge(state is not None, "does not answer"), "migrations": _check_migrations(state)}
    if not is_for_intake:
        checks |= {**behind, "sweep": _check_sweep(state)}
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
    """Without a broker the sweep posts alone: slower, and legal."""
    if not settings.BROKER_URL:
        return {name: {"ok": True, "detail": "no broker is configured"} for name in ("broker", "worker")}
    broker_watch.broker.put()
    broker_watch.workers.put()
    return {
        "broker": _judge(bool(broker_watch.broker.answer()), "does not answer"),
        "worker": _judge(bool(broker_watch.workers.answer()), "none answers"),
    }


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer `ok`; the version is a header, so that the text stays what every health check expects."""
    return HttpResponse("ok\n", content_type="text/plain", headers={"X-Caisse-Version": __version__})
