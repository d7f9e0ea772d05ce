"""The Celery workers: `celery -A workers worker`. Tasks are thin; the work is done in backend."""

import os

os.environ.setdefault("ROLE", "worker")

from celery.signals import setup_logging, worker_process_shutdown

from backend.config.celery import app
from workers.schedule import SCHEDULE

app.conf.beat_schedule = SCHEDULE


@worker_process_shutdown.connect
def write_down_last_counts(**_: object) -> None:
    """The pool's children end without running what `atexit` was told. Imported late: Django is set up by now."""
    from backend.ops.counter_flush import finish

    finish()


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Celery leaves logging alone where somebody listens: its lines then go through our formatter, as all others do."""


__all__ = ["app"]
