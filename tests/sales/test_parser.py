"""Reading one sale: amounts from the lines, and refusals with their path."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from backend.sales.errors import FieldInvalid, KindUnknown, french_of
from backend.sales.wire.parser import SALE_BYTES_MAX, ParsedSale, read_sale
from backend.sales.wire.structs import LINES_MAX, PAYMENTS_MAX

pytestmark = pytest.mark.embedded

LINE: dict[str, Any] = {"article_id": 15, "quantite": 2, "prix_unitaire": 25000}
SALE: dict[str, Any] = {"numero_facture": "FAC-1", "lignes": [LINE]}
UNIT = "6f1c1d0e-6a0e-4a52-9d39-0d3f6f3f1f10"


def read(**fields: Any) -> ParsedSale:
    return read_sale(json.dumps(SALE | fields).encode())


def read_line(**fields: Any) -> ParsedSale:
    return read(lignes=[LINE | fields])


def test_a_minimal_sale_is_read() -> None:
    sale = read()
    assert (sale.kind, sale.number, sale.total) == ("vente", "FAC-1", Decimal("50000.00"))
    assert (sale.payment_mode, sale.is_paid, sale.currency, sale.sold) == (None, True, None, None)
    assert sale.lines[0].key == (("article_id", 15),)
    assert sale.warnings == ()


def test_a_sale_with_every_field_is_read() -> None:
    sale = read(
        type="vente",
        numero_facture="  FAC-2  ",
        date_vente="2024-11-04T17:42:10+01:00",
        mode_paiement=" MOBILE_MONEY ",
        paye=False,
        devise="usd",
        remise="10",
        montant_total=49990,
        caissier={"code": "C2", "nom": "Caisse 2"},
        client={"nom": "Client comptoir", "telephone": None, "nif": "A1"},
        paiements=[{"mode": "CASH", "devise": "cdf", "montant": "28500", "taux": "0.00035"}, {"montant": 5}],
        motif="remis à demain",
        fiscal={"signature": "abc"},
        sequence=12,
    )
    assert (sale.number, sale.currency, sale.payment_mode, sale.is_paid) == ("FAC-2", "USD", "MOBILE_MONEY", False)
    assert (sale.discount, sale.total) == (Decimal("10.00"), Decimal("49990.00"))
    assert sale.sold.astimezone(UTC) == datetime(2024, 11, 4, 16, 42, 10, tzinfo=UTC)
    assert [(p.mode, p.currency, p.amount, p.rate) for p in sale.payments] == [
        ("CASH", "CDF", Decimal("28500.00"), Decimal("0.00035000")),
        ("CASH", None, Decimal("5.00"), None),
    ]
    assert (sale.cashier.code, sale.customer.nif, sale.reason) == ("C2", "A1", "remis à demain")
    assert json.loads(sale.fiscal) == {"signature": "abc"}
    assert sale.warnings == ()


def test_null_is_the_same_as_absent() -> None:
    names = "type date_vente devise remise montant_total mode_paiement paye paiements fiscal sequence caissier client"
    assert read(**dict.fromkeys([*names.split(), "motif", "origine"])) == read()


@pytest.mark.parametrize(
    ("line", "total"),
    [
        ({"quantite": 1.5, "prix_unitaire": 3000}, "4500.00"),
        ({"quantite": "1.5", "prix_unitaire": "3000.00", "remise": 500}, "4000.00"),
        ({"quantite": 0.333, "prix_unitaire": "0.05"}, "0.02"),
        ({"quantite": 0.5, "prix_unitaire": "0.01"}, "0.01"),
        ({"quantite": 3, "prix_unitaire": 0}, "0.00"),
    ],
)
def test_a_lines_total_is_computed(line: dict[str, Any], total: str) -> None:
    sale = read_line(**line)
    assert str(sale.total) == total
    assert sale.warnings == ()


def test_more_places_than_ours_are_rounded_with_a_warning() -> None:
    sale = read_line(prix_unitaire=0.1 + 0.2)  # 0.30000000000000004, as a C# double writes it
    assert str(sale.lines[0].unit_price) == "0.30"
    assert sale.warnings == ("arrondi",)
    assert read_line(prix_unitaire="0.300").warnings == ()


def test_a_total_that_differs_is_a_warning_and_the_lines_count() -> None:
    sale = read(montant_total=49999)
    assert (sale.total, sale.warnings) == (Decimal("50000.00"), ("montant_total_different",))
    assert read(montant_total="50000.001").warnings == ()


def test_a_unit_may_be_named_in_one_way_or_in_several() -> None:
    article = "9b2d7c51-1f38-4f6e-8d27-6b5a7d7b3c11"
    sale = read_line(unite_uuid=UNIT.upper(), article_uuid=article)
    assert sale.lines[0].key == (("unite_uuid", UNIT), ("article_uuid", article), ("article_id", 15))


BIG = "9" * 5000
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"numero_facture": None}, "numero_facture"),
    ({"numero_facture": ""}, "numero_facture"),
    ({"numero_facture": "   "}, "numero_facture"),
    ({"numero_facture": "x" * 65}, "numero_facture"),
    ({"numero_facture": "FAC-1~2"}, "numero_facture"),
    ({"numero_facture": "FAC\n1"}, "numero_facture"),
    ({"numero_facture": 12}, "numero_facture"),
    ({"lignes": []}, "lignes"),
    ({"lignes": None}, "lignes"),
    ({"lignes": [LINE] * (LINES_MAX + 1)}, "lignes"),
    ({"lignes": [LINE, "x"]}, "lignes[1]"),
    ({"lignes": [LINE, {**LINE, "quantite": "beaucoup"}]}, "lignes[1].quantite"),
    ({"lignes": [{"article_id": 15, "prix_unitaire": 1}]}, "lignes[0].quantite"),
    ({"lignes": [{"article_id": 15, "quantite": 1}]}, "lignes[0].prix_unitaire"),
    ({"lignes": [{"quantite": 1, "prix_unitaire": 1}]}, "lignes[0].article_id"),
    ({"remise": 50001}, "remise"),
    ({"remise": -1}, "remise"),
    ({"montant_total": "NaN"}, "montant_total"),
    ({"montant_total": True}, "montant_total"),
    ({"date_vente": "hier"}, "date_vente"),
    ({"date_vente": 20241104}, "date_vente"),
    ({"devise": "FC"}, "devise"),
    ({"mode_paiement": ""}, "mode_paiement"),
    ({"mode_paiement": "x" * 33}, "mode_paiement"),
    ({"paye": "oui"}, "paye"),
    ({"paiements": [{"mode": "CASH"}]}, "paiements[0].montant"),
    ({"paiements": [{"montant": 1, "taux": 0}]}, "paiements[0].taux"),
    ({"paiements": [{"montant": 1, "taux": "1e-9"}]}, "paiements[0].taux"),
    ({"paiements": [{"montant": -1}]}, "paiements[0].montant"),
    ({"paiements": [{"montant": 1, "devise": "F"}]}, "paiements[0].devise"),
    ({"paiements": [{"montant": 1}] * (PAYMENTS_MAX + 1)}, "paiements"),
    ({"client": {"nom": 5}}, "client.nom"),
    ({"client": "Luc"}, "client"),
    ({"sequence": -1}, "sequence"),
    ({"sequence": 2**63}, "sequence"),
    ({"fiscal": {"x": "y" * 9000}}, "fiscal"),
]


@pytest.mark.parametrize(("fields", "path"), REFUSED, ids=[f"{at}-{path}" for at, (_, path) in enumerate(REFUSED)])
def test_an_invalid_field_is_refused_with_its_path(fields: dict[str, Any], path: str) -> None:
    assert read().number == "FAC-1"
    with pytest.raises(FieldInvalid) as refused:
        read(**fields)
    assert refused.value.path == path
    assert french_of(refused.value).startswith("Champ invalide : ")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quantite", 0),
        ("quantite", "0.0004"),
        ("quantite", -1),
        ("quantite", "Infinity"),
        ("quantite", "1e400"),
        ("quantite", int("9" * 39)),
        ("prix_unitaire", -1),
        ("prix_unitaire", 10**12),
        ("remise", 50001),
        ("taux_tva", 101),
        ("unite_uuid", "DZ"),
        ("article_id", 0),
        ("article_id", 2**63),
        ("article_id", "15"),
        ("article_id", 1.5),
    ],
)
def test_an_invalid_line_is_refused_with_its_path(field: str, value: object) -> None:
    with pytest.raises(FieldInvalid) as refused:
        read(lignes=[LINE, LINE | {field: value}])
    assert refused.value.path == f"lignes[1].{field}"


def test_a_line_total_too_large_for_its_column_is_refused() -> None:
    with pytest.raises(FieldInvalid):
        read_line(quantite=9_999_999_999, prix_unitaire=99_999_999_999)
    with pytest.raises(FieldInvalid):
        read(lignes=[LINE | {"quantite": 1, "prix_unitaire": 90_000_000_000}] * 2)


def test_two_hundred_lines_are_read() -> None:
    assert len(read(lignes=[LINE] * LINES_MAX).lines) == LINES_MAX


def test_an_unknown_kind_has_a_code_of_its_own() -> None:
    with pytest.raises(KindUnknown) as refused:
        read(type="devis")
    assert (refused.value.path, french_of(refused.value)) == ("type", "Type inconnu : devis")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("annulation", {}), ("retour", {"lignes": [{"ligne": 1, "quantite": 2}]}), ("paiement", {"montant": "10.5"})],
)
def test_a_follower_is_read_with_its_origin(kind: str, fields: dict) -> None:
    raw = {"type": kind, "numero_facture": "X-1", "origine": {"numero_facture": "FAC-1"}, "motif": "erreur", **fields}
    sale = read_sale(json.dumps(raw).encode())
    assert (sale.kind, sale.origin, sale.reason) == (kind, ("numero_facture", "FAC-1"), "erreur")


def test_unknown_fields_are_ignored() -> None:
    assert read(inconnu={"profond": [1, {"x": None}]}, SEQUENCE=3) == read()


def test_a_sale_too_long_to_be_read_in_time_is_refused_alone() -> None:
    read(inconnu="x" * (SALE_BYTES_MAX - 1000))
    with pytest.raises(FieldInvalid) as refused:
        read(inconnu="x" * SALE_BYTES_MAX)
    assert french_of(refused.value) == "Champ invalide : vente de plus de 524288 octets"
