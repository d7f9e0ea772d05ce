"""How `ventes/changements` is described."""

from backend.api.openapi.parts import Schema

SHAPES: dict[str, Schema] = {}
