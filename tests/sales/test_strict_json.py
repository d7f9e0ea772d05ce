"""Faults in a sale's JSON, found with their path before msgspec reads it."""

import json

import pytest

from backend.sales.wire.strict_json import find_fault

pytestmark = pytest.mark.embedded


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ('{"remise": NaN}', "remise"),
        ('{"lignes": [{"quantite": 1}, {"quantite": -Infinity}]}', "lignes[1].quantite"),
        ('{"client": {"nom": "\\ud83d"}}', "client.nom"),
        ('{"client": {"nom": "a\\u0000b"}}', "client.nom"),
        ('{"client": {"nom": "a\\bb"}}', "client.nom"),
        ('{"motif": "a\\fb"}', "motif"),
        ('{"motif": "a\x01b"}', "motif"),
        ('{"remise": 1, "remise": 2}', "remise"),
        ('{"lignes": [{"quantite": 1, "quantite": 1}]}', "lignes[0].quantite"),
        ('{"client": {"\\ud800": 1}}', "client"),
        ('{"fiscal": {"x": ' + "1" * 5000 + "}}", "fiscal.x"),
        ('{"inconnu": 1.' + "1" * 5000 + "}", "inconnu"),
        ('{"inconnu": [1e400]}', "inconnu[0]"),
        ('{"inconnu": [-1E+400]}', "inconnu[0]"),
        ("[1]", ""),
        ("12", ""),
        ("NaN", ""),
    ],
)
def test_it_names_the_path_of_a_fault(raw: str, path: str) -> None:
    fault = find_fault(raw.encode())
    # A number or an array instead of a sale is left to the parser, unless it looks suspect.
    assert fault is None if raw in ("[1]", "12") else fault[0] == path


@pytest.mark.parametrize(
    "content",
    [
        {"numero_facture": "FAC-1", "client": {"nom": "Maman Chantal 🛒"}},
        {"motif": "deux\nlignes\tet une tabulation"},
        {"inconnu": {"inconnu": [1, 2.5, None, True, "NaN", "Infinity"]}},
        {"remise": 0.30000000000000004, "fiscal": {"signature": "1234567890" * 8}},
        {"chemin": "C:\\users\\bureau\\fichier"},
    ],
)
def test_a_sale_that_only_looks_odd_has_no_fault(content: dict) -> None:
    assert find_fault(json.dumps(content).encode()) is None
    assert find_fault(json.dumps(content, ensure_ascii=False).encode()) is None


def test_a_small_exponent_is_a_number() -> None:
    assert find_fault(b'{"x": [1e300, 1e-400, 12E+05]}') is None
