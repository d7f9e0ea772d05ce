"""Registers the inventory app."""

from django.apps import AppConfig


class InventoryApp(AppConfig):
    name = "backend.inventory"
    label = "inventory"
