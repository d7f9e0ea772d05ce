"""Checks real answers against the OpenAPI document: status, content type, headers, and a body without unknown keys."""

import copy
import functools
import json
import re
from typing import Any

import jsonschema_rs
from django.http import HttpResponse

from backend.api.openapi.document import document

METHODS = ("get", "post")


@functools.cache
def _strict_components() -> dict[str, Any]:
    return _closed(document()["components"])


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """Return the document's operation for a call; None for an address or a method that it does not describe."""
    for template, operations in document()["paths"].items():
        if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", template), path.partition("?")[0]):
            return operations.get(method.lower())
    return None


def assert_conforms(answer: HttpResponse, *, method: str, path: str) -> None:
    operation = operation_of(method, path)
    if operation is None:
        assert answer.status_code in (404, 405, 406), f"{method} {path} is not described: {answer.status_code}"
        return
    described = operation["responses"].get(str(answer.status_code))
    assert described is not None, f"{method} {path} answers {answer.status_code}, which is not described"
    _check_headers(answer, described.get("headers", {}))
    if "content" not in described:
        assert answer.content == b""
        return
    content_type = answer.headers["Content-Type"].partition(";")[0]
    assert content_type in described["content"], f"{content_type} is not described"
    if answer.headers.get("Content-Encoding") != "gzip":
        check_body(answer.json(), described["content"][content_type]["schema"])


def check_body(body: object, schema: dict[str, Any]) -> None:
    _validator(json.dumps(schema)).validate(body)


@functools.cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    """Every answer of every test is checked: each schema is compiled once, by a library that is compiled itself."""
    whole = {**_closed(json.loads(schema)), "components": _strict_components()}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def _check_headers(answer: HttpResponse, described: dict[str, Any]) -> None:
    for name, header in described.items():
        value = answer.headers.get(name)
        if value is None:
            assert not header.get("required"), f"{name} is missing"
            continue
        is_whole = header["schema"]["type"] == "integer"
        check_body(int(value) if is_whole else value, header["schema"])


def _closed(schema: Any) -> Any:
    """Return a copy in which no object may have unknown keys: the document allows them, our answers have none."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in copy.copy(schema).items()}
    if "properties" in closed and isinstance(closed["properties"], dict):
        closed["additionalProperties"] = False
    return closed
