"""The state of the whole system: what waits, which workers and sweeps run, what the doctor last found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings

from backend.ops import broker_watch
from backend.ops.models import DoctorRun, SweepTurn
from backend.ops.pages.backlog import Sums, Waiting
from backend.sales.models import Pause

SWEEPS_SHOWN_MAX = 10
# A sweep records its turns every few seconds; a turn in which it posts takes ten.
SWEEP_QUIET = timedelta(seconds=30)
# The doctor runs every day: an older run says little about today.
DOCTOR_OLD = timedelta(days=2)
WAITS_TOO_LONG = timedelta(minutes=5)


@dataclass(frozen=True)
class Workers:
    """Whether there is a broker, and how many workers answer behind it."""

    has_broker: bool
    broker_answers: bool
    count: int


@dataclass(frozen=True)
class Summary:
    moving: Sums
    paused: Sums
    is_late: bool
    workers: Workers
    sweeps: Sequence[SweepTurn]
    sweeps_alive: int
    doctor: DoctorRun | None
    doctor_is_old: bool


def summarize(waiting: Sequence[Waiting]) -> Summary:
    now = datetime.now(UTC)
    moving = Sums.of([one for one in waiting if not one.is_paused])
    sweeps = list(SweepTurn.objects.order_by("-at")[:SWEEPS_SHOWN_MAX])
    doctor = DoctorRun.objects.order_by("-at").first()
    return Summary(
        moving=moving,
        paused=Sums.of([one for one in waiting if one.is_paused]),
        is_late=bool(moving.oldest_at and moving.oldest_at < now - WAITS_TOO_LONG),
        workers=ask_workers(),
        sweeps=sweeps,
        sweeps_alive=sum(sweep.at > now - SWEEP_QUIET for sweep in sweeps),
        doctor=doctor,
        doctor_is_old=bool(doctor and doctor.at < now - DOCTOR_OLD),
    )


def ask_workers() -> Workers:
    """Ask through the broker. A frozen broker or missing workers delay the page by at most two seconds."""
    if not settings.BROKER_URL:
        return Workers(has_broker=False, broker_answers=False, count=0)
    broker_watch.workers.start()
    broker_answers = bool(broker_watch.broker.result())
    return Workers(has_broker=True, broker_answers=broker_answers, count=broker_watch.workers.result() or 0)


def all_pauses() -> list[Pause]:
    return list(Pause.objects.select_related("shop", "terminal__shop").order_by("since"))
