"""Registers the shops app."""

from django.apps import AppConfig


class ShopsApp(AppConfig):
    name = "backend.shops"
    label = "shops"
