"""Lists of amounts in several currencies, as tills report them: read, bounded, summed by currency. Pure."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from backend.sales.errors import FieldInvalid
from backend.sales.money.amounts import MONEY_PLACES, bounded, round_half_up
from backend.sales.wire.fields import read_currency
from backend.sales.wire.structs import Amount, Currency

AMOUNTS_MAX = 100


class WireAmount(msgspec.Struct, frozen=True):
    montant: Amount
    devise: Currency | None = None


def read_amount(value: Decimal, path: str) -> Decimal:
    """Return an amount of money that is not negative, with two places. Raises FieldInvalid at `path`."""
    return round_half_up(bounded(value, path, places=MONEY_PLACES), MONEY_PLACES)


def read_signed_amount(value: Decimal, path: str) -> Decimal:
    """Return an amount that may be negative: what went back in a mode may be more than what came in."""
    # Of a signalling NaN even the sign is an error: asked by copying, which asks nothing.
    bounded(value.copy_abs(), path, places=MONEY_PLACES)
    return round_half_up(value, MONEY_PLACES)


def read_amounts(listed: Sequence[WireAmount] | None, path: str, *, default_currency: str) -> dict[str, Decimal]:
    """Return the sums by currency; an amount without a currency is in the shop's. Raises FieldInvalid with the path."""
    check_length(listed, path, at_most=AMOUNTS_MAX)
    sums: dict[str, Decimal] = {}
    for at, one in enumerate(listed or ()):
        currency = read_currency(one.devise, f"{path}[{at}].devise") or default_currency
        sums[currency] = sums.get(currency, Decimal(0)) + read_amount(one.montant, f"{path}[{at}].montant")
    return sums


def written(amount: Decimal) -> Decimal:
    """Return the amount as answers write it: `12000.00`, and never a zero with a sign."""
    return round_half_up(amount, MONEY_PLACES) + 0


def check_length(listed: Sequence[object] | None, path: str, *, at_most: int) -> None:
    if listed is not None and len(listed) > at_most:
        raise FieldInvalid(path, f"plus de {at_most}")
