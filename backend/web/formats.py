"""How amounts, quantities and moments are written for people: pure functions, no request and no database."""

import datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

# Not the narrow no-break space that typographers prefer: old phones show a box for it.
SPACE = "\N{NO-BREAK SPACE}"
SYMBOLS = {"CDF": "FC", "USD": gettext_noop("$US"), "EUR": "€", "XAF": "FCFA", "XOF": "FCFA"}
# Currencies whose cents are not used in practice: written only if not zero.
WITHOUT_CENTS = {"CDF", "XAF", "XOF"}


def money(amount: Decimal, currency: str) -> str:
    """Return `184 000 FC`, `10,50 $US`: spaces between thousands, a decimal comma, the currency as people write it."""
    amount = Decimal(amount).quantize(Decimal("0.01"))
    places = 0 if currency in WITHOUT_CENTS and amount == amount.to_integral_value() else 2
    return f"{_number(amount, places)}{SPACE}{symbol(currency)}"


def symbol(currency: str) -> str:
    """Return the currency as people write it: `FC`, `$US`."""
    return _(SYMBOLS[currency]) if currency in SYMBOLS else currency


def quantity(value: Decimal | int) -> str:
    """Return `2`, `1,5`, `1 000`: no trailing zeros."""
    value = Decimal(value)
    places = max(0, -int(value.normalize().as_tuple().exponent))
    return _number(value, places)


def signed_quantity(value: Decimal) -> str:
    """Return `+2`, `−2`, with a real minus sign: screen readers read it, and columns align."""
    text = quantity(abs(value))
    return f"−{text}" if value < 0 else f"+{text}"


def _number(value: Decimal, places: int) -> str:
    """Format a number, with spaces between thousands in every language: `25,000` means twenty-five to many readers."""
    text = f"{value:,.{places}f}".replace(",", SPACE).replace(".", _(","))
    return text.replace("-", "−")


def moment(at: datetime.datetime, *, now: datetime.datetime) -> str:
    """Return `aujourd'hui 17:42`, `hier 09:12`, else `4 nov. 2024, 17:42`, in the active time zone."""
    local = timezone.localtime(at)
    clock = f"{local:%H:%M}"
    days_ago = (timezone.localtime(now).date() - local.date()).days
    if days_ago == 0:
        return _("aujourd'hui %(clock)s") % {"clock": clock}
    if days_ago == 1:
        return _("hier %(clock)s") % {"clock": clock}
    return f"{date_format(local, 'j N Y')}, {clock}"


def day(date: datetime.date, *, today: datetime.date) -> str:
    """Return `aujourd'hui`, `hier`, else `lundi 4 novembre 2024`."""
    days_ago = (today - date).days
    if days_ago == 0:
        return _("aujourd'hui")
    if days_ago == 1:
        return _("hier")
    return date_format(date, "l j F Y")
