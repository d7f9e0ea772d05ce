"""Records in the database when each sweep last ended a turn, so that it can be watched from any machine."""

import os
import socket
import time
from datetime import UTC, datetime, timedelta

import structlog
from django.db import Error
from django.db.models import Max

from backend.ops.models import SweepTurn

log = structlog.get_logger("caisse.sweep")

NOTED_EVERY_S = 5.0
KEPT = timedelta(days=1)
NAME_LENGTH_MAX = 100


class TurnNotes:
    """Notes the turns of this process, at most every NOTED_EVERY_S."""

    def __init__(self) -> None:
        self._noted_at = float("-inf")

    def note(self) -> None:
        """Record that a turn has ended now, and delete old rows. A failure is only logged: the sweep goes on."""
        if time.monotonic() - self._noted_at < NOTED_EVERY_S:
            return
        self._noted_at = time.monotonic()
        try:
            self._write()
        except Error as error:
            # The database is away for a moment, or the table does not exist yet.
            log.warning("turn_not_noted", error=type(error).__name__)

    def _write(self) -> None:
        now = datetime.now(UTC)
        name = f"{socket.gethostname()}:{os.getpid()}"[-NAME_LENGTH_MAX:]
        SweepTurn.objects.update_or_create(pk=name, defaults={"at": now})
        SweepTurn.objects.filter(at__lt=now - KEPT).delete()


def last_turn_age_s() -> float | None:
    """Return how long ago any sweep ended a turn; None if none is known."""
    at = SweepTurn.objects.aggregate(at=Max("at"))["at"]
    # A sweep's clock may be a little ahead of ours.
    return None if at is None else max(0.0, (datetime.now(UTC) - at).total_seconds())
