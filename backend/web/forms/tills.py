"""The forms for a till and its devices."""

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
    """The device that the code replaces; none if no device holds the till."""

    appareil = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    # The same device again, for a new token. It changes only the text of the page.
    meme = forms.BooleanField(required=False)
