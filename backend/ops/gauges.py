"""The system's state as the database has it, for /metrics. Cheap with millions of sales: every query uses an index."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import DatabaseError, Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, F, Max, Min, Sum
from django.db.models.functions import Abs

from backend.ops.models import DoctorRun
from backend.ops.sweeps import last_turn_age_s
from backend.sales.models import Batch, Lane, Pause
from backend.sales.repair.open_entries import open_entries_by_status
from backend.sales.tills.pauses import is_paused
from backend.shops.models import Device, DeviceState

CLOCK_SKEW_S_MAX = 300
# Each till with a wrong clock is a series. Only the worst are shown; another gauge counts all of them.
CLOCKS_SHOWN_MAX = 50
YES_NO = {False: "no", True: "yes"}


@dataclass(frozen=True, slots=True)
class Gauge:
    help: str
    labels: tuple[str, ...] = ()


GAUGES: Mapping[str, Gauge] = {
    "caisse_database_up": Gauge("Whether the database answered this question in time"),
    "caisse_broker_up": Gauge("Whether the broker answers; absent where none is named, which is a legal way to run"),
    "caisse_migrations_pending": Gauge("Migrations of this process's code that the database has not seen"),
    "caisse_workers_alive": Gauge("Celery workers that answer a ping; absent while the broker is down"),
    "caisse_sweep_last_turn_age_seconds": Gauge("Since the last turn that any sweep ended; absent if there was none"),
    "caisse_sales_waiting": Gauge("Accepted sales that have no outcome yet", ("paused",)),
    "caisse_batches_waiting": Gauge("Batches with sales that wait", ("paused",)),
    "caisse_terminals_waiting": Gauge("Tills with sales that wait", ("paused",)),
    "caisse_oldest_waiting_sale_age_seconds": Gauge(
        "Since the oldest batch that waits arrived; 0 if none", ("paused",)
    ),
    "caisse_desk_entries_open": Gauge("Sales that a person has to correct, in all shops", ("status",)),
    "caisse_documents_waiting": Gauge("Voids, returns and payments whose sale has not arrived"),
    "caisse_pauses": Gauge("Pauses of the posting, by what they stop", ("scope",)),
    "caisse_lane_starts_max": Gauge("Starts in a row at one sale; 5 and more: it kills the processes that post it"),
    "caisse_tills_clock_wrong": Gauge("Active devices whose clock is off by more than five minutes"),
    "caisse_till_clock_skew_seconds": Gauge("How far the worst of these are ahead", ("shop", "till")),
    "caisse_doctor_findings": Gauge("What the last run of the doctor found; absent before its first"),
    "caisse_doctor_last_run_age_seconds": Gauge("Since the last run of the doctor; absent before its first"),
}


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    value: float
    labels: tuple[str, ...] = ()


class _Migrations:
    """Stops asking once all migrations are applied: only a restart brings new code, and with it new migrations."""

    def __init__(self) -> None:
        self._is_complete = False

    def pending(self) -> int:
        if self._is_complete:
            return 0
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        self._is_complete = not plan
        return len(plan)


_migrations = _Migrations()


def pending_migrations() -> int:
    return _migrations.pending()


def read_state() -> list[Sample] | None:
    """Return every sample read from the database except the repair desk's, or None if it does not answer."""
    now = datetime.now(UTC)
    try:
        pending = Sample("caisse_migrations_pending", pending_migrations())
        try:
            return [pending, *_waiting(now), *_lanes(), *_pauses(), *_clocks(), *_sweep(), *_doctor(now)]
        except DatabaseError:
            # A table may be missing while migrations are pending; otherwise this is a fault.
            if not pending.value:
                raise
            return [pending]
    except Error:
        return None


def read_desk() -> list[Sample] | None:
    """Return the number of open entries at the repair desk, the only query whose cost grows with all past refusals."""
    try:
        counts = open_entries_by_status()
    except Error:
        return None
    return [Sample("caisse_desk_entries_open", number, (status,)) for status, number in counts.items()]


def _waiting(now: datetime) -> Iterator[Sample]:
    rows = Batch.objects.filter(settled_at=None).annotate(paused=is_paused()).values("paused")
    counted = rows.annotate(
        batches=Count("pk"),
        sales=Sum(F("sale_count") - F("next_position") + 1),
        terminals=Count("terminal_id", distinct=True),
        oldest=Min("received_at"),
    )
    found: dict[bool, dict[str, Any]] = {bool(row["paused"]): dict(row) for row in counted.order_by()}
    for paused, word in YES_NO.items():
        row = found.get(paused, {"batches": 0, "sales": 0, "terminals": 0, "oldest": now})
        for what in ("sales", "batches", "terminals"):
            yield Sample(f"caisse_{what}_waiting", row[what], (word,))
        yield Sample("caisse_oldest_waiting_sale_age_seconds", _age_s(row["oldest"], now), (word,))


def _lanes() -> Iterator[Sample]:
    row = Lane.objects.aggregate(documents=Sum("waiting_documents"), starts=Max("starts"))
    yield Sample("caisse_documents_waiting", row["documents"] or 0)
    yield Sample("caisse_lane_starts_max", row["starts"] or 0)


def _pauses() -> Iterator[Sample]:
    scopes = [scope.partition(":")[0] for scope in Pause.objects.values_list("scope", flat=True)]
    for scope in ("all", "shop", "terminal"):
        yield Sample("caisse_pauses", scopes.count(scope), (scope,))


def _clocks() -> Iterator[Sample]:
    known = Device.objects.filter(state=DeviceState.ACTIVE, clock_skew_s__isnull=False)
    wrong = known.exclude(clock_skew_s__range=(-CLOCK_SKEW_S_MAX, CLOCK_SKEW_S_MAX))
    yield Sample("caisse_tills_clock_wrong", wrong.count())
    worst = wrong.order_by(-Abs("clock_skew_s"), "pk").select_related("terminal__shop")[:CLOCKS_SHOWN_MAX]
    # Two tills may have the same name: with the till's id the labels name one series.
    skews = {
        (
            device.terminal.shop.code if device.terminal.shop else "",
            f"{device.terminal.name} ({device.terminal_id})",
        ): device.clock_skew_s
        for device in reversed(worst)
        if device.clock_skew_s is not None
    }
    for labels, skew_s in skews.items():
        yield Sample("caisse_till_clock_skew_seconds", skew_s, labels)


def _sweep() -> Iterator[Sample]:
    age_s = last_turn_age_s()
    if age_s is not None:
        yield Sample("caisse_sweep_last_turn_age_seconds", age_s)


def _doctor(now: datetime) -> Iterator[Sample]:
    last = DoctorRun.objects.order_by("-at").values_list("at", "finding_count").first()
    if last is not None:
        yield Sample("caisse_doctor_last_run_age_seconds", _age_s(last[0], now))
        yield Sample("caisse_doctor_findings", last[1])


def _age_s(at: datetime, now: datetime) -> float:
    """Return the age, never negative: another machine's clock may be a little ahead of ours."""
    return max(timedelta(), now - at).total_seconds()
