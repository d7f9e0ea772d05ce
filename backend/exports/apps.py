"""Registers the exports app."""

from django.apps import AppConfig


class ExportsApp(AppConfig):
    name = "backend.exports"
    label = "exports"
