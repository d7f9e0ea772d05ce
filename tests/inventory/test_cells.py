"""Values of cells. Nothing is guessed: an ambiguous number is refused."""

from decimal import Decimal

import pytest

from backend.inventory.french_numbers import write_number
from backend.inventory.importing.cells import (
    CellUnreadable,
    escape_formula,
    folded,
    read_number,
    read_yes_or_no,
    unescape_formula,
)


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("25000", "25000"),
        (" 25 000,50 ", "25000.50"),
        ("25\u00a0000,50", "25000.50"),
        ("25\u202f000,50", "25000.50"),
        ("25\u2009000", "25000"),
        ("25 000,125", "25000.125"),
        ("25000.5", "25000.5"),
        ("25.000,50", "25000.50"),
        ("25,000.50", "25000.50"),
        ("1.000.000", "1000000"),
        ("1,000,000", "1000000"),
        ("0,125", "0.125"),
        ("1,1250", "1.125"),
        ("2500,125", "2500.125"),
        ("-5", "-5"),
        ("\N{MINUS SIGN}5", "-5"),
        (Decimal("25.125"), "25.125"),
    ],
)
def test_a_number_is_read_as_people_write_it_here(cell: str | Decimal, number: str) -> None:
    assert read_number(cell) == Decimal(number)


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("25.000", "« 25.000 » est ambigu : écrivez 25000, ou 25,0000"),
        ("25,000", "« 25,000 » est ambigu : écrivez 25000, ou 25,0000"),
        ("-1,125", "« -1,125 » est ambigu : écrivez -1125, ou -1,1250"),
        ("25 00", "« 25 00 » n'est pas un nombre"),
        ("2 5000", "« 2 5000 » n'est pas un nombre"),
        ("25 000 FC", "« 25 000 FC » n'est pas un nombre"),
        ("1.000,00,0", "« 1.000,00,0 » n'est pas un nombre"),
        ("1e5", "« 1e5 » n'est pas un nombre"),
        ("NaN", "« NaN » n'est pas un nombre"),
        ("Infinity", "« Infinity » n'est pas un nombre"),
        ("١٢", "« ١٢ » n'est pas un nombre"),
        ("1_000", "« 1_000 » n'est pas un nombre"),
        (",5", "« ,5 » n'est pas un nombre"),
        ("9" * 41, "nombre trop long"),
    ],
)
def test_a_text_that_is_no_number_or_ambiguous_is_refused(cell: str, sentence: str) -> None:
    with pytest.raises(CellUnreadable) as refused:
        read_number(cell)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("number", "text"),
    [("25000.00", "25000"), ("25000.50", "25000,5"), ("1.125", "1,1250"), ("0.125", "0,1250"), ("0.000", "0")],
)
def test_a_written_number_is_read_back(number: str, text: str) -> None:
    assert write_number(Decimal(number)) == text
    assert read_number(text) == Decimal(number)


def test_yes_and_no_may_be_written_in_several_ways() -> None:
    assert [read_yes_or_no(word) for word in ("Oui", "VRAI", "1", Decimal(1), " o ")] == [True] * 5
    assert [read_yes_or_no(word) for word in ("non", "Faux", "0", Decimal(0), "N")] == [False] * 5
    with pytest.raises(CellUnreadable, match="oui ou non attendu, pas « peut-être »"):
        read_yes_or_no("peut-être")


@pytest.mark.parametrize("text", ["=1+1", "+243 81", "-2", "@SUM(A1)", "\t=1", "'=1", "''", "'", "Riz", "l'huile", ""])
def test_an_escaped_text_is_no_formula_and_is_read_back_unchanged(text: str) -> None:
    assert not escape_formula(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unescape_formula(escape_formula(text)) == text


def test_headers_are_recognised_in_any_case_and_without_accents() -> None:
    assert {folded(text) for text in ("Code barres", "CODE-BARRES", " code_barrés ", "code\u00a0barres")} == {
        "code_barres"
    }
