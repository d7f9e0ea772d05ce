"""Decimals: rounded half-up, and bounded before they reach the database."""

from decimal import Decimal

import pytest

from backend.sales.errors import FieldInvalid
from backend.sales.money.amounts import MONEY_PLACES, QUANTITY_PLACES, RATE_PLACES, bounded, round_half_up

pytestmark = pytest.mark.embedded


@pytest.mark.parametrize(
    ("value", "places", "rounded"),
    [
        ("0.005", MONEY_PLACES, "0.01"),
        ("0.0049999999", MONEY_PLACES, "0.00"),
        ("2.665", MONEY_PLACES, "2.67"),
        ("1.0005", QUANTITY_PLACES, "1.001"),
        ("0.30000000000000004", MONEY_PLACES, "0.30"),
        ("2850", RATE_PLACES, "2850.00000000"),
    ],
)
def test_it_rounds_half_up(value: str, places: int, rounded: str) -> None:
    assert str(round_half_up(Decimal(value), places)) == rounded


@pytest.mark.parametrize(
    ("value", "places"),
    [
        ("NaN", MONEY_PLACES),
        ("sNaN", MONEY_PLACES),
        ("Infinity", MONEY_PLACES),
        ("-0.01", MONEY_PLACES),
        ("1E+400", MONEY_PLACES),
        ("1E-400", MONEY_PLACES),
        ("100000000000", MONEY_PLACES),
        ("10000000000", QUANTITY_PLACES),
        ("1000000000", RATE_PLACES),
        ("0." + "1" * 41, MONEY_PLACES),
    ],
)
def test_it_refuses_what_no_column_holds(value: str, places: int) -> None:
    with pytest.raises(FieldInvalid) as refused:
        bounded(Decimal(value), "lignes[0].quantite", places=places)
    assert refused.value.path == "lignes[0].quantite"


@pytest.mark.parametrize(
    ("value", "places"),
    [
        ("0", MONEY_PLACES),
        ("0.00", MONEY_PLACES),
        ("99999999999.999", MONEY_PLACES),
        ("9999999999.9999", QUANTITY_PLACES),
        ("999999999.99", RATE_PLACES),
        ("0." + "1" * 40, MONEY_PLACES),
    ],
)
def test_it_accepts_what_a_column_holds_once_rounded(value: str, places: int) -> None:
    assert bounded(Decimal(value), "x", places=places) == Decimal(value)
