"""Fingerprints: equal for the same sale, different for any other."""

import json
from typing import Any

import pytest

from backend.sales.wire.parser import read_sale

pytestmark = pytest.mark.embedded

SALE: dict[str, Any] = {
    "numero_facture": "FAC-1",
    "date_vente": "2024-11-04T17:42:10+01:00",
    "remise": 5,
    "devise": "CDF",
    "lignes": [
        {"article_id": 15, "quantite": 2, "prix_unitaire": 3000, "remise": 0},
        {"article_id": 18, "quantite": 1, "prix_unitaire": 74000},
    ],
}
FIRST, SECOND = SALE["lignes"]
VOID = {"type": "annulation", "numero_facture": "AVO-1", "origine": {"numero_facture": "FAC-1"}}
RETURN = {**VOID, "type": "retour", "lignes": [{"ligne": 1, "quantite": 1}]}


def fingerprint(sale: dict[str, Any]) -> str:
    return read_sale(json.dumps(sale).encode()).fingerprint


@pytest.mark.parametrize(
    "rewritten",
    [
        {"sequence": 12, "montant_total": 1, "caissier": {"nom": "Luc"}, "client": {"nom": "Ève"}, "inconnu": [1]},
        {"mode_paiement": "MOBILE_MONEY", "paye": False, "paiements": [{"montant": 1}]},
        {"remise": "5.00"},
        {"lignes": [FIRST | {"quantite": "2.000", "prix_unitaire": 3e3, "remise": "0.00"}, SECOND]},
        {"lignes": [FIRST | {"taux_tva": 16, "ligne": 1, "nom": "Riz"}, SECOND]},
    ],
)
def test_a_sale_written_differently_keeps_its_fingerprint(rewritten: dict[str, Any]) -> None:
    assert fingerprint(SALE | rewritten) == fingerprint(SALE)


@pytest.mark.parametrize(
    "changed",
    [
        {"date_vente": "2024-11-04T16:42:10Z"},
        {"date_vente": None},
        {"devise": "USD"},
        {"devise": None},
        {"remise": 6},
        {"remise": None},
        {"lignes": [SECOND, FIRST]},
        {"lignes": [FIRST]},
        {"lignes": [FIRST | {"quantite": 3}, SECOND]},
        {"lignes": [FIRST | {"prix_unitaire": 3001}, SECOND]},
        {"lignes": [FIRST | {"remise": 1}, SECOND]},
        {"lignes": [FIRST | {"remise": None}, SECOND]},
        {"lignes": [FIRST | {"article_id": 16}, SECOND]},
        {"lignes": [FIRST | {"unite_uuid": "6f1c1d0e-6a0e-4a52-9d39-0d3f6f3f1f10"}, SECOND]},
    ],
)
def test_another_sale_has_another_fingerprint(changed: dict[str, Any]) -> None:
    assert fingerprint(SALE | changed) != fingerprint(SALE)


def test_a_line_number_on_a_sale_does_not_hide_what_was_sold() -> None:
    """A till may number its lines: if the number replaced the article, two sales would look the same."""
    numbered = [SALE | {"lignes": [FIRST | {"ligne": 1, "article_id": article}]} for article in (15, 16)]
    assert fingerprint(numbered[0]) != fingerprint(numbered[1])


def test_documents_that_follow_differ_by_kind_origin_line_and_amount() -> None:
    payment = {**VOID, "type": "paiement", "montant": 25000}
    all_of_them = [
        VOID,
        VOID | {"origine": {"numero_facture": "FAC-2"}},
        VOID | {"origine": {"vente_id": 1}},
        RETURN,
        RETURN | {"lignes": [{"ligne": 2, "quantite": 1}]},
        RETURN | {"lignes": [{"ligne": 1, "quantite": 2}]},
        payment,
        payment | {"montant": 1},
    ]
    assert len({fingerprint(one) for one in all_of_them}) == len(all_of_them)


def test_a_fingerprint_has_its_version_and_does_not_change() -> None:
    assert fingerprint(SALE) == "1:ff2d81bd3e4f2b1e6a4ed33def6d348fd1ed5ea4798ca97439c252796bedc97d"
