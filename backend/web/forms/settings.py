"""The form of the shop's exchange rates of the day."""

from decimal import Decimal
from typing import Any

from django import forms

from backend.shops.exchange_rates import ExchangeRates, foreign_currencies, pair_of
from backend.shops.models import Shop
from backend.web.forms.number_fields import RateField
from backend.web.wording.money import rate_label


class RatesForm(forms.Form):
    """A field for each foreign currency. An empty one changes nothing."""

    def __init__(self, *arguments: Any, shop: Shop, rates: ExchangeRates, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.label_suffix = ""
        self.currencies = foreign_currencies(shop)
        for foreign in self.currencies:
            label = rate_label(pair_of(shop.currency, foreign))
            self.fields[f"cours_{foreign}"] = RateField(label=label, required=False, initial=rates.rates.get(foreign))

    def given(self) -> dict[str, Decimal]:
        """Return the rates that are filled in, by currency."""
        named = {foreign: self.cleaned_data[f"cours_{foreign}"] for foreign in self.currencies}
        return {foreign: rate for foreign, rate in named.items() if rate is not None}
