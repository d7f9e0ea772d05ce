"""System checks of the settings and of the database, run by every start. Ids: caisse.E…, caisse.W…."""

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from backend.config.dialect import is_sqlite, missing_triggers

# A batch of the largest size that cannot be compressed, and the words around it, in one packet to the server.
PACKET_BYTES_MIN = 16 * 1024 * 1024
# What a MySQL or MariaDB server must say for a 202 to mean "durable".
DURABLE_VARIABLES = {"innodb_flush_log_at_trx_commit": "1", "sync_binlog": "1"}
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
            "No BROKER_URL is set: nobody is rung, the sweep alone posts what arrives.",
            hint="Legal, but slow: name a Redis in BROKER_URL.",
            id="caisse.W001",
        )
    ]


@register(Tags.database)
def check_triggers(*, databases: list[str] | None = None, **_: object) -> list[CheckMessage]:
    """A warning and not an error: `migrate`, which puts missing triggers back, must be able to start."""
    messages: list[CheckMessage] = []
    for alias in databases or []:
        missing = missing_triggers(connections[alias])
        if missing:
            messages.append(
                Warning(
                    f"Append-only triggers are missing: {', '.join(missing)}.",
                    hint="Run `manage.py migrate`: it puts them back.",
                    id="caisse.W002",
                )
            )
    return messages


@register(Tags.database)
def check_server(*, databases: list[str] | None = None, **_: object) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if is_sqlite(connection):
            continue
        with connection.cursor() as cursor:
            names = [*DURABLE_VARIABLES, "max_allowed_packet", "log_bin"]
            cursor.execute(f"SHOW VARIABLES WHERE Variable_name IN ({', '.join(['%s'] * len(names))})", names)
            found = dict(cursor.fetchall())
        messages += _check_variables(found)
    return messages


def _check_variables(found: dict[str, str]) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    if int(found["max_allowed_packet"]) < PACKET_BYTES_MIN:
        messages.append(
            Error(
                f"max_allowed_packet is {found['max_allowed_packet']}: a large batch would look like a lost line.",
                hint=f"Set it to {PACKET_BYTES_MIN} or more on the server.",
                id="caisse.E002",
            )
        )
    for name, wanted in DURABLE_VARIABLES.items():
        if name == "sync_binlog" and found.get("log_bin") == "OFF":
            continue
        if found.get(name) != wanted:
            messages.append(
                Warning(
                    f"{name} is {found.get(name)}: an acknowledged batch may be lost when the machine dies.",
                    hint=f"Set {name}={wanted} on the server.",
                    id="caisse.W003",
                )
            )
    return messages
