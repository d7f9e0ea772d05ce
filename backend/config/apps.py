"""Registers the system checks, and restores the append-only triggers after every migration."""

from django.apps import AppConfig, apps
from django.contrib.staticfiles import apps as staticfiles
from django.db.models.signals import post_migrate


def restore_triggers(*, using: str, **_: object) -> None:
    """Put back the triggers that a migration dropped with its table."""
    from django.db import connections

    from backend.db.dialect import install_triggers

    install_triggers(connections[using])


class StaticFilesConfig(staticfiles.StaticFilesConfig):
    # A second viewer of the API's description, which comes with the one in use.
    ignore_patterns = [*staticfiles.StaticFilesConfig.ignore_patterns, "redoc"]


class ConfigApp(AppConfig):
    name = "backend.config"
    label = "config"

    def ready(self) -> None:
        from backend.config import checks  # noqa: F401 - importing registers them

        # The signal is sent for each app with models once all migrations are done; one app is enough.
        post_migrate.connect(restore_triggers, sender=apps.get_app_config("sales"), dispatch_uid="restore-triggers")
