"""The addresses that monitoring asks for."""

from django.urls import path

from backend.ops.metrics import metrics
from backend.ops.readiness import healthz, readyz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
