"""Template filters and tags of the operators' pages."""

import shlex
from datetime import UTC, datetime

from django import template
from django.template import Context
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backend.ops.pages.durations import length
from backend.ops.pages.links import flower_tasks_address

register = template.Library()

register.filter("flower_tasks", flower_tasks_address)

BADGE = '<span class="badge badge-{}">{}</span>'


@register.filter
def ago(at: datetime) -> SafeString:
    """Write `il y a 12 min`; its title has the exact time in UTC, as in the logs."""
    return _time(at, _("il y a %(age)s") % {"age": _age(at)})


@register.filter
def age(at: datetime) -> SafeString:
    """Write `12 min`."""
    return _time(at, _age(at))


@register.filter
def shell_word(text: str) -> str:
    """Quote a name that people chose, so that it can be pasted into a shell as one word."""
    return shlex.quote(text)


@register.simple_tag
def badge(tone: str, words: str) -> SafeString:
    return format_html(BADGE, tone, words)


@register.filter
def entry_name(scope: str) -> str:
    """Return what kind of thing a pause stops, from its scope."""
    return scope.partition(":")[0]


@register.simple_tag(takes_context=True)
def page_entry(context: Context, words: str, name: str, *others: str) -> SafeString:
    """Write a page's entry in the menu; `others` are the pages below it, for which it is marked as current too."""
    match = context["request"].resolver_match
    current = SafeString(' aria-current="page"') if match and match.url_name in (name, *others) else SafeString("")
    return format_html('<li><a href="{}"{}>{}</a></li>', reverse(f"operations:{name}"), current, words)


def _age(at: datetime) -> str:
    return length(timezone.now() - at)


def _time(at: datetime, words: str) -> SafeString:
    exact = date_format(at.astimezone(UTC), "j F Y H:i:s") + " UTC"
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact, words)
