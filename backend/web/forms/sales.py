"""The search form of the list of sales."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from backend.shops.models import Shop
from backend.web.forms.lists import TillFilter, choices_of
from backend.web.forms.number_fields import MoneyField
from backend.web.selectors import sale_search
from backend.web.selectors.sale_search import SaleCriteria
from backend.web.wording.sales import KINDS, PAYMENT_MODES

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

STATES = [
    ("", _("Tous les états")),
    (sale_search.PAID, _("Payée")),
    (sale_search.ON_CREDIT, _("À crédit")),
    (sale_search.VOIDED, _("Annulée")),
    (sale_search.RETURNED, _("Avec retour")),
    (sale_search.WITH_WARNINGS, _("Avec avertissement")),
]


def mode_choices() -> list[tuple[str, "StrOrPromise"]]:
    """Return each mode once: codes with the same name are one choice."""
    first_codes = {str(words): code for code, words in reversed(PAYMENT_MODES.items())}
    return [(code, words) for code, words in PAYMENT_MODES.items() if first_codes[str(words)] == code]


def money_modes() -> list[tuple[str, "StrOrPromise"]]:
    """Return the modes in which money changes hands."""
    return [choice for choice in mode_choices() if choice[0] != "CREDIT"]


def codes_read_alike(code: str) -> tuple[str, ...]:
    return tuple(other for other, words in PAYMENT_MODES.items() if str(words) == str(PAYMENT_MODES[code]))


def _date_field(label: "StrOrPromise") -> forms.DateField:
    return forms.DateField(
        label=label, required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )


class SaleSearch(TillFilter):
    """The search form above the list of sales, kept in its address."""

    q = forms.CharField(
        label=_("Numéro ou client"), max_length=64, required=False, widget=forms.TextInput(attrs={"type": "search"})
    )
    du = _date_field(_("Du"))
    au = _date_field(_("Au"))
    mode = forms.ChoiceField(label=_("Règlement"), required=False)
    etat = forms.ChoiceField(label=_("État"), choices=STATES, required=False)
    type = forms.ChoiceField(label=_("Document"), required=False)
    montant_min = MoneyField(label=_("Montant d'au moins"), required=False)
    montant_max = MoneyField(label=_("Montant d'au plus"), required=False)
    field_order = ("q", "du", "au", "caisse", "etat", "mode", "type", "montant_min", "montant_max")
    ALWAYS_SHOWN = ("q", "du", "au", "caisse")

    def __init__(self, data: QueryDict, *, shop: Shop) -> None:
        super().__init__(_with_day(data), shop=shop)
        choices_of(self, "mode").choices = [("", _("Tous les modes")), *mode_choices()]
        choices_of(self, "type").choices = [("", _("Tous les documents")), *KINDS.items()]

    def clean(self) -> dict[str, Any]:
        super().clean()
        chosen = self.cleaned_data
        first, last = chosen.get("du"), chosen.get("au")
        if first and last and first > last:
            self.add_error("au", _("La fin vient avant le début."))
        return chosen

    def criteria(self) -> SaleCriteria:
        chosen = self.cleaned_data
        return SaleCriteria(
            text=chosen["q"].strip(),
            first_day=chosen["du"],
            last_day=chosen["au"],
            terminal_id=chosen["caisse"].pk if chosen["caisse"] else None,
            modes=codes_read_alike(chosen["mode"]) if chosen["mode"] else (),
            state=chosen["etat"],
            kind=chosen["type"],
            amount_min=chosen["montant_min"],
            amount_max=chosen["montant_max"],
        )

    @property
    def first_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.ALWAYS_SHOWN]

    @property
    def other_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name not in self.ALWAYS_SHOWN]

    @property
    def is_narrowing_further(self) -> bool:
        return any(self.data.get(field.name) for field in self.other_fields)

    def address(self) -> dict[str, str]:
        """Return the filled-in fields, for the addresses of the next page and of the exports."""
        return {name: self.data[name] for name in self.fields if self.data.get(name)}


def _with_day(data: QueryDict) -> QueryDict:
    """Read `jour`, which links of other pages use, as a period of one day."""
    if not data.get("jour") or data.get("du") or data.get("au"):
        return data
    data = data.copy()
    data["du"] = data["au"] = str(data["jour"])
    return data
