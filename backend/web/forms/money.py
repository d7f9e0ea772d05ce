"""What forms that move money share: the drawer it moves in, and the rates at which it is exchanged."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backend.sales.days.day_report import CASHIER_LENGTH_MAX
from backend.sales.money.amounts import MONEY_PLACES, RATE_PLACES, round_half_up
from backend.sales.wire.structs import BIGINT_MAX
from backend.shops.exchange_rates import ExchangeRates, pair_of
from backend.shops.models import Shop, Terminal
from backend.web.forms.keys import KeyedForm
from backend.web.forms.number_fields import RateField
from backend.web.selectors.sale_money import OFFICE_DRAWER, OfferedDrawer
from backend.web.wording.money import rate_label, rates_words
from backend.web.wording.tills import OFFICE

DRAWER = re.compile(rf"([1-9][0-9]{{0,18}})(?::(.{{1,{CASHIER_LENGTH_MAX}}}))?")
SMALLEST_RATE = Decimal(1).scaleb(-RATE_PLACES)


class DrawerField(forms.ChoiceField):
    """The drawer of a till of the shop, of one of its cashiers, or the Bureau's.

    Its values are not checked against what is offered: a form that is sent again after midnight, or after its till was
    disabled, is the same form. Another shop's till is refused.
    """

    def __init__(self, *, shop: Shop, **options: Any) -> None:
        self.shop = shop
        super().__init__(**options)

    def valid_value(self, value: object) -> bool:
        found = DRAWER.fullmatch(str(value))
        if not found or int(found[1]) > BIGINT_MAX:
            return False
        return Terminal.objects.filter(pk=int(found[1]), shop=self.shop, is_office=False).exists()


class MoneyForm(KeyedForm):
    """A form that moves money: its drawer, and a field for the rate of each currency that is not the shop's own.

    currencies: those that money may move in; the document's own is among them, and comes first.
    """

    drawer_label = gettext_lazy("Caisse")

    def __init__(
        self,
        *arguments: Any,
        shop: Shop,
        currencies: list[str],
        rates: ExchangeRates,
        drawers: Iterable[OfferedDrawer],
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self.shop, self.currencies, self.rates_of_the_day = shop, currencies, rates
        self.foreign = sorted(set(currencies) - {shop.currency})
        for foreign in self.foreign:
            self.fields[f"cours_{foreign}"] = RateField(
                label=rate_label(pair_of(shop.currency, foreign)), required=False, initial=rates.rates.get(foreign)
            )
        self.offered = [(OFFICE_DRAWER, str(OFFICE)), *((one.value, one.words) for one in drawers)]
        self.fields["tiroir"] = DrawerField(shop=shop, choices=self.offered, required=False, label=self.drawer_label)

    @property
    def rate_fields(self) -> list[forms.BoundField]:
        return [self[f"cours_{foreign}"] for foreign in self.foreign]

    @property
    def drawer_words(self) -> str:
        """Return the name of the drawer that is chosen."""
        chosen = str(self["tiroir"].value() or OFFICE_DRAWER)
        return next((words for value, words in self.offered if value == chosen), "")

    @property
    def rates_words(self) -> str:
        return rates_words(self.rates_of_the_day, self.foreign)

    @property
    def has_money_faults(self) -> bool:
        """Tell whether something is wrong with the fields that the page shows folded."""
        return any(name == "tiroir" or name.startswith("cours_") for name in self.errors)

    def typed_rates(self) -> ExchangeRates:
        """Return the rates as they are filled in."""
        given = {foreign: self.cleaned_data.get(f"cours_{foreign}") for foreign in self.foreign}
        return ExchangeRates(self.shop.currency, {name: rate for name, rate in given.items() if rate is not None})

    def exchange(self, amount: Decimal, *, source: str, target: str) -> Decimal | None:
        """Return what `amount` is worth, to the cent; None, with the fault beside its field, if a rate is missing."""
        if source == target:
            return amount
        worth = self.typed_rates().exchange(amount, source=source, target=target)
        if worth is None:
            self._say_what_rate_is_missing(source, target)
            return None
        return round_half_up(worth, MONEY_PLACES)

    def wire_rate(self, *, source: str, target: str) -> Decimal | None:
        """Return the wire's rate: how many units of `target` one of `source` is worth; None if it is not known."""
        worth = self.typed_rates().exchange(Decimal(1), source=source, target=target)
        return None if worth is None else max(SMALLEST_RATE, round_half_up(worth, RATE_PLACES))

    def drawer(self) -> dict[str, object]:
        """Return the drawer with the wire's names; nothing for the Bureau's."""
        found = DRAWER.fullmatch(self.cleaned_data["tiroir"])
        if not found:
            return {}
        return {"tiroir": {"caisse": int(found[1]), "caissier": found[2] or ""}}

    def _say_what_rate_is_missing(self, source: str, target: str) -> None:
        for foreign in (source, target):
            name = f"cours_{foreign}"
            if name in self.fields and name not in self.errors and not self.cleaned_data.get(name):
                self.add_error(name, ValidationError(_("Écrivez le cours : la devise n'est pas celle de la vente.")))


def currencies_for(shop: Shop, currency: str) -> list[str]:
    """Return the currencies that money for a document in `currency` may come in, that one first."""
    return [currency, *sorted(shop.accepted_currencies - {currency})]
