"""JSON Schemas of the Structs that read and write the wire: those of msgspec, in the shortest form."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from backend.sales.wire.vocabulary import OneOf

Schema = dict[str, Any]

REF = "#/components/schemas/{name}"
NULL = {"type": "null"}


def ref(name: str) -> Schema:
    return {"$ref": REF.format(name=name)}


def schema_of(kind: object) -> Schema:
    """Return the schema of a type that contains no Struct: a parameter, a header."""
    return _plain(msgspec.json.schema(kind), decimal="string")


def schemas_read(structs: Iterable[type], *, names: Mapping[str, str]) -> dict[str, Schema]:
    """Return, by name, the schemas of these Structs and of the Structs inside them, as msgspec reads them.

    names: a Struct's name in the code → its name in the document.
    """
    # msgspec reads a Decimal from a number or a text.
    return _schemas(structs, decimal=["number", "string"], names=names)


def schemas_written(structs: Iterable[type]) -> dict[str, Schema]:
    """Return, by name, the schemas of these Structs and of the Structs inside them, as msgspec writes them."""
    choices = OneOf.__subclasses__()
    members = [member for choice in choices for member in choice.__subclasses__()]
    schemas = _schemas([*structs, *members], decimal="string", names={})
    for choice in choices:
        schemas[choice.__name__] = {"oneOf": [ref(member.__name__) for member in choice.__subclasses__()]}
    return schemas


def _schemas(structs: Iterable[type], *, decimal: object, names: Mapping[str, str]) -> dict[str, Schema]:
    _, components = msgspec.json.schema_components(structs, ref_template=REF)
    refs = {REF.format(name=name): REF.format(name=documented) for name, documented in names.items()}
    named: dict[str, Schema] = {}
    for name, schema in components.items():
        # A Struct's Python name and docstring are for readers of the code, not of the document.
        of_the_wire = {key: value for key, value in schema.items() if key not in ("title", "description")}
        named[names.get(name, name)] = _plain(of_the_wire, decimal=decimal, refs=refs)
    return named


def _plain(schema: Any, *, decimal: object, refs: Mapping[str, str] | None = None) -> Any:
    """Return a copy in short form: without `default: null`, and with `type: [x, null]` instead of `anyOf`."""
    if isinstance(schema, list):
        return [_plain(item, decimal=decimal, refs=refs) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {
        key: _plain(value, decimal=decimal, refs=refs)
        for key, value in schema.items()
        if not (key == "default" and value is None) and not (key == "required" and not value)
    }
    if plain.get("format") == "decimal":
        del plain["format"]
        plain["type"] = decimal
    if "$ref" in plain:
        plain["$ref"] = (refs or {}).get(plain["$ref"], plain["$ref"])
    options = plain.get("anyOf", [])
    if len(options) == 2 and options[1] == NULL and "$ref" not in options[0]:
        del plain["anyOf"]
        kinds = options[0]["type"]
        plain = options[0] | plain | {"type": [*(kinds if isinstance(kinds, list) else [kinds]), "null"]}
    return plain
