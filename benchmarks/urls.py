"""The addresses that only the benchmarks serve, followed by the project's."""

from django.urls import include, path

from benchmarks.synchronous import EmptyCall, empty, synchronous_sync

urlpatterns = [
    path("benchmarks/empty", empty),
    path("benchmarks/empty-call", EmptyCall.as_view()),
    path("benchmarks/ventes/sync", synchronous_sync),
    path("", include("backend.config.urls")),
]
