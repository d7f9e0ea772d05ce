"""The project's addresses, and before them the two that only the benchmarks serve."""

from django.urls import include, path

from benchmarks.synchronous import empty, synchronous_sync

urlpatterns = [
    path("benchmarks/empty", empty),
    path("benchmarks/ventes/sync", synchronous_sync),
    path("", include("backend.config.urls")),
]
