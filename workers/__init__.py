"""The Celery workers: `celery -A workers worker`. Tasks are thin; the work is done in backend."""

import os

os.environ.setdefault("ROLE", "worker")

from backend.config.celery import app
from workers.schedule import SCHEDULE

app.conf.beat_schedule = SCHEDULE

__all__ = ["app"]
