"""wire.txt lists all that a till may send and receives, so that every change of the wire is visible in a diff."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.test import Client

KEPT = Path(__file__).with_name("wire.txt")
PROBLEM = "application/problem+json"

Schema = dict[str, Any]


def lines_of(document: Schema) -> Iterator[str]:
    for path, calls in document["paths"].items():
        for method, operation in calls.items():
            yield f"{method.upper()} {path}"
            for parameter in sorted(operation["parameters"], key=lambda one: (one["in"], one["name"])):
                mark = "" if parameter.get("required") else "?"
                yield f"  {parameter['in']} {parameter['name']}{mark}: {kind_of(parameter['schema'])}"
            for body in operation.get("requestBody", {}).get("content", {}).values():
                yield f"  takes {kind_of(body['schema'])}"
            for status, answer in operation["responses"].items():
                yield f"  {status} {', '.join(map(body_of, answer.get('content', {}).items())) or '-'}"
                for name, header in sorted(answer.get("headers", {}).items()):
                    yield f"    {name}{'' if header.get('required') else '?'}"
            yield ""
    for name, schema in document["components"]["schemas"].items():
        yield f"{name} = {kind_of(schema)}" if "properties" not in schema else name
        for field, kind in schema.get("properties", {}).items():
            yield f"  {field}{'' if field in schema.get('required', ()) else '?'}: {kind_of(kind)}"


def body_of(content: tuple[str, Schema]) -> str:
    media_type, described = content
    schema = described["schema"]
    return ", ".join(schema["properties"]["code"]["enum"]) if media_type == PROBLEM else kind_of(schema)


def kind_of(schema: Schema) -> str:
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "enum" in schema:
        return "|".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    for choice in ("oneOf", "anyOf"):
        if choice in schema and "type" not in schema:
            return " | ".join(kind_of(one) for one in schema[choice])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    items = [f"[{kind_of(schema['items'])}]" if kind == "array" else kind for kind in kinds]
    shape = f" {schema['format']}" if "format" in schema else ""
    return "|".join(items) + shape


def test_the_wire_is_the_one_in_wire_txt(tmp_path: Path) -> None:
    answer = Client().get("/api/v2/schema/", headers={"Accept": "application/json"})
    served = "\n".join(lines_of(json.loads(answer.content))) + "\n"
    (tmp_path / KEPT.name).write_text(served)

    assert served == KEPT.read_text(), f"if tills shall see this change: cp {tmp_path / KEPT.name} {KEPT}"
