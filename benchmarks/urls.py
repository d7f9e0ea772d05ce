"""The project's addresses, and before them those that only the benchmarks serve."""

from django.urls import include, path

from benchmarks.synchronous import EmptyCall, empty, synchronous_sync

urlpatterns = [
    path("benchmarks/empty", empty),
    path("benchmarks/empty-call", EmptyCall.as_view()),
    path("benchmarks/ventes/sync", synchronous_sync),
    path("", include("backend.config.urls")),
]
