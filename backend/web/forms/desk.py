"""What a person decides about a refused sale."""

from django import forms
from django.utils.translation import gettext_lazy as _

from backend.web.forms_once import FormKeyField


class DecisionForm(forms.Form):
    raison = forms.CharField(label=_("Pourquoi"), max_length=300, required=False)
    cle = FormKeyField(required=False)


class ReasonedForm(DecisionForm):
    raison = forms.CharField(
        label=_("Pourquoi"),
        max_length=300,
        error_messages={"required": _("Dites pourquoi : c'est tout ce qui en restera.")},
    )
