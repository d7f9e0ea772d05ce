"""The Celery workers: `celery -A workers worker`. Tasks are thin; the work is done in backend."""

import os

os.environ.setdefault("ROLE", "worker")

from backend.config.celery import app  # noqa: E402 - the role decides the settings that this import reads

__all__ = ["app"]
