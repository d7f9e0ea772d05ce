"""Readers of single fields: each returns the value, bounded and rounded, or raises FieldInvalid with its path. Pure."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import overload

import msgspec

from backend.sales.errors import FieldInvalid, Reason
from backend.sales.money.amounts import MONEY_PLACES, bounded, round_half_up
from backend.sales.wire.split import number_fault
from backend.sales.wire.structs import MODE_LENGTH_MAX, Amount, Currency

_CURRENCY = re.compile(r"[A-Za-z]{3}")


def read_number(text: str | None) -> str:
    number = (text or "").strip()
    fault = number_fault(number)
    if fault:
        raise FieldInvalid("numero_facture", fault)
    return number


def read_mode(text: str, path: str) -> str:
    mode = text.strip()
    if not 0 < len(mode) <= MODE_LENGTH_MAX or not mode.isprintable():
        raise FieldInvalid(path, Reason.MODE_UNREADABLE())
    return mode


def read_currency(text: str | None, path: str) -> str | None:
    if text is None:
        return None
    if not _CURRENCY.fullmatch(text.strip()):
        raise FieldInvalid(path, Reason.CURRENCY_UNREADABLE())
    return text.strip().upper()


def read_vat_rate(rate: Decimal | None, path: str) -> Decimal | None:
    if rate is None:
        return None
    if bounded(rate, path, places=MONEY_PLACES) > 100:
        raise FieldInvalid(path, Reason.ABOVE_100())
    return round_half_up(rate, MONEY_PLACES)


@overload
def read_money(amount: Decimal, path: str, warnings: list[str]) -> Decimal: ...
@overload
def read_money(amount: Decimal | None, path: str, warnings: list[str]) -> Decimal | None: ...
def read_money(amount: Decimal | None, path: str, warnings: list[str]) -> Decimal | None:
    return None if amount is None else read_rounded(amount, path, warnings, places=MONEY_PLACES)


def read_rounded(value: Decimal, path: str, warnings: list[str], *, places: int) -> Decimal:
    rounded = round_half_up(bounded(value, path, places=places), places)
    if rounded != value:
        warnings.append("arrondi")
    return rounded


AMOUNTS_MAX = 100


class WireAmount(msgspec.Struct, frozen=True):
    montant: Amount
    devise: Currency | None = None


def read_amount(value: Decimal, path: str) -> Decimal:
    """Return an amount of money that is not negative, with two places. Raises FieldInvalid at `path`."""
    return round_half_up(bounded(value, path, places=MONEY_PLACES), MONEY_PLACES)


def read_signed_amount(value: Decimal, path: str) -> Decimal:
    """Return an amount that may be negative: more may have been paid back in a mode than was taken in."""
    # copy_abs, because abs() and comparing raise for a signalling NaN.
    bounded(value.copy_abs(), path, places=MONEY_PLACES)
    return round_half_up(value, MONEY_PLACES)


def read_amounts(listed: Sequence[WireAmount] | None, path: str, *, default_currency: str) -> dict[str, Decimal]:
    """Return the sums by currency; an amount without a currency is in the shop's. Raises FieldInvalid with the path."""
    check_length(listed, path, at_most=AMOUNTS_MAX)
    sums: dict[str, Decimal] = {}
    for index, one in enumerate(listed or ()):
        currency = read_currency(one.devise, f"{path}[{index}].devise") or default_currency
        sums[currency] = sums.get(currency, Decimal(0)) + read_amount(one.montant, f"{path}[{index}].montant")
    return sums


def written(amount: Decimal) -> Decimal:
    """Return the amount as answers write it: `12000.00`, and never `-0.00`."""
    return round_half_up(amount, MONEY_PLACES) + 0


def check_length(listed: Sequence[object] | None, path: str, *, at_most: int) -> None:
    if listed is not None and len(listed) > at_most:
        raise FieldInvalid(path, Reason.TOO_MANY(count=at_most))
