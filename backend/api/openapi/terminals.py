"""How enrolling a device and renewing its token are described."""

from backend.api.openapi.parts import Schema

SHAPES: dict[str, Schema] = {}
