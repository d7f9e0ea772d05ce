"""The form by which a person closes a till's day: the drawer as counted, one amount per currency."""

import datetime
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from backend.inventory.models import REASON_LENGTH_MAX
from backend.sales.days.day_report import CASHIER_LENGTH_MAX
from backend.sales.wire.business_day import YEAR_MIN
from backend.shops.models import Shop, Terminal
from backend.web.formats import symbol
from backend.web.forms.keys import FormKeyField
from backend.web.forms.lists import TillField, rows_of
from backend.web.forms.number_fields import MoneyField


@dataclass(frozen=True)
class CurrencyFields:
    """The three fields of one currency, shown together on the page."""

    currency: str
    symbol: str
    fields: list[forms.BoundField]


class ClosingForm(forms.Form):
    caisse = TillField(label=_("Caisse"), queryset=Terminal.objects.none(), empty_label=None)
    jour = forms.DateField(
        label=_("Jour de la caisse"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    caissier = forms.CharField(label=_("Caissier"), max_length=CASHIER_LENGTH_MAX, required=False)
    motif = forms.CharField(label=_("Motif des sorties"), max_length=REASON_LENGTH_MAX, required=False)
    key = FormKeyField()

    def __init__(self, *arguments: Any, shop: Shop, today: datetime.date, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.label_suffix = ""
        self.today = today
        # The shop's own currency first, as on every page.
        self.currencies = sorted(shop.accepted_currencies, key=lambda currency: (currency != shop.currency, currency))
        rows_of(self, "caisse").queryset = Terminal.objects.filter(shop=shop).order_by("is_office", "name", "pk")
        self.fields["jour"].widget.attrs["max"] = today.isoformat()
        for currency in self.currencies:
            is_needed = currency == shop.currency
            self.fields[f"fond_{currency}"] = MoneyField(label=_("Fond au début"), required=False)
            self.fields[f"sorties_{currency}"] = MoneyField(label=_("Sorties de la caisse"), required=False)
            self.fields[f"compte_{currency}"] = MoneyField(label=_("Espèces comptées"), required=is_needed)

    def clean_jour(self) -> datetime.date:
        day = self.cleaned_data["jour"]
        if day.year < YEAR_MIN or day > self.today:
            raise forms.ValidationError(_("Choisissez aujourd'hui ou un jour passé."))
        return day

    @property
    def by_currency(self) -> list[CurrencyFields]:
        names = ("fond", "sorties", "compte")
        return [
            CurrencyFields(currency, symbol(currency), [self[f"{name}_{currency}"] for name in names])
            for currency in self.currencies
        ]

    def drawer(self) -> dict[str, Any]:
        """Return what was counted, with the wire's names."""
        return {
            "caissier": self.cleaned_data["caissier"],
            "fond_ouverture": self._amounts("fond"),
            "sorties": [{**amount, "motif": self.cleaned_data["motif"]} for amount in self._amounts("sorties")],
            "especes_comptees": self._amounts("compte"),
        }

    def _amounts(self, name: str) -> list[dict[str, Any]]:
        given = {currency: self.cleaned_data[f"{name}_{currency}"] for currency in self.currencies}
        return [
            {"devise": currency, "montant": str(amount)} for currency, amount in given.items() if amount is not None
        ]
