"""Registers the ops app."""

from django.apps import AppConfig


class OpsApp(AppConfig):
    name = "backend.ops"
    label = "ops"

    def ready(self) -> None:
        from backend.ops.counter_flush import start_in_serving_processes

        start_in_serving_processes()
