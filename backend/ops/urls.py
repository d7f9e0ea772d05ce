"""What machines that watch ask for."""

from django.urls import path

from backend.ops.health import healthz
from backend.ops.metrics import metrics
from backend.ops.readiness import readyz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
