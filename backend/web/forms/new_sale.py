"""The form of a sale made on the web: basket, customer and payment."""

import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from backend.inventory.fields import PRICE_MAX
from backend.inventory.french_numbers import NumberUnreadable, read_number, write_number
from backend.inventory.models import ArticleUnit
from backend.sales.models import SaleKind
from backend.sales.money.amounts import MONEY_PLACES, round_half_up
from backend.sales.money.movements import CASH, CENT
from backend.shops.exchange_rates import ExchangeRates
from backend.shops.models import Shop
from backend.web import formats
from backend.web.forms.lists import choices_of
from backend.web.forms.money import MoneyForm, currencies_for
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

    def add(self, unit: ArticleUnit, *, currency: str, rates: ExchangeRates) -> None:
        """Add one of a unit to the basket, at its price in the sale's currency; without one if a rate is missing."""
        for line in self.lines:
            if line.unit.pk == unit.pk:
                line.quantite = _one_more(line.quantite)
                return
        if not self.is_full:
            price = reckoned(write_number(unit.price), source=unit.currency, target=currency, rates=rates)
            self.lines.append(TypedLine(unit, "1", price))

    def change_currency(self, *, source: str, target: str, rates: ExchangeRates) -> None:
        """Reckon every amount in another currency, or empty it: a price is never taken for one in another currency.

        A price that is the catalogue's stays the catalogue's, so that a currency that is changed back changes nothing.
        """
        for line in self.lines:
            own, listed = line.unit.currency, write_number(line.unit.price)
            if line.prix and line.prix == reckoned(listed, source=own, target=source, rates=rates):
                line.prix = reckoned(listed, source=own, target=target, rates=rates)
            else:
                line.prix = reckoned(line.prix, source=source, target=target, rates=rates)
            line.remise = reckoned(line.remise, source=source, target=target, rates=rates)

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


class NewSaleForm(MoneyForm):
    drawer_label = _("Mis dans la caisse")
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
    recu = MoneyField(label=_("Reçu du client"), required=False)
    recu_devise = forms.ChoiceField(label=_("Reçu en"), required=False)
    use_required_attribute = False
    FIRST = ("client", "telephone", "nif", "devise", "mode", "remise_vente")

    def __init__(self, *arguments: Any, shop: Shop, **options: Any) -> None:
        currencies = currencies_for(shop, shop.currency)
        super().__init__(*arguments, shop=shop, currencies=currencies, **options)
        choices_of(self, "devise").choices = [(code, code) for code in currencies]
        of_the_sale = ("", _("la devise de la vente"))
        choices_of(self, "recu_devise").choices = [of_the_sale, *((code, code) for code in currencies)]
        choices_of(self, "mode").choices = [*money_modes(), (ON_CREDIT, _("À crédit, payée plus tard"))]
        self.payments: dict[str, object] = {}
        self.change: Decimal | None = None

    @property
    def first_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.FIRST]

    @property
    def received_fields(self) -> list[forms.BoundField]:
        return [self["recu"], self["recu_devise"], *self.rate_fields, self["tiroir"]]

    @property
    def is_unfolded(self) -> bool:
        """Tell whether what the page folds is filled in, or wrong."""
        is_wrong = self.has_money_faults or any(name in self.errors for name in ("recu", "recu_devise"))
        return is_wrong or any(self[name].value() for name in ("recu", "recu_devise", "tiroir"))

    def clean(self) -> dict[str, Any]:
        super().clean()
        given = self.cleaned_data
        if given.get("mode") == ON_CREDIT and not given.get("client"):
            self.add_error("client", _("Écrivez qui doit cet argent."))
        if given.get("mode") == ON_CREDIT and given.get("recu"):
            self.add_error("recu", _("La vente est à crédit : enregistrez-la, puis recevez un paiement."))
        if given.get("recu_devise") and not given.get("recu") and "recu" not in self.errors:
            self.add_error("recu", _("Écrivez combien le client a donné."))
        return given

    def receive(self, total: Decimal) -> bool:
        """Compare what the customer gave with the sum of the lines; keep the change in `change`, for the page.

        Returns False, with the fault beside its field, if it is too little or a rate is missing.
        """
        given = self.cleaned_data
        currency, amount = given["devise"], given["recu"]
        if not amount:
            return True
        due = total - (given["remise_vente"] or 0)
        came_in = given["recu_devise"] or currency
        worth, tolerance = amount, Decimal(0)
        payment = {"mode": given["mode"], "montant": amount}
        if came_in != currency:
            exact = self.exchange(amount, source=came_in, target=currency)
            rate = self.wire_rate(source=came_in, target=currency)
            if exact is None or rate is None:
                return False
            worth, tolerance = round_half_up(amount * rate, MONEY_PLACES), CENT * rate / 2
            payment |= {"devise": came_in, "taux": rate}
        if due - worth > tolerance:
            missing = {"amount": formats.money(due - worth, currency)}
            self.add_error("recu", _("Il manque %(amount)s.") % missing)
            return False
        self.change = max(Decimal(0), worth - due)
        self.payments = {"paiements": [payment]}
        if self.change:
            self.payments["rendu"] = [{"mode": CASH, "montant": self.change}]
        return True

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
            **self.payments,
            **self.drawer(),
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


def reckoned(text: str, *, source: str, target: str, rates: ExchangeRates) -> str:
    """Return a typed amount as it is written in another currency; empty if that cannot be said, or would be nothing."""
    if source == target:
        return text
    try:
        worth = rates.exchange(read_number(text), source=source, target=target) if text.strip() else None
    except NumberUnreadable:
        worth = None
    rounded = round_half_up(worth, MONEY_PLACES) if worth is not None and abs(worth) <= PRICE_MAX else Decimal(0)
    return write_number(rounded) if rounded else ""


def _one_more(quantity: str) -> str:
    try:
        return write_number(read_number(quantity or "0") + 1)
    except NumberUnreadable:
        return quantity
