"""The form of a payment that is shared out over a customer's sales."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from backend.sales.repair.customer_payment import Share
from backend.sales.wire.structs import BIGINT_MAX
from backend.shops.models import Shop
from backend.web.forms.lists import choices_of
from backend.web.forms.money import MoneyForm
from backend.web.forms.number_fields import MoneyField
from backend.web.forms.sales import money_modes

SHARE = "part"


class CustomerPaymentForm(MoneyForm):
    """An amount in one of the currencies that the customer owes in. Nothing is exchanged."""

    drawer_label = _("Mis dans la caisse")
    client = forms.CharField(max_length=160, strip=False, widget=forms.HiddenInput)
    montant = MoneyField(label=_("Montant reçu"), min_value=Decimal("0.01"))
    devise = forms.ChoiceField(label=_("Devise"))
    mode = forms.ChoiceField(label=_("Règlement"))

    def __init__(self, *arguments: Any, shop: Shop, owed_in: list[str], **options: Any) -> None:
        super().__init__(*arguments, shop=shop, currencies=[shop.currency], **options)
        # A preview records nothing: only what is confirmed carries a key.
        self.fields["key"].required = False
        choices_of(self, "devise").choices = [(code, code) for code in owed_in]
        choices_of(self, "mode").choices = money_modes()

    @property
    def carried(self) -> list[forms.BoundField]:
        """Return the fields that the confirmation carries on, as they were typed."""
        return [self[name] for name in ("client", "montant", "devise", "mode", "tiroir")]


def share_text(share: Share) -> str:
    """Return a share as a hidden field carries it: `17:25000.00`."""
    return f"{share.sale_id}:{share.amount}"


def read_shares(texts: list[str]) -> list[Share] | None:
    """Return the shares that the form carries; None if they are not as the page wrote them."""
    shares = []
    for text in texts:
        sale_id, _colon, amount = text.partition(":")
        is_written = sale_id.isascii() and sale_id.isdecimal() and len(sale_id) < 20 and len(amount) < 20
        whole, _dot, cents = amount.partition(".")
        if not is_written or not (whole + cents).isascii() or not (whole + cents).isdecimal():
            return None
        if int(sale_id) > BIGINT_MAX or not Decimal(amount):
            return None
        shares.append(Share(int(sale_id), Decimal(amount)))
    is_twice = len({share.sale_id for share in shares}) < len(shares)
    return None if is_twice or not shares else shares
