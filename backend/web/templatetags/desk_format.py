"""The repair desk's words, as its templates call them."""

from collections.abc import Mapping

from django import template

from backend.web.wording import sales

register = template.Library()


@register.filter
def fix_title(fix: str) -> str:
    return str(sales.FIXES[fix][0])


@register.filter
def fix_words(fix: str) -> str:
    return str(sales.FIXES[fix][1])


@register.filter
def of(found: Mapping, key: str) -> object:
    """Return what a mapping has under a key that the template itself holds."""
    return found.get(key, "")


@register.filter
def with_number(text: str, number: int) -> str:
    return f"{text}{number}"
