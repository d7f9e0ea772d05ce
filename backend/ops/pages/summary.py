"""The state of the whole at a glance: what waits, who works, what the doctor last said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings

from backend.ops import broker_watch
from backend.ops.models import DoctorRun, SweepTurn
from backend.ops.pages.backlog import Sums, Waiting
from backend.sales.models import Pause

SWEEPS_SHOWN_MAX = 10
# A sweep notes its turns every few seconds; a turn in which it posts takes ten.
SWEEP_QUIET = timedelta(seconds=30)
# Past that, what the doctor said is about another day.
DOCTOR_OLD = timedelta(days=2)
WAITS_TOO_LONG = timedelta(minutes=5)


@dataclass(frozen=True)
class Workers:
    """Whether there is a broker, and how many workers answer behind it."""

    has_broker: bool
    broker_answers: bool
    count: int


@dataclass(frozen=True)
class Glance:
    moving: Sums
    paused: Sums
    is_late: bool
    workers: Workers
    sweeps: Sequence[SweepTurn]
    sweeps_alive: int
    doctor: DoctorRun | None
    doctor_is_old: bool


def look(waiting: Sequence[Waiting]) -> Glance:
    now = datetime.now(UTC)
    moving = Sums.of([one for one in waiting if not one.is_paused])
    sweeps = list(SweepTurn.objects.order_by("-at")[:SWEEPS_SHOWN_MAX])
    doctor = DoctorRun.objects.order_by("-at").first()
    return Glance(
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
    """Ask through the broker; neither a frozen broker nor missing workers keep the page for more than two seconds."""
    if not settings.BROKER_URL:
        return Workers(has_broker=False, broker_answers=False, count=0)
    broker_watch.workers.put()
    broker_answers = bool(broker_watch.broker.answer())
    return Workers(has_broker=True, broker_answers=broker_answers, count=broker_watch.workers.answer() or 0)


def all_pauses() -> list[Pause]:
    return list(Pause.objects.select_related("shop", "terminal__shop").order_by("since"))
