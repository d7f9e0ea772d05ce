"""The Celery workers: `celery -A workers worker`. Tasks are thin; the work is done in backend."""

import os

os.environ.setdefault("ROLE", "worker")

from backend.config.celery import app  # noqa: E402 - the role decides the settings that this import reads
from workers.schedule import SCHEDULE  # noqa: E402

app.conf.beat_schedule = SCHEDULE

__all__ = ["app"]
