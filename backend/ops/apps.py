"""Registers the ops app."""

from django.apps import AppConfig


class OpsApp(AppConfig):
    name = "backend.ops"
    label = "ops"
