"""How the calls about articles and stock movements are described."""

from backend.api.openapi.parts import Schema

SHAPES: dict[str, Schema] = {}
