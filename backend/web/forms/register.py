"""The month of the register to show, and its first number."""

import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from backend.web.forms.lists import choices_of
from backend.web.templatetags.till_format import month as month_words

NUMBER_MAX = 2**31 - 1


class RegisterForm(forms.Form):
    use_required_attribute = False
    mois = forms.TypedChoiceField(
        label=_("Mois"),
        required=False,
        coerce=lambda value: datetime.date.fromisoformat(f"{value}-01"),
        empty_value=None,
    )
    numero = forms.IntegerField(
        label=_("À partir du numéro"), required=False, min_value=1, max_value=NUMBER_MAX,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )  # fmt: skip

    def __init__(self, *arguments: Any, months: list[datetime.date], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.label_suffix = ""
        choices_of(self, "mois").choices = [(f"{first_day:%Y-%m}", month_words(first_day)) for first_day in months]

    @property
    def is_narrowing(self) -> bool:
        return any(self.data.get(name) for name in self.fields)
