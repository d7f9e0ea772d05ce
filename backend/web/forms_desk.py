"""What a person decides about a refused sale."""

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

KEY = RegexValidator(r"\A[A-Za-z0-9]{8,64}\Z")


class DecisionForm(forms.Form):
    raison = forms.CharField(label=_("Pourquoi"), max_length=300, required=False)
    cle = forms.CharField(required=False, validators=[KEY])


class ReasonedForm(DecisionForm):
    raison = forms.CharField(
        label=_("Pourquoi"),
        max_length=300,
        error_messages={"required": _("Dites pourquoi : c'est tout ce qui en restera.")},
    )
