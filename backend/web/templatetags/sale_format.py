"""Tags for the pages of sales."""

from decimal import Decimal

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backend.sales.models import MoneyMovement, Sale, SaleKind
from backend.sales.money.owed import owed_for
from backend.web.forms.sales import SaleSearch
from backend.web.templatetags.shop_format import shop_url
from backend.web.wording import sales

register = template.Library()

MONEY_FILTERS = ("du", "au", "caisse")
BADGE = '<span class="badge badge-{}">{}</span>'


@register.simple_tag
def sale_badge(sale: Sale) -> SafeString:
    """Show a sale's state: paid, on credit, settled since, or voided. Other documents have none."""
    if sale.kind != SaleKind.SALE:
        return SafeString("")
    if sale.voided_at:
        return format_html(BADGE, sales.BAD, _("Annulée"))
    if sale.is_paid:
        return format_html(BADGE, sales.GOOD, _("Payée"))
    if not owed_for(sale):
        return format_html(BADGE, sales.GOOD, _("Crédit soldé"))
    return format_html(BADGE, sales.WARNING, _("À crédit"))


@register.simple_tag
def money_words(move: MoneyMovement, is_correction: bool) -> str:
    return sales.moved_in(move.kind, move.mode, is_correction=is_correction)


@register.filter
def unsigned(amount: Decimal) -> Decimal:
    """Return the amount without its sign, beside words that say which way it went."""
    return abs(amount)


@register.filter
def paid_in(sale: Sale) -> str:
    """Return the mode in which the document's money moved; of several, that they are several."""
    modes = {move.mode for move in sale.money.all()}
    return sales.payment_mode(modes.pop()) if len(modes) == 1 else _("Mixte") if modes else ""


@register.simple_tag(takes_context=True)
def sales_url(context: Context, name: str, chosen: SaleSearch, **parameters: object) -> str:
    """Return the address of a page, with the filters of the list of sales."""
    return shop_url(context, name, **chosen.address(), **parameters)


@register.simple_tag(takes_context=True)
def money_url(context: Context, name: str, chosen: SaleSearch) -> str:
    """Return the address of a file of money, with those filters of the list that it knows: the days and the till."""
    known = {key: value for key, value in chosen.address().items() if key in MONEY_FILTERS}
    return shop_url(context, name, **known)
