"""Checks of the fields of articles and units, one per field, for the services and the spreadsheet import.

Each takes a value of the field's type and returns the value to store, or raises FieldInvalid.
"""

import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop as _

from backend.inventory.errors import FieldInvalid
from backend.inventory.models import UnitLevel
from backend.shops.models import Shop

CODE_CHARACTERS_MAX = 40
NAME_CHARACTERS_MAX = 160
MARK_CHARACTERS_MAX = 24
PRICE_MAX = Decimal("999999999999.99")  # the column is DECIMAL(14, 2)
QUANTITY_MAX = Decimal("99999999999.999")  # DECIMAL(14, 3)
VAT_RATE_MAX = Decimal(100)
CENT = Decimal("0.01")
THOUSANDTH = Decimal("0.001")


def checked_code(value: str) -> str:
    return _text(value, "code", characters_max=CODE_CHARACTERS_MAX)


def checked_barcode(value: str | None) -> str | None:
    """An empty barcode is stored as None."""
    return _text(value, "barcode", characters_max=CODE_CHARACTERS_MAX, may_be_empty=True) if value else None


def checked_name(value: str) -> str:
    return _text(value, "name", characters_max=NAME_CHARACTERS_MAX)


def checked_mark(value: str) -> str:
    return _text(value, "mark", characters_max=MARK_CHARACTERS_MAX, may_be_empty=True)


def checked_is_active(value: bool) -> bool:
    if not isinstance(value, bool):
        raise FieldInvalid("is_active", _("oui ou non attendu"))
    return value


def checked_level(value: str) -> UnitLevel:
    if value not in UnitLevel.values:
        raise FieldInvalid("level", _("niveau attendu : %(levels)s"), levels=", ".join(UnitLevel.values))
    return UnitLevel(value)


def checked_holds(value: Decimal | None, *, level: str) -> Decimal | None:
    if value is None:
        return None
    if level == UnitLevel.PIECE:
        raise FieldInvalid("holds", _("une pièce ne contient rien de plus petit"))
    value = _number(value, "holds", step=THOUSANDTH, largest=QUANTITY_MAX)
    if not value:
        raise FieldInvalid("holds", _("doit être plus grand que zéro, ou vide s'il est inconnu"))
    return value


def checked_price(value: Decimal) -> Decimal:
    return _number(value, "price", step=CENT, largest=PRICE_MAX)


def checked_currency(value: str, *, shop: Shop) -> str:
    if value not in shop.accepted_currencies:
        template = _("devise non acceptée par cette boutique (acceptées : %(currencies)s)")
        raise FieldInvalid("currency", template, currencies=", ".join(sorted(shop.accepted_currencies)))
    return value


def checked_vat_rate(value: Decimal) -> Decimal:
    return _number(value, "vat_rate", step=CENT, largest=VAT_RATE_MAX)


def checked_threshold(value: Decimal | None) -> Decimal | None:
    if value is None:
        return None
    return _number(value, "low_stock_threshold", step=THOUSANDTH, largest=QUANTITY_MAX)


def checked_opening_stock(value: Decimal) -> Decimal:
    return _number(value, "stock", step=THOUSANDTH, largest=QUANTITY_MAX)


ARTICLE_CHECKS: dict[str, Callable[[Any], Any]] = {
    "code": checked_code,
    "name": checked_name,
    "barcode": checked_barcode,
    "is_active": checked_is_active,
}
UNIT_FIELDS = ("mark", "holds", "price", "currency", "vat_rate", "low_stock_threshold")


def checked_unit_field(field: str, value: Any, *, shop: Shop, level: str) -> object:
    """Check one of UNIT_FIELDS: `holds` depends on the unit's level, `currency` on the shop."""
    if field == "holds":
        return checked_holds(value, level=level)
    if field == "currency":
        return checked_currency(value, shop=shop)
    checks: dict[str, Callable[[Any], Any]] = {
        "mark": checked_mark,
        "price": checked_price,
        "vat_rate": checked_vat_rate,
        "low_stock_threshold": checked_threshold,
    }
    return checks[field](value)


def _text(value: str, field: str, *, characters_max: int, may_be_empty: bool = False) -> str:
    """Check a text. Normalizes it to NFC: otherwise two codes that look the same could differ."""
    value = unicodedata.normalize("NFC", value.strip())
    if not value and not may_be_empty:
        raise FieldInvalid(field, _("ne peut pas être vide"))
    if len(value) > characters_max:
        raise FieldInvalid(field, _("%(count)s caractères au plus"), count=characters_max)
    if not value.isprintable():
        raise FieldInvalid(field, _("caractères imprimables seulement"))
    return value


def _number(value: Decimal, field: str, *, step: Decimal, largest: Decimal) -> Decimal:
    """Check a number. Never rounds it: it is stored as typed, or refused."""
    if not value.is_finite():
        raise FieldInvalid(field, _("nombre attendu"))
    if value < 0:
        raise FieldInvalid(field, _("ne peut pas être négatif"))
    if value > largest:
        raise FieldInvalid(field, _("nombre trop grand"))
    stored = value.quantize(step)
    if stored != value:
        places = -int(step.as_tuple().exponent)
        raise FieldInvalid(field, _("%(count)s décimales au plus"), count=places)
    return stored
