"""How amounts, quantities and moments are written."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from backend.web import formats
from backend.web.wording import sales

pytestmark = pytest.mark.embedded


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("184000.00", "CDF", "184 000 FC"),
        ("184000.50", "CDF", "184 000,50 FC"),
        ("0", "CDF", "0 FC"),
        ("999", "CDF", "999 FC"),
        ("-12500", "CDF", "−12 500 FC"),
        ("10.5", "USD", "10,50 $US"),
        ("1234567.00", "USD", "1 234 567,00 $US"),
        ("3", "EUR", "3,00 €"),
        ("3", "RWF", "3,00 RWF"),
    ],
)
def test_money_is_written_as_the_shop_says_it(amount: str, currency: str, written: str) -> None:
    assert formats.money(Decimal(amount), currency).replace(formats.SPACE, " ") == written


def test_an_amount_is_never_broken_over_two_lines() -> None:
    assert " " not in formats.money(Decimal(184000), "CDF")


@pytest.mark.parametrize(
    ("value", "written"),
    [("2.000", "2"), ("1.500", "1,5"), ("0.125", "0,125"), ("1000", "1 000"), ("-3.000", "−3"), ("0", "0")],
)
def test_a_quantity_has_no_trailing_zeros(value: str, written: str) -> None:
    assert formats.quantity(Decimal(value)).replace(formats.SPACE, " ") == written


@pytest.mark.parametrize(("value", "written"), [("2", "+2"), ("-1.5", "−1,5")])
def test_a_movement_has_its_sign(value: str, written: str) -> None:
    assert formats.signed_quantity(Decimal(value)) == written


@pytest.mark.parametrize(
    ("at", "words"),
    [
        # 16:42 UTC is 17:42 in Kinshasa.
        (datetime(2024, 11, 6, 16, 42, tzinfo=UTC), "aujourd'hui 17:42"),
        (datetime(2024, 11, 5, 8, 12, tzinfo=UTC), "hier 09:12"),
        # Late on the 4th in UTC is the 5th there: yesterday.
        (datetime(2024, 11, 4, 23, 30, tzinfo=UTC), "hier 00:30"),
        (datetime(2024, 11, 4, 16, 42, tzinfo=UTC), "4 nov. 2024, 17:42"),
        (datetime(2024, 11, 7, 16, 42, tzinfo=UTC), "7 nov. 2024, 17:42"),
    ],
)
def test_a_moment_is_written_as_people_say_it(at: datetime, words: str) -> None:
    with timezone.override(ZoneInfo("Africa/Kinshasa")):
        assert formats.moment(at, now=datetime(2024, 11, 6, 17, 0, tzinfo=UTC)) == words


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2024, 11, 6), "aujourd'hui"),
        (date(2024, 11, 5), "hier"),
        (date(2024, 11, 4), "lundi 4 novembre 2024"),
        (date(2024, 11, 7), "jeudi 7 novembre 2024"),
    ],
)
def test_a_day_is_written_as_people_say_it(day: date, words: str) -> None:
    assert formats.day(day, today=date(2024, 11, 6)) == words


def test_an_unknown_payment_mode_is_readable() -> None:
    assert sales.payment_mode("CASH") == "Espèces"
    assert sales.payment_mode("BON_ACHAT") == "Bon achat"
