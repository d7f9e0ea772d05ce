"""The check of answers against the document finds what it is there to find."""

import jsonschema_rs
import pytest

from tests.conformity import check_body

OBJECT = {"type": "object", "properties": {"recu": {"type": "string", "format": "uuid"}, "le": {"type": "string"}}}
DATED = {"type": "object", "properties": {"le": {"type": "string", "format": "date-time"}}}


@pytest.mark.parametrize(("body", "schema"), [
    ({"recu": "0b06cb1f-93d5-4f3e-a9a4-1a9b6a7c4b0a", "reçu": 1}, OBJECT),
    ({"recu": 1}, OBJECT),
    ({"recu": "un reçu"}, OBJECT),
    ({"le": "hier"}, DATED),
    ({}, {"$ref": "#/components/schemas/Erreur"}),
], ids=["a key more", "another type", "no uuid", "no instant", "a key less, of a component"])  # fmt: skip
def test_a_body_that_is_not_described_is_found(body: object, schema: dict[str, object]) -> None:
    with pytest.raises(jsonschema_rs.ValidationError):
        check_body(body, schema)


def test_a_body_that_is_described_is_accepted() -> None:
    check_body({"recu": "0b06cb1f-93d5-4f3e-a9a4-1a9b6a7c4b0a", "le": "hier"}, OBJECT)
    check_body({"le": "2026-11-30T10:00:00+01:00"}, DATED)
