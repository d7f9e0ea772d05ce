"""The form of a sale made on the web: basket, customer and payment."""

import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from backend.inventory.french_numbers import NumberUnreadable, read_number, write_number
from backend.inventory.models import ArticleUnit
from backend.sales.models import SaleKind
from backend.sales.money.amounts import MONEY_PLACES, round_half_up
from backend.shops.models import Shop
from backend.web.forms.keys import KeyedForm
from backend.web.forms.lists import choices_of
from backend.web.forms.number_fields import MoneyField, QuantityField
from backend.web.forms.sales import money_modes

LINES_MAX = 60
ON_CREDIT = "CREDIT"
NAMES = ("unite", "quantite", "prix", "remise")


class BasketLineForm(forms.Form):
    quantite = QuantityField(label=_("Quantité"), min_value=Decimal("0.001"))
    prix = MoneyField(label=_("Prix"))
    remise = MoneyField(label=_("Remise"), required=False)
    use_required_attribute = False

    def __init__(self, *arguments: Any, unit: ArticleUnit, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.label_suffix = ""
        self.unit = unit

    def clean(self) -> dict[str, Any]:
        super().clean()
        given = self.cleaned_data
        if not self.errors and given["remise"] and given["remise"] > given["quantite"] * given["prix"]:
            self.add_error("remise", _("Plus que le montant de la ligne."))
        return given

    def line(self) -> dict[str, object]:
        """Return the line with the wire's names."""
        given = self.cleaned_data
        line = {
            "unite_uuid": str(self.unit.uuid),
            "quantite": given["quantite"],
            "prix_unitaire": given["prix"],
        }
        return line | ({"remise": given["remise"]} if given["remise"] else {})


@dataclass
class TypedLine:
    """A line as typed, not validated."""

    unit: ArticleUnit
    quantite: str
    prix: str
    remise: str = ""


class Basket:
    """The lines of a sale that is being made. The form itself holds them, so two windows are two sales."""

    def __init__(self, lines: list[TypedLine]) -> None:
        self.lines = lines

    @classmethod
    def read(cls, data: QueryDict, *, shop: Shop) -> "Basket":
        """Read the lines of the form. A unit that is not the shop's is left out, as if it did not exist."""
        columns = [data.getlist(name)[:LINES_MAX] for name in NAMES]
        rows = list(zip(*columns, strict=False))
        units = units_of(shop, [row[0] for row in rows])
        return cls([TypedLine(units[row[0]], *row[1:]) for row in rows if row[0] in units])

    @property
    def is_full(self) -> bool:
        return len(self.lines) >= LINES_MAX

    def add(self, unit: ArticleUnit, *, currency: str) -> None:
        """Add one of a unit to the basket. Its price is filled in if it is in the sale's currency."""
        for line in self.lines:
            if line.unit.pk == unit.pk:
                line.quantite = _one_more(line.quantite)
                return
        if not self.is_full:
            price = write_number(unit.price) if unit.currency == currency else ""
            self.lines.append(TypedLine(unit, "1", price))

    def remove(self, index: str) -> None:
        if index.isdecimal() and int(index) < len(self.lines):
            del self.lines[int(index)]

    def forms(self, *, is_judged: bool) -> list[BasketLineForm]:
        """Return a form per line. is_judged: validate them, because the sale is to be recorded."""
        found: list[BasketLineForm] = []
        for line in self.lines:
            typed = {"quantite": line.quantite, "prix": line.prix, "remise": line.remise}
            given: dict[str, Any] = {"data": typed} if is_judged else {"initial": typed}
            found.append(BasketLineForm(**given, unit=line.unit, auto_id=f"ligne{len(found)}_%s"))
        return found

    def total(self) -> Decimal | None:
        """Return the sum of the lines; None if one of them is not valid."""
        judged = self.forms(is_judged=True)
        if not all(form.is_valid() for form in judged):
            return None
        amount = Decimal(0)
        for form in judged:
            given = form.cleaned_data
            amount += round_half_up(given["quantite"] * given["prix"], MONEY_PLACES) - (given["remise"] or 0)
        return amount


class NewSaleForm(KeyedForm):
    q = forms.CharField(
        label=_("Chercher un article"),
        max_length=64,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Nom, code ou code-barres")}),
    )
    client = forms.CharField(label=_("Client"), max_length=160, required=False)
    telephone = forms.CharField(
        label=_("Téléphone"), max_length=40, required=False, widget=forms.TextInput(attrs={"inputmode": "tel"})
    )
    nif = forms.CharField(label=_("NIF du client"), max_length=40, required=False)
    devise = forms.ChoiceField(label=_("Devise"))
    mode = forms.ChoiceField(label=_("Règlement"))
    remise_vente = MoneyField(label=_("Remise sur le tout"), required=False)
    use_required_attribute = False

    def __init__(self, *arguments: Any, shop: Shop, **options: Any) -> None:
        super().__init__(*arguments, **options)
        currencies = sorted(shop.accepted_currencies, key=lambda currency: (currency != shop.currency, currency))
        choices_of(self, "devise").choices = [(code, code) for code in currencies]
        choices_of(self, "mode").choices = [*money_modes(), (ON_CREDIT, _("À crédit, payée plus tard"))]

    def clean(self) -> dict[str, Any]:
        super().clean()
        given = self.cleaned_data
        if given.get("mode") == ON_CREDIT and not given.get("client"):
            self.add_error("client", _("Écrivez qui doit cet argent."))
        return given

    def document(self, lines: list[dict[str, object]]) -> dict[str, object]:
        """Return the sale with the wire's names."""
        given = self.cleaned_data
        customer = {"nom": given["client"], "telephone": given["telephone"], "nif": given["nif"]}
        customer = {name: value for name, value in customer.items() if value}
        document = {
            "type": SaleKind.SALE,
            "devise": given["devise"],
            "mode_paiement": given["mode"],
            "paye": given["mode"] != ON_CREDIT,
            "lignes": lines,
        }
        if customer:
            document["client"] = customer
        return document | ({"remise": given["remise_vente"]} if given["remise_vente"] else {})


def units_of(shop: Shop, texts: list[str]) -> dict[str, ArticleUnit]:
    """Return the shop's units by the text of their uuid as it was sent."""
    wanted = {}
    for text in texts:
        try:
            wanted[text] = uuid.UUID(text)
        except ValueError:
            continue
    found = ArticleUnit.objects.filter(shop=shop, article__shop=shop, uuid__in=set(wanted.values()))
    by_uuid = {unit.uuid: unit for unit in found.select_related("article")}
    return {text: by_uuid[unit_uuid] for text, unit_uuid in wanted.items() if unit_uuid in by_uuid}


def _one_more(quantity: str) -> str:
    try:
        return write_number(read_number(quantity or "0") + 1)
    except NumberUnreadable:
        return quantity
