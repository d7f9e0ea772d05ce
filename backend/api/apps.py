"""Registers the api app."""

from django.apps import AppConfig


class ApiApp(AppConfig):
    name = "backend.api"
    label = "api"
