"""What machines that watch ask for."""

from django.urls import path

from backend.ops.health import healthz

urlpatterns = [path("healthz", healthz, name="healthz")]
