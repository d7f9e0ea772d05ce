"""`manage.py sweep`: rings for sales that do not move, and posts them itself if no worker does. Any number may run."""

import os
import signal
import time
from argparse import ArgumentParser
from pathlib import Path

import structlog
from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connection

from backend.db.transients import is_transient
from backend.ops.sweeps import TurnNotes
from backend.sales.posting.sweep import sweep_once

log = structlog.get_logger("caisse.sweep")

INTERVAL_S = 2.0


class Command(BaseCommand):
    help = "Rings for tills whose sales do not move. Posts the sales itself when ringing does not help."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="one turn, then end")
        parser.add_argument("--interval", type=float, default=INTERVAL_S, help="seconds between turns")

    def handle(self, *, once: bool, interval: float, **_: object) -> None:
        self.is_stopping = False
        self.notes = TurnNotes()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._stop)
        while not self.is_stopping:
            self._turn()
            if once:
                return
            self._rest(interval)

    def _turn(self) -> None:
        touch_heartbeat()
        try:
            sweep_once(alive=touch_heartbeat, must_stop=lambda: self.is_stopping)
            self.notes.note()
        except (OperationalError, InterfaceError) as error:
            # The database is away for a moment, for the workers too. The next turn tries again.
            if not is_transient(error):
                raise
            connection.close()
            log.warning("turn_interrupted", error=str(error))

    def _rest(self, interval: float) -> None:
        """Wait for the next turn, ready to stop, holding no connection."""
        connection.close()
        deadline = time.monotonic() + interval
        while not self.is_stopping and time.monotonic() < deadline:
            time.sleep(0.1)

    def _stop(self, *_: object) -> None:
        self.is_stopping = True


def touch_heartbeat() -> None:
    """Touch the file that SWEEP_HEARTBEAT names: the health check then knows that this sweep is not frozen."""
    if path := os.environ.get("SWEEP_HEARTBEAT"):
        Path(path).touch()
