"""How the end of a day is described."""

from backend.api.openapi.parts import Schema

SHAPES: dict[str, Schema] = {}
