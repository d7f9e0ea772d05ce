"""The Celery workers: `celery -A workers worker`. Tasks are thin: they call backend."""

import os

os.environ.setdefault("ROLE", "worker")

from celery.signals import setup_logging, worker_process_shutdown

from backend.config.celery import app
from workers.schedule import SCHEDULE

app.conf.beat_schedule = SCHEDULE


@worker_process_shutdown.connect
def write_down_last_counts(**_: object) -> None:
    """Write the last counts of a pool's child, which ends without running `atexit` functions. Imported late: Django is
    set up by now."""
    from backend.ops.counter_flush import finish

    finish()


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Keep our logging: with a receiver for this signal, Celery does not configure its own."""


__all__ = ["app"]
