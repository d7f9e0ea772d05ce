"""Filters for the templates of the repair desk."""

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
    """Return a mapping's value for a key that is a variable of the template."""
    return found.get(key, "")


@register.filter
def with_number(text: str, number: int) -> str:
    return f"{text}{number}"
