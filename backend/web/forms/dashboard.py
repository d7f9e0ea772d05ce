"""The day that the dashboard shows, read from the address."""

import datetime
from collections.abc import Mapping

from django import forms
from django.utils.translation import gettext_lazy as _

# No sales are older: a mistyped year must not create stored day totals.
FIRST_DAY = datetime.date(2000, 1, 1)


class DayChoice(forms.Form):
    jour = forms.DateField(
        label=_("Jour"),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
    )

    def __init__(self, data: Mapping[str, str], *, today: datetime.date) -> None:
        chosen = {"jour": data.get("jour") or today.isoformat()}
        super().__init__(chosen, use_required_attribute=False, label_suffix="")
        self.today = today
        self.fields["jour"].widget.attrs["max"] = today.isoformat()

    def clean_jour(self) -> datetime.date:
        day = self.cleaned_data["jour"]
        if day > self.today:
            raise forms.ValidationError(_("Ce jour n'est pas encore venu."))
        if day < FIRST_DAY:
            raise forms.ValidationError(_("Ce jour est trop ancien."))
        return day

    @property
    def day(self) -> datetime.date:
        """The day asked for, or today if it is not valid."""
        return self.cleaned_data["jour"] if self.is_valid() else self.today
