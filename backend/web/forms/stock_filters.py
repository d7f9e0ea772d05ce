"""The filters of the lists of stock and of movements, read from the address."""

import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backend.web.forms.stock import StockForm
from backend.web.selectors.stock import StockState
from backend.web.wording.stock import MOVEMENTS

SEARCH_LENGTH_MAX = 160
# Bounds of the days that may be asked for: within them no timezone overflows.
FIRST_DAY, LAST_DAY = datetime.date(2000, 1, 1), datetime.date(2100, 1, 1)


class StockFilter(StockForm):
    q = forms.CharField(label=_("Nom ou code"), max_length=SEARCH_LENGTH_MAX, required=False)
    etat = forms.ChoiceField(
        label=_("Montrer"),
        required=False,
        choices=[
            ("", _("Tous les articles actifs")),
            (StockState.LOW, _("À réapprovisionner")),
            (StockState.NEGATIVE, _("Stock négatif")),
            (StockState.INACTIVE, _("Articles inactifs")),
        ],
    )

    @property
    def is_narrowing(self) -> bool:
        return any(self.data.get(name) for name in self.fields)


class PeriodFilter(StockForm):
    du = forms.DateField(
        label=_("Du"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    au = forms.DateField(
        label=_("Au"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )

    def clean(self) -> dict[str, object]:
        begin, end = self.cleaned_data.get("du"), self.cleaned_data.get("au")
        for name, day in (("du", begin), ("au", end)):
            if day and not FIRST_DAY <= day <= LAST_DAY:
                self.add_error(name, _("Choisissez un jour de ce siècle."))
        if begin and end and end < begin:
            self.add_error("au", _("Ce jour vient avant le premier."))
        return self.cleaned_data

    def period(self) -> dict[str, datetime.datetime | None]:
        """Return the days as instants of the shop: `begin` is included, `end` is not."""
        first, last = self.cleaned_data["du"], self.cleaned_data["au"]
        return {
            "begin": _midnight(first) if first else None,
            "end": _midnight(last + datetime.timedelta(days=1)) if last else None,
        }

    @property
    def is_narrowing(self) -> bool:
        return any(self.data.get(name) for name in self.fields)


class MovementFilter(PeriodFilter):
    article = forms.CharField(label=_("Article"), max_length=SEARCH_LENGTH_MAX, required=False)
    type = forms.ChoiceField(
        label=_("Type"),
        required=False,
        choices=[("", _("Tous les types")), *((value, words) for value, (words, _tone) in MOVEMENTS.items())],
    )
    field_order = ("article", "type", "du", "au")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["article"].widget.attrs["placeholder"] = _("nom ou code")


def _midnight(day: datetime.date) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time.min))
