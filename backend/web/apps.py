"""Registers the web app."""

from django.apps import AppConfig


class WebApp(AppConfig):
    name = "backend.web"
    label = "web"
