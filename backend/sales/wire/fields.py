"""Single fields of a sale: read, bounded, rounded, or refused with their path. Pure."""

import re
from decimal import Decimal
from typing import overload

from backend.sales.errors import FieldInvalid
from backend.sales.money.amounts import MONEY_PLACES, bounded, round_half_up
from backend.sales.wire.split import number_fault
from backend.sales.wire.structs import MODE_LENGTH_MAX

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
        raise FieldInvalid(path, "mode de paiement illisible")
    return mode


def read_currency(text: str | None, path: str) -> str | None:
    if text is None:
        return None
    if not _CURRENCY.fullmatch(text.strip()):
        raise FieldInvalid(path, "code de trois lettres attendu")
    return text.strip().upper()


def read_vat_rate(rate: Decimal | None, path: str) -> Decimal | None:
    if rate is None:
        return None
    if bounded(rate, path, places=MONEY_PLACES) > 100:
        raise FieldInvalid(path, "supérieur à 100")
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
