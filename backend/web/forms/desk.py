"""The forms by which a person decides about a refused sale."""

from django import forms
from django.utils.translation import gettext_lazy as _

from backend.inventory.models import REASON_LENGTH_MAX
from backend.web.forms.keys import FormKeyField


class DecisionForm(forms.Form):
    raison = forms.CharField(label=_("Pourquoi"), max_length=REASON_LENGTH_MAX, required=False)
    cle = FormKeyField(required=False)


class ReasonedForm(DecisionForm):
    raison = forms.CharField(
        label=_("Pourquoi"),
        max_length=REASON_LENGTH_MAX,
        error_messages={"required": _("Dites pourquoi : c'est tout ce qui en restera.")},
    )
