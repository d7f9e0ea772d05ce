"""What the lists may be narrowed down to, read from the address."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from backend.shops.models import Shop, Terminal
from backend.web.sentences import till_name


class TillField(forms.ModelChoiceField):
    """A choice among the shop's tills, the office under the name that the page's language has for it."""

    def label_from_instance(self, till: Terminal) -> str:
        return till_name(till.name)


class BatchFilter(forms.Form):
    caisse = TillField(
        label=_("Caisse"), queryset=Terminal.objects.none(), required=False, empty_label=_("Toutes les caisses")
    )

    def __init__(self, *arguments: Any, shop: Shop, **options: Any) -> None:
        super().__init__(*arguments, use_required_attribute=False, label_suffix="", **options)
        # The shop's own tills and no others: another shop's is an error like one that does not exist.
        self.fields["caisse"].queryset = Terminal.objects.filter(shop=shop).order_by("name", "pk")

    def criteria(self) -> dict[str, object]:
        chosen = self.cleaned_data["caisse"]
        return {"terminal_id": chosen.pk if chosen else None}

    @property
    def is_narrowing(self) -> bool:
        return any(self.data.get(name) for name in self.fields)


class SaleFilter(BatchFilter):
    jour = forms.DateField(
        label=_("Jour"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    field_order = ("jour", "caisse")

    def criteria(self) -> dict[str, object]:
        return {**super().criteria(), "day": self.cleaned_data["jour"]}


class OutcomeFilter(forms.Form):
    erreurs = forms.BooleanField(required=False)
    apres = forms.IntegerField(required=False, min_value=0, max_value=2**31)

    def criteria(self) -> dict[str, object]:
        return {"problems_only": self.cleaned_data["erreurs"], "after": self.cleaned_data["apres"] or 0}
