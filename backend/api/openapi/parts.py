"""The parts that shapes are made of, as JSON Schemas: for the OpenAPI document, and nothing else."""

from backend.sales.wire.structs import BIGINT_MAX

Schema = dict[str, object]


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def thing(properties: dict[str, Schema], *, optional: tuple[str, ...] = (), **more: object) -> Schema:
    """Return an object all of whose properties are always there, but for the `optional` ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, **({"required": required} if required else {}), **more}


def listed(items: Schema, **more: object) -> Schema:
    return {"type": "array", "items": items, **more}


def one_of(*values: object) -> Schema:
    return {"type": "string", "enum": list(values)}


def or_null(schema: Schema) -> Schema:
    kind = schema["type"]
    return schema | {"type": [*(kind if isinstance(kind, list) else [kind]), "null"]}


TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}
PLACE = {"type": "integer", "minimum": 1, "description": "Compté à partir de 1"}
IDENTIFIER = {"type": "integer", "minimum": 1, "maximum": BIGINT_MAX}
UUID = {"type": "string", "format": "uuid"}
AMOUNT = {"type": "string", "pattern": r"^-?\d+\.\d{2}$", "examples": ["25000.00"]}
QUANTITY = {"type": "number", "examples": [2, 1.5]}
INSTANT = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$",
    "examples": ["2024-11-04T17:01:02.123456Z"],
}
CURRENCY = {"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["CDF"]}
URL = {"type": "string", "format": "uri-reference"}
CURSOR = {"type": "string", "minLength": 1, "maxLength": 200, "description": "Opaque : à rendre tel quel"}
