"""Registers the sales app."""

from django.apps import AppConfig


class SalesApp(AppConfig):
    name = "backend.sales"
    label = "sales"
