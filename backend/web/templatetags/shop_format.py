"""Filters and tags that every page of a shop uses."""

import datetime
import functools
from decimal import Decimal

from django import template
from django.template import Context
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backend.sales.models import Batch, Sale, SaleOutcome
from backend.web import formats
from backend.web.selectors.dashboard import LateArrivals, OpenEntries
from backend.web.wording import sales

register = template.Library()

register.filter("quantity", formats.quantity)
register.filter("signed_quantity", formats.signed_quantity)
register.filter("payment_mode", sales.payment_mode)
register.filter("warning_words", sales.warning)

SHORT_NUMBER_MAX = 24
GAPS_SHOWN_MAX = 6
NOON = 12
BADGE = '<span class="badge badge-{}">{}</span>'


@register.filter
def money(amount: Decimal, currency: str) -> str:
    return formats.money(amount, currency)


@register.filter
def amounts(found: list) -> str:
    """Write a list of amounts of several currencies as one phrase: `45 000 FC et 10,00 $US`."""
    return _(" et ").join(formats.money(each.amount, each.currency) for each in found)


@register.filter
def open_entries(entries: OpenEntries) -> str:
    """Write `45 000 FC à corriger (3 ventes)`, and mention sales without a readable amount."""
    count = ngettext("%(count)s vente", "%(count)s ventes", entries.count) % {"count": formats.quantity(entries.count)}
    if not entries.amounts:
        return _("%(count)s à corriger, d'un montant inconnu") % {"count": count}
    if entries.without_amount_count:
        count = _("%(count)s, dont %(unknown)s sans montant lisible") % {
            "count": count,
            "unknown": formats.quantity(entries.without_amount_count),
        }
    return _("%(amounts)s à corriger (%(count)s)") % {"amounts": amounts(entries.amounts), "count": count}


@register.simple_tag
def late_words(late: LateArrivals) -> str:
    """Write `+12 ventes (184 000 FC) arrivées ce matin`, and the number of other documents of that day."""
    parts = []
    if late.sale_count:
        words = ngettext("+%(count)s vente (%(amounts)s)", "+%(count)s ventes (%(amounts)s)", late.sale_count)
        parts.append(words % {"count": formats.quantity(late.sale_count), "amounts": amounts(late.amounts)})
    if late.other_count:
        words = ngettext("%(count)s autre document", "%(count)s autres documents", late.other_count)
        parts.append(words % {"count": formats.quantity(late.other_count)})
    moment = _("ce matin") if timezone.localtime(late.last_at).hour < NOON else _("aujourd'hui")
    count = late.sale_count + late.other_count
    if late.sale_count:
        came = ngettext("arrivée %(moment)s", "arrivées %(moment)s", count)
    else:
        came = ngettext("arrivé %(moment)s", "arrivés %(moment)s", count)
    return f"{_(' et ').join(parts)} {came % {'moment': moment}}"


@register.filter
def gaps(found: list[list[int]]) -> str:
    """Write the gaps of a till's sequence: `la vente n° 7`, `les ventes n° 7, 1840 à 1841`."""
    if len(found) == 1 and found[0][0] == found[0][1]:
        return _("la vente n° %(number)s") % {"number": found[0][0]}
    shown = [_range(first, last) for first, last in found[:GAPS_SHOWN_MAX]]
    numbers = _("les ventes n° %(numbers)s") % {"numbers": ", ".join(shown)}
    return numbers if len(found) <= GAPS_SHOWN_MAX else _("%(numbers)s et d'autres") % {"numbers": numbers}


def _range(first: int, last: int) -> str:
    return str(first) if first == last else _("%(first)s à %(last)s") % {"first": first, "last": last}


@register.filter
def is_short(number: str) -> bool:
    """Tell whether a number is short enough for one line of a table: tills may send 64 characters."""
    return len(number) <= SHORT_NUMBER_MAX


@register.simple_tag
def when(at: datetime.datetime) -> SafeString:
    return _time(at, formats.moment(at, now=timezone.now()))


@register.simple_tag
def when_on(at: datetime.datetime, date: datetime.date) -> SafeString:
    """Write only the time if it is on `date`, the day of the heading; else the day too."""
    local = timezone.localtime(at)
    return _time(at, f"{local:%H:%M}") if local.date() == date else when(at)


def _time(at: datetime.datetime, words: str) -> SafeString:
    exact = date_format(timezone.localtime(at), "j F Y H:i:s")
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact, words)


@register.filter
def day(date: datetime.date) -> str:
    return formats.day(date, today=timezone.localdate())


@register.filter
def kind(sale: Sale) -> str:
    return str(sales.KINDS.get(sale.kind, sale.kind))


@register.filter
def advice(outcome: SaleOutcome) -> str:
    return str(sales.ADVICE.get(outcome.code, ""))


@register.simple_tag
def outcome_badge(outcome: SaleOutcome) -> SafeString:
    words, tone = sales.STATUSES.get(outcome.status, (outcome.status, sales.QUIET))
    return format_html(BADGE, tone, words)


@register.simple_tag
def batch_badge(batch: Batch) -> SafeString:
    """Show a batch's state: waiting, in progress, or done, with the number of problems."""
    problem_count = batch.error_count - batch.duplicate_count
    if batch.settled_at is None:
        words = _("En attente") if batch.next_position == 1 else _("En cours")
        return format_html(BADGE, sales.WAITING, words)
    if problem_count:
        words = ngettext("%(count)s problème", "%(count)s problèmes", problem_count) % {"count": problem_count}
        return format_html(BADGE, sales.BAD, words)
    return format_html(BADGE, sales.GOOD, _("Traité"))


@register.simple_tag(takes_context=True)
def shop_url(context: Context, name: str, **parameters: object) -> str:
    """Return the address of a shop's page; parameters that the route does not take become the query."""
    route = {key: parameters.pop(key) for key in _route_parameters()[name]}
    return context["request"].access.link(reverse(f"web:{name}", kwargs=route), **parameters)


@register.simple_tag(takes_context=True)
def menu_entry(context: Context, words: str, name: str, *others: str) -> SafeString:
    """Write a page's entry in the menu. others: the pages below it, for which the entry is marked too."""
    if name not in _route_parameters():
        return SafeString("")
    return format_html(
        '<li><a href="{}"{}>{}</a></li>', shop_url(context, name), current(context, name, *others), words
    )


@functools.cache
def _route_parameters() -> dict[str, list[str]]:
    """Return the names of the parameters in each page's path."""
    # Imported here: the views import the template tags.
    from backend.web.urls import urlpatterns

    return {page.name: list(page.pattern.converters) for page in urlpatterns if page.name}


@register.simple_tag(takes_context=True)
def current(context: Context, *names: str) -> SafeString:
    """Mark the menu's entry of the present page, for screen readers too."""
    match = context["request"].resolver_match
    return SafeString(' aria-current="page"') if match and match.url_name in names else SafeString("")
