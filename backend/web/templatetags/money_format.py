"""Filters for money that changes hands, and exchange rates."""

from decimal import Decimal

from django import template

from backend.inventory.french_numbers import write_number
from backend.shops.exchange_rates import Pair
from backend.shops.models import ExchangeRate
from backend.web import formats
from backend.web.wording import money

register = template.Library()

register.filter("money_words", money.money_words)
register.filter("currency_symbol", formats.symbol)


@register.filter
def rate_words(rate: ExchangeRate) -> str:
    return money.rate_words(Pair(rate.base, rate.quote), rate.rate)


@register.filter
def plain_amount(amount: Decimal) -> str:
    """Return the amount as a hidden field of a form carries it."""
    return write_number(amount)
