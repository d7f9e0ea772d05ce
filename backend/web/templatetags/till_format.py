"""Filters and tags for tills, devices, closings and months."""

import datetime
from decimal import Decimal

from django import template
from django.template import Context
from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backend.sales.models import SaleOutcome, TillClosing
from backend.sales.repair.open_entries import NEEDS_A_PERSON
from backend.shops.models import Device
from backend.web import formats
from backend.web.selectors.drawers import MoveRow
from backend.web.templatetags.shop_format import shop_url
from backend.web.wording import sales, tills

register = template.Library()

# A smaller skew is shown as none: a call itself takes time, and it does not matter on a receipt.
CLOCK_IS_RIGHT_S = 60
CLOCK_IS_WRONG_S = 5 * 60
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400
BADGE = '<span class="badge badge-{}">{}</span>'


@register.filter
def clock_words(skew_s: float) -> str:
    """Write how far a clock is ahead or behind: `à l'heure`, `avance de 12 min`, `retarde de 2 jours`."""
    if abs(skew_s) < CLOCK_IS_RIGHT_S:
        return _("à l'heure")
    length = _length(abs(skew_s))
    return (
        _("avance de %(length)s") % {"length": length}
        if skew_s > 0
        else _("retarde de %(length)s") % {"length": length}
    )


def _length(seconds: float) -> str:
    if seconds < HOUR_S:
        return _("%(count)s min") % {"count": round(seconds / MINUTE_S)}
    if seconds < 2 * DAY_S:
        return _("%(count)s h") % {"count": round(seconds / HOUR_S)}
    return _("%(count)s jours") % {"count": formats.quantity(Decimal(round(seconds / DAY_S)))}


@register.filter
def is_wrong_clock(skew_s: float | None) -> bool:
    return skew_s is not None and abs(skew_s) >= CLOCK_IS_WRONG_S


@register.simple_tag
def device_badge(device: Device) -> SafeString:
    words, tone = tills.DEVICE_STATES.get(device.state, (device.state, sales.QUIET))
    return format_html(BADGE, tone, words)


@register.simple_tag
def closing_badge(closing: TillClosing, is_only_uncounted: bool = False) -> SafeString:
    if is_only_uncounted:
        return format_html(BADGE, sales.WARNING, _("Non compté"))
    words, tone = tills.RESULTS.get(closing.result, (closing.result, sales.QUIET))
    return format_html(BADGE, tone, words)


@register.simple_tag(takes_context=True)
def entry_link(context: Context, outcome: SaleOutcome) -> SafeString:
    """Write a link to the repair desk for a sale that needs a person; nothing for another."""
    if outcome.status not in NEEDS_A_PERSON:
        return SafeString("")
    try:
        path = reverse("web:entry", args=[outcome.batch_id, outcome.position])
    except NoReverseMatch:
        path = reverse("web:to_correct")
    address = context["request"].access.link(path)
    return format_html('<p class="small"><a href="{}">{}</a></p>', address, _("Décider"))


@register.filter
def gap_words(gap: Decimal | None, currency: str) -> str:
    """Write a drawer's difference: `juste`, `3 000 FC en moins`, `500 FC en trop`; for None, that nobody counted."""
    if gap is None:
        return _("non compté")
    if not gap:
        return _("juste")
    amount = formats.money(abs(gap), currency)
    return _("%(amount)s en trop") % {"amount": amount} if gap > 0 else _("%(amount)s en moins") % {"amount": amount}


@register.filter
def signed_money(amount: Decimal, currency: str) -> str:
    """Write `+20 000 FC`, `−3 000 FC` with a real minus sign; zero has no sign."""
    words = formats.money(abs(amount), currency)
    if not amount:
        return words
    return f"−{words}" if amount < 0 else f"+{words}"


@register.simple_tag(takes_context=True)
def drawer_url(context: Context, **parameters: object) -> str:
    """Return the address of the same explanation of a drawer, with other parameters."""
    closing = context["closing"]
    if closing is not None:
        return shop_url(context, "closing_drawer", closing_id=closing.pk, **parameters)
    day = {"jour": context["day"].isoformat(), "caissier": context["cashier"]}
    return shop_url(context, "till_drawer", terminal_id=context["terminal"].pk, **day | parameters)


@register.simple_tag
def move_kind(row: MoveRow) -> str:
    return sales.money_kind(row.movement.kind, is_correction=row.is_correction)


@register.filter
def month(first_day: datetime.date) -> str:
    """Write `novembre 2024`."""
    return date_format(first_day, "F Y")
