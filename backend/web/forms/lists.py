"""The filters of the lists, read from the address."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from backend.shops.models import Shop, Terminal
from backend.web.wording.tills import till_name


class TillField(forms.ModelChoiceField):
    """A choice among the shop's tills; the office has its name in the page's language."""

    def label_from_instance(self, till: Terminal) -> str:
        return till_name(till.name)


def choices_of(form: forms.Form, name: str) -> forms.ChoiceField:
    """Return the choice field of this name, so that the caller can set its choices."""
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    return field


def rows_of(form: forms.Form, name: str) -> forms.ModelChoiceField:
    """Return the model choice field of this name, so that the caller can set its queryset."""
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)
    return field


class TillFilter(forms.Form):
    use_required_attribute = False
    caisse = TillField(
        label=_("Caisse"), queryset=Terminal.objects.none(), required=False, empty_label=_("Toutes les caisses")
    )

    def __init__(self, *arguments: Any, shop: Shop, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.label_suffix = ""
        # Only the shop's own tills: another shop's is an error like one that does not exist.
        rows_of(self, "caisse").queryset = Terminal.objects.filter(shop=shop).order_by("name", "pk")

    @property
    def is_narrowing(self) -> bool:
        return any(self.data.get(name) for name in self.fields)


class BatchFilter(TillFilter):
    def criteria(self) -> dict[str, Any]:
        chosen = self.cleaned_data["caisse"]
        return {"terminal_id": chosen.pk if chosen else None}


class SaleFilter(BatchFilter):
    jour = forms.DateField(
        label=_("Jour"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    field_order = ("jour", "caisse")

    def criteria(self) -> dict[str, Any]:
        return {**super().criteria(), "day": self.cleaned_data["jour"]}


class OutcomeFilter(forms.Form):
    erreurs = forms.BooleanField(required=False)
    apres = forms.IntegerField(required=False, min_value=0, max_value=2**31)

    def criteria(self) -> dict[str, Any]:
        return {"problems_only": self.cleaned_data["erreurs"], "after": self.cleaned_data["apres"] or 0}
