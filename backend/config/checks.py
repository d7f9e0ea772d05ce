"""System checks of the settings and the database, run at every start. Ids: caisse.E…, caisse.W…."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from backend.db.dialect import missing_triggers
from backend.db.server_settings import wrong_durability, wrong_packet

SECRET_KEY_LENGTH_MIN = 32


@register(Tags.security, deploy=True)
def check_secret_key(**_: object) -> list[CheckMessage]:
    if len(settings.SECRET_KEY) >= SECRET_KEY_LENGTH_MIN:
        return []
    return [
        Error(
            f"SECRET_KEY is shorter than {SECRET_KEY_LENGTH_MIN} characters.",
            hint="Set SECRET_KEY in the environment, e.g. to the output of `openssl rand -hex 32`.",
            id="caisse.E001",
        )
    ]


@register(Tags.security, deploy=True)
def check_broker(**_: object) -> list[CheckMessage]:
    if settings.BROKER_URL:
        return []
    return [
        Warning(
            "No BROKER_URL is set: no worker is rung, and only the sweep posts sales.",
            hint="This is legal but slow: name a Redis in BROKER_URL.",
            id="caisse.W001",
        )
    ]


@register(Tags.database)
def check_triggers(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Warn of missing triggers. Not an error, because `migrate`, which restores them, must be able to start."""
    messages: list[CheckMessage] = []
    for alias in databases or []:
        missing = missing_triggers(connections[alias])
        if missing:
            messages.append(
                Warning(
                    f"Append-only triggers are missing: {', '.join(missing)}.",
                    hint="Run `manage.py migrate`: it restores them.",
                    id="caisse.W002",
                )
            )
    return messages


@register(Tags.database)
def check_server(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        messages += [
            Error(
                f"{wrong.name} is {wrong.found}: a large batch would look like a lost connection.",
                hint=f"Set it to {wrong.wanted} or more on the server.",
                id="caisse.E002",
            )
            for wrong in wrong_packet(connection)
        ]
        messages += [
            Warning(
                f"{wrong.name} is {wrong.found}: an acknowledged batch may be lost when the machine dies.",
                hint=f"Set {wrong.name}={wrong.wanted}.",
                id="caisse.W003",
            )
            for wrong in wrong_durability(connection)
        ]
    return messages
