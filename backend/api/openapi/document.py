"""The OpenAPI document: built once per process from the described calls and the Structs they read and answer."""

import functools
import re
from collections.abc import Iterator
from typing import Any

from django.urls import get_resolver, reverse

from backend import __version__
from backend.api.openapi.operations import SECURITY_SCHEMES, Operation
from backend.api.openapi.request_schemas import NAMES, add_batch
from backend.api.openapi.schemas import schemas_read, schemas_written
from backend.api.problems import Probleme
from backend.sales.wire.structs import WireSale

INFORMATION = {
    "title": "Caisses hors ligne",
    "version": __version__,
    "description": (
        "Les caisses vendent hors ligne, remettent leurs ventes en lot, et suivent le sort de chacune.\n\n"
        "Tout refus est un `application/problem+json` avec un `code` stable. Une adresse inconnue répond 404 "
        "`introuvable`, une méthode qui n'est pas décrite ici 405 `methode_non_permise` avec `Allow`. "
        "Les réponses sont compressées pour qui envoie `Accept-Encoding: gzip`."
    ),
}
METHODS = ("get", "post")


@functools.cache
def document() -> dict[str, Any]:
    """Return the document. It is shared: callers must not change it."""
    calls = list(_calls())
    operations = [operation for *_, operation in calls]
    bodies = [operation.body for operation in operations if isinstance(operation.body, type)]
    read = schemas_read([*bodies, WireSale], names=NAMES)
    add_batch(read)
    answers = [answer.struct for operation in operations for answer in operation.answers.values() if answer.struct]
    written = schemas_written([Probleme, *answers])
    problem = written.pop(Probleme.__name__)
    paths: dict[str, dict[str, Any]] = {}
    for path, method, operation in sorted(calls, key=lambda call: call[0]):
        paths.setdefault(path, {})[method] = operation.describe(names=NAMES, problem=problem)
    components = {"securitySchemes": SECURITY_SCHEMES, "schemas": dict(sorted((read | written).items()))}
    return {"openapi": "3.1.0", "info": INFORMATION, "paths": paths, "components": components}


def _calls() -> Iterator[tuple[str, str, Operation]]:
    """Yield path, method and description of every call whose view method carries an Operation."""
    base = reverse("api:schema").removesuffix("schema/")
    for route in get_resolver("backend.api.urls").url_patterns:
        view = getattr(getattr(route, "callback", None), "cls", None)
        for method in METHODS:
            operation = getattr(getattr(view, method, None), "operation", None)
            if operation is not None:
                yield base + re.sub(r"<\w+:(\w+)>", r"{\1}", str(route.pattern)), method, operation
