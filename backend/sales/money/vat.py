"""The tax in a document's price. Prices include it: net = gross / (1 + rate), rounded half-up for each rate."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from backend.sales.money.amounts import MONEY_PLACES, round_half_up


@dataclass(frozen=True, slots=True)
class VatPart:
    """What was sold at one rate, in percent. net + tax = gross, to the cent."""

    rate: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal


def vat_parts(*, lines: Iterable[tuple[Decimal, Decimal]], total: Decimal) -> list[VatPart]:
    """Return a part for each rate, lowest first; their gross sums add up to `total`.

    lines: each line's (rate, total). The document's discount, by which its total is less than the lines' sum, is shared
    out over the rates in proportion, so that no cent is lost.
    """
    sums: dict[Decimal, Decimal] = defaultdict(Decimal)
    for rate, amount in lines:
        sums[rate.normalize()] += amount
    whole = sum(sums.values(), Decimal(0))
    parts = []
    so_far = given = Decimal(0)
    for rate in sorted(sums):
        so_far += sums[rate]
        up_to_here = round_half_up(total * so_far / whole, MONEY_PLACES) if whole else Decimal(0)
        gross = up_to_here - given
        given = up_to_here
        net = round_half_up(gross * 100 / (100 + rate), MONEY_PLACES)
        parts.append(VatPart(rate=rate, net=net, tax=gross - net, gross=gross))
    return parts
