"""The forms of the operations page."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from backend.ops.lookup import NameUnknown, find_shop
from backend.sales.models import Pause
from backend.shops.models import Shop

EVERYWHERE, SHOP = "partout", "boutique"
REASON_LENGTH_MAX = Pause._meta.get_field("reason").max_length


class ReasonForm(forms.Form):
    motif = forms.CharField(
        label=_("Motif"), max_length=REASON_LENGTH_MAX, help_text=_("Il est montré à la boutique, avec la pause.")
    )


class PauseForm(ReasonForm):
    portee = forms.ChoiceField(
        label=_("Quoi"), choices=[(SHOP, _("Une boutique")), (EVERYWHERE, _("Toutes les boutiques"))], initial=SHOP
    )
    boutique = forms.CharField(label=_("Code de la boutique"), required=False)
    field_order = ("portee", "boutique", "motif")

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        code = cleaned.get("boutique", "")
        cleaned["shop"] = None
        if cleaned.get("portee") == SHOP:
            cleaned["shop"] = self._shop(code)
        elif code:
            raise ValidationError({"boutique": _("Laissez ce champ vide pour tout mettre en pause.")})
        return cleaned

    def _shop(self, code: str) -> Shop:
        try:
            return find_shop(code)
        except NameUnknown as error:
            raise ValidationError({"boutique": _("Aucune boutique n’a ce code.")}) from error


class CallsForm(forms.Form):
    serie = forms.CharField(label=_("Numéro de série, ou son début"), max_length=64, required=False)


class RetryForm(forms.Form):
    """One group of failed sales, as the page showed it."""

    boutique = forms.CharField()
    code = forms.CharField(required=False)
    params = forms.CharField(required=False, strip=False)
