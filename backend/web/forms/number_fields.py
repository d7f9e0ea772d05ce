"""Form fields for numbers, read the same on every page; `1.500` is refused as ambiguous."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from backend.inventory.fields import PRICE_MAX, QUANTITY_MAX
from backend.inventory.french_numbers import NumberUnreadable, read_number, write_number
from backend.web.formats import quantity

MONEY_PLACES, QUANTITY_PLACES, RATE_PLACES = 2, 3, 8
RATE_MAX = Decimal(999_999_999)


class FrenchDecimalField(forms.Field):
    """A number as people write it here: `1 000,50`, `1,5`, `−3`; an ambiguous one is refused.

    places: how many decimals it may have. Without it and without bounds, the service checks them.
    """

    widget = forms.TextInput

    def __init__(
        self,
        *,
        places: int | None = None,
        min_value: Decimal | int | None = None,
        max_value: Decimal | int | None = None,
        **options: Any,
    ) -> None:
        self.places, self.min_value, self.max_value = places, min_value, max_value
        super().__init__(**options)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, str]:
        return {"inputmode": "numeric" if self.places == 0 else "decimal", "autocomplete": "off"}

    def to_python(self, value: object) -> Decimal | None:
        text = "" if value is None else str(value)
        if not text.strip():
            return None
        try:
            return read_number(text)
        except NumberUnreadable as error:
            raise ValidationError(_as_sentence(str(error))) from error

    def validate(self, value: Decimal | None) -> None:
        super().validate(value)
        if value is None:
            return
        if self.min_value is not None and value < self.min_value:
            raise ValidationError(
                _("Écrivez un nombre plus grand que zéro.") if self.min_value else _("Pas moins que zéro.")
            )
        if self.max_value is not None and value > self.max_value:
            raise ValidationError(_("%(most)s au plus.") % {"most": quantity(self.max_value)})
        if self.places is not None and value != round(value, self.places):
            raise ValidationError(_places_words(self.places))

    def prepare_value(self, value: object) -> object:
        return write_number(value) if isinstance(value, Decimal) else value


class MoneyField(FrenchDecimalField):
    """An amount of money, not negative, that fits its column."""

    def __init__(self, *, min_value: Decimal | int = 0, **options: Any) -> None:
        super().__init__(places=MONEY_PLACES, min_value=min_value, max_value=PRICE_MAX, **options)


class QuantityField(FrenchDecimalField):
    """A quantity of goods, not negative, that fits its column."""

    def __init__(self, *, min_value: Decimal | int = 0, max_value: Decimal = QUANTITY_MAX, **options: Any) -> None:
        super().__init__(places=QUANTITY_PLACES, min_value=min_value, max_value=max_value, **options)


class RateField(FrenchDecimalField):
    """An exchange rate: more than nothing, and what its column holds."""

    def __init__(self, **options: Any) -> None:
        smallest = Decimal(1).scaleb(-RATE_PLACES)
        super().__init__(places=RATE_PLACES, min_value=smallest, max_value=RATE_MAX, **options)


class WholeNumberField(FrenchDecimalField):
    """A whole number: `1 000`; `1.000` is refused here too."""

    def __init__(self, **options: Any) -> None:
        super().__init__(places=0, **options)

    def clean(self, value: object) -> int | None:
        number = super().clean(value)
        return None if number is None else int(number)


def _places_words(places: int) -> str:
    if not places:
        return _("Écrivez un nombre entier.")
    return _as_sentence(_("%(count)s décimales au plus") % {"count": places})


def _as_sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
