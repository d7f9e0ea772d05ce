"""The Celery application: workers run it, the API and the sweep ring through it."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")

app = Celery("caisse")
app.config_from_object("django.conf:settings", namespace="CELERY")
