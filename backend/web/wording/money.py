"""The shopkeeper's words for money that changes hands: `5,00 $US et 10 750 FC en espèces`."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from backend.sales.money.movements import CASH
from backend.shops.exchange_rates import ExchangeRates, Pair, pair_of
from backend.web import formats
from backend.web.wording.sales import payment_mode


@dataclass(frozen=True)
class Way:
    """An amount, not negative, of money in one mode and one currency."""

    mode: str
    currency: str
    amount: Decimal


def money_words(ways: Iterable[Way]) -> str:
    """Return `5,00 $US et 10 750 FC en espèces`; several modes one after the other; empty for no money."""
    by_mode: dict[str, list[str]] = {}
    for way in ways:
        by_mode.setdefault(way.mode, []).append(formats.money(way.amount, way.currency))
    return " + ".join(_in_mode(_(" et ").join(amounts), mode) for mode, amounts in by_mode.items())


def _in_mode(amounts: str, mode: str) -> str:
    if mode == CASH:
        return _("%(amounts)s en espèces") % {"amounts": amounts}
    return f"{amounts} ({payment_mode(mode)})"


def rate_label(pair: Pair) -> str:
    """Return the label of a field for a rate: `Cours : FC pour 1 $US`."""
    names = {"quote": formats.symbol(pair.quote), "base": formats.symbol(pair.base)}
    return _("Cours : %(quote)s pour 1 %(base)s") % names


def rate_words(pair: Pair, rate: Decimal) -> str:
    """Return `1 $US = 2 850 FC`."""
    return f"1 {formats.symbol(pair.base)} = {formats.quantity(rate)} {formats.symbol(pair.quote)}".replace(
        " ", formats.SPACE
    )


def rates_words(rates: ExchangeRates, currencies: Iterable[str]) -> str:
    """Return the rates of these currencies that are known, one after the other."""
    known = [currency for currency in currencies if currency in rates.rates]
    return ", ".join(rate_words(pair_of(rates.currency, currency), rates.rates[currency]) for currency in known)
