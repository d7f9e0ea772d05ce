"""The forms that void, return or pay a sale: what moves, in what money, and from which drawer."""

from decimal import ROUND_CEILING, Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from backend.inventory.models import REASON_LENGTH_MAX
from backend.sales.models import Sale, SaleKind, SaleLine
from backend.sales.money.amounts import MONEY_PLACES, round_half_up
from backend.sales.money.movements import CENT
from backend.web.forms.lists import choices_of
from backend.web.forms.money import SMALLEST_RATE, MoneyForm, currencies_for
from backend.web.forms.number_fields import MoneyField, QuantityField
from backend.web.forms.sales import money_modes
from backend.web.selectors.sale_money import SaleMoney


class UndoForm(MoneyForm):
    """The reason, and the mode in which money is given back; empty: as the sale was paid."""

    drawer_label = _("Pris dans la caisse")
    as_it_was_paid = _("Comme elle a été payée")
    kind = SaleKind.VOID
    motif = forms.CharField(label=_("Motif"), max_length=REASON_LENGTH_MAX)
    mode = forms.ChoiceField(label=_("Argent rendu en"), required=False)

    def __init__(self, *arguments: Any, money: SaleMoney, is_repeat: bool, **options: Any) -> None:
        self.sale: Sale = money.sale
        currencies = currencies_for(money.sale.shop, money.sale.currency)
        super().__init__(*arguments, shop=money.sale.shop, currencies=currencies, **options)
        self.money, self.is_repeat = money, is_repeat
        choices_of(self, "mode").choices = [("", self.as_it_was_paid), *money_modes()]

    @property
    def has_money_faults(self) -> bool:
        return super().has_money_faults or any(name in self.errors for name in ("mode", "devise", "valeur"))

    @property
    def is_as_it_was_paid(self) -> bool:
        return not self["mode"].value()

    def document(self) -> dict[str, object]:
        """Return the document with the wire's names."""
        return {
            "type": self.kind,
            "origine": {"vente_id": self.sale.pk},
            "motif": self.cleaned_data["motif"],
            **self.drawer(),
        }


class VoidForm(UndoForm):
    devise = forms.ChoiceField(label=_("Devise"), required=False)
    # What the person read that stands of the sale's money: the amount given back otherwise is reckoned from it.
    valeur = MoneyField(required=False, widget=forms.HiddenInput)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        choices_of(self, "devise").choices = [(code, code) for code in self.currencies]

    def clean(self) -> dict[str, Any]:
        super().clean()
        given = self.cleaned_data
        self.payments: list[dict[str, object]] = []
        if not self.errors and given["mode"]:
            self._reckon_other_way(given["mode"], given["devise"] or self.sale.currency, given["valeur"])
        return given

    def _reckon_other_way(self, mode: str, currency: str, value: Decimal | None) -> None:
        if value is None or (value != self.money.value and not self.is_repeat):
            self.add_error(
                None, _("L'argent de cette vente a changé depuis que la page est ouverte : relisez, puis recommencez.")
            )
            return
        if not value:
            return
        amount = self.exchange(value, source=self.sale.currency, target=currency)
        if amount is None:
            return
        if not amount:
            self.add_error("devise", _("C'est moins que la plus petite pièce de cette devise."))
            return
        payment: dict[str, object] = {"mode": mode, "montant": amount}
        if currency != self.sale.currency:
            payment |= {"devise": currency, "taux": self.wire_rate(source=currency, target=self.sale.currency)}
        self.payments = [payment]

    def document(self) -> dict[str, object]:
        return super().document() | ({"paiements": self.payments} if self.payments else {})


class ReturnForm(UndoForm):
    """A quantity for each line that has not been returned completely."""

    kind = SaleKind.RETURN
    as_it_was_paid = _("Dans le mode de la vente")

    def __init__(self, *arguments: Any, lines_left: list[tuple[SaleLine, Decimal]], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.rows = []
        for line, left in lines_left:
            if not left:
                continue
            label = f"{line.article_name} {line.unit_mark}".strip()
            field = QuantityField(label=label, max_value=left, required=False)
            self.fields[f"ligne_{line.position}"] = field
            self.rows.append((line, left, self[f"ligne_{line.position}"]))

    @property
    def rate_fields(self) -> list[forms.BoundField]:
        """Goods come back at the sale's own prices, in its currency: nothing is exchanged."""
        return []

    def clean(self) -> dict[str, Any]:
        super().clean()
        given = self.cleaned_data
        if not self.errors and not any(given[field.name] for _line, _left, field in self.rows):
            raise forms.ValidationError(_("Dites ce qui revient : une quantité au moins."))
        return given

    def document(self) -> dict[str, object]:
        given = self.cleaned_data
        back = [
            {"ligne": line.position, "quantite": given[field.name]}
            for line, _left, field in self.rows
            if given[field.name]
        ]
        mode = {"mode_paiement": given["mode"]} if given["mode"] else {}
        return {**super().document(), "lignes": back, **mode}


class PaymentForm(MoneyForm):
    drawer_label = _("Mis dans la caisse")
    montant = MoneyField(label=_("Montant reçu"), min_value=Decimal("0.01"))
    devise = forms.ChoiceField(label=_("Devise"), required=False)
    mode = forms.ChoiceField(label=_("Règlement"))

    def __init__(self, *arguments: Any, sale: Sale, owed: Decimal, **options: Any) -> None:
        currencies = currencies_for(sale.shop, sale.currency)
        super().__init__(*arguments, shop=sale.shop, currencies=currencies, **options)
        self.sale, self.owed = sale, owed
        choices_of(self, "devise").choices = [(code, code) for code in currencies]
        choices_of(self, "mode").choices = money_modes()

    @property
    def owed_elsewhere(self) -> list[tuple[Decimal, str]]:
        """Return what settles the debt in each other currency with a rate of the day, rounded up to its cent."""
        worth = {
            currency: self.rates_of_the_day.exchange(self.owed, source=self.sale.currency, target=currency)
            for currency in self.currencies[1:]
        }
        return [(one.quantize(CENT, ROUND_CEILING), currency) for currency, one in worth.items() if one is not None]

    def clean(self) -> dict[str, Any]:
        super().clean()
        given = self.cleaned_data
        self.rate: Decimal | None = None
        if not self.errors:
            self._check_amount(given["montant"], given["devise"] or self.sale.currency)
        return given

    def _check_amount(self, amount: Decimal, currency: str) -> None:
        worth, cent_worth = amount, Decimal(0)
        if currency != self.sale.currency:
            exact = self.exchange(amount, source=currency, target=self.sale.currency)
            rate = self.wire_rate(source=currency, target=self.sale.currency)
            if exact is None or rate is None:
                return
            # The wire's rate has eight places: its last one must not make a large amount more than what is owed.
            is_above = round_half_up(amount * rate, MONEY_PLACES) > exact
            self.rate = rate - SMALLEST_RATE if is_above and rate > SMALLEST_RATE else rate
            worth, cent_worth = exact, CENT * rate
        if worth > self.owed and worth - self.owed >= cent_worth:
            self.add_error("montant", _("C'est plus que ce qui reste dû."))

    def document(self) -> dict[str, object]:
        """Return the document with the wire's names."""
        given = self.cleaned_data
        exchanged = {"devise": given["devise"], "taux": self.rate} if self.rate is not None else {}
        return {
            "type": SaleKind.PAYMENT,
            "origine": {"vente_id": self.sale.pk},
            "montant": given["montant"],
            "mode_paiement": given["mode"],
            **exchanged,
            **self.drawer(),
        }
