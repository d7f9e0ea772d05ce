"""What people may say of a till and of its devices."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from backend.shops.models import DeviceState, Terminal, TerminalState


class TillForm(forms.Form):
    nom = forms.CharField(
        label=_("Nom de la caisse"),
        max_length=Terminal._meta.get_field("name").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.label_suffix = ""


class TillStateForm(forms.Form):
    etat = forms.ChoiceField(choices=TerminalState)


class DeviceStateForm(forms.Form):
    etat = forms.ChoiceField(
        choices=[(state.value, state.label) for state in (DeviceState.ACTIVE, DeviceState.DISABLED)]
    )


class CodeForm(forms.Form):
    """Which device's place the code is for; none for a till that nobody holds."""

    appareil = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    # The same device again, for a new token: what is told on the page, not what is done.
    meme = forms.BooleanField(required=False)
