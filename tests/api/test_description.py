"""The OpenAPI document: valid, complete and public."""

import json
from collections.abc import Iterator

import jsonschema
import pytest
import schemathesis
from django.test import Client
from django.urls import get_resolver

from backend import __version__
from backend.api.openapi.request_schemas import CIRCUMSTANCES, KINDS, LINE, NAMES, RETURNED_LINE
from backend.api.problems import PROBLEMS
from backend.sales.errors import SALE_CODES, SaleRefused
from backend.sales.wire.structs import WireLine, WireSale
from tests.conformity import document

OPERATIONS = {
    ("get", "/api/v2/simple/articles"),
    ("get", "/api/v2/simple/etat"),
    ("post", "/api/v2/simple/etat"),
    ("get", "/api/v2/simple/stock/mouvements"),
    ("get", "/api/v2/simple/ventes/changements"),
    ("get", "/api/v2/simple/ventes/recus"),
    ("get", "/api/v2/simple/ventes/recus/{recu}"),
    ("get", "/api/v2/simple/ventes/statut"),
    ("post", "/api/v2/simple/terminaux/enrolement"),
    ("post", "/api/v2/simple/terminaux/jeton"),
    ("post", "/api/v2/simple/ventes/rapprochement"),
    ("post", "/api/v2/simple/ventes/statut"),
    ("post", "/api/v2/simple/ventes/sync"),
}
# Described in the document's introduction, because they belong to no single call.
OF_NO_CALL = {"methode_non_permise"}


def operations() -> Iterator[tuple[str, str, dict]]:
    for path, described in document()["paths"].items():
        for method, operation in described.items():
            yield method, path, operation


def codes_of(operation: dict) -> dict[str, list[str]]:
    return {
        status: answer["content"]["application/problem+json"]["schema"]["properties"]["code"]["enum"]
        for status, answer in operation["responses"].items()
        if "application/problem+json" in answer.get("content", {})
    }


def test_the_document_is_valid() -> None:
    assert document()["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(document()).validate()


def test_every_schema_is_valid() -> None:
    for schema in document()["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_call_is_described() -> None:
    assert {(method, path) for method, path, _ in operations()} == OPERATIONS
    routes = {str(url.pattern) for url in get_resolver("backend.api.urls").url_patterns}
    described = {path.removeprefix("/api/v2/").replace("{recu}", "<str:recu>") for _, path, _ in operations()}
    assert {route for route in routes if route.startswith("simple/")} == described


def test_every_problem_is_described_where_it_can_happen() -> None:
    found = {code for *_, operation in operations() for codes in codes_of(operation).values() for code in codes}
    assert found == set(PROBLEMS) - OF_NO_CALL
    for code in OF_NO_CALL:
        assert code in document()["info"]["description"]


def test_a_problems_codes_have_its_status() -> None:
    for *_, operation in operations():
        for status, codes in codes_of(operation).items():
            assert {PROBLEMS[code][0] for code in codes} == {int(status)}


def test_every_refusal_of_a_sale_is_described() -> None:
    assert set(SALE_CODES) == {refusal.code for refusal in SaleRefused.__subclasses__()}


def test_every_field_that_is_read_of_a_sale_is_described() -> None:
    """One Struct reads every kind: a field that no kind lists would be read, but described nowhere."""
    of_kinds = {name for parts in KINDS.values() for part in parts for name in part}
    assert {"type", *CIRCUMSTANCES, *of_kinds} == set(WireSale.__struct_fields__)
    assert {*LINE, *RETURNED_LINE} == set(WireLine.__struct_fields__)


def test_every_name_of_a_struct_is_the_name_of_a_described_one() -> None:
    assert set(NAMES.values()) <= set(document()["components"]["schemas"])


def test_every_call_says_how_it_is_authenticated() -> None:
    schemes = document()["components"]["securitySchemes"]
    assert schemes["serie"] == {"type": "apiKey", "in": "header", "name": "X-Device-Serial"}
    assert schemes["serie_ancienne"] == {"type": "apiKey", "in": "header", "name": "Device-Serial"}
    assert schemes["jeton"] == {"type": "http", "scheme": "bearer"}
    for _, path, operation in operations():
        if path.endswith("terminaux/enrolement"):
            assert "security" not in operation, "who has no token yet comes with a code"
            continue
        assert {"serie": [], "jeton": []} in operation["security"]
        # Old devices may call with their serial alone, but never renew a token.
        assert ({"serie": []} in operation["security"]) != path.endswith("terminaux/jeton")


def test_every_reference_exists() -> None:
    components = document()["components"]["schemas"]
    text = json.dumps(document(), ensure_ascii=False, default=str)
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named - set(components) == set()
    assert set(components) - named == set()


@pytest.mark.parametrize("accept", ["application/vnd.oai.openapi+json", "application/json"])
def test_the_document_is_public(accept: str) -> None:
    answer = Client().get("/api/v2/schema/", headers={"Accept": accept})
    assert answer.status_code == 200
    assert json.loads(answer.content)["paths"].keys() == document()["paths"].keys()


@pytest.mark.parametrize("query", ["version=a%0Ab", "version=3", "lang=en", "lang=..%2F..", "x=1"])
def test_no_query_parameter_gets_into_the_document_or_its_headers(query: str) -> None:
    answer = Client().get(f"/api/v2/schema/?{query}", headers={"Accept": "application/json"})
    assert answer.status_code == 200
    assert json.loads(answer.content)["info"]["version"] == __version__
