"""How units, their stock and their movements are written for people."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backend.inventory.models import ArticleUnit, StockMovement
from backend.web import stock_words, wording

register = template.Library()

register.filter("unit_name", stock_words.unit_name)
register.filter("level_words", stock_words.level_words)

BADGE = '<span class="badge badge-{}">{}</span>'


@register.simple_tag
def stock_badge(unit: ArticleUnit) -> SafeString:
    """Say that a unit is below zero, sold out or running out; nothing where there is enough."""
    if unit.stock < 0:
        return format_html(BADGE, wording.BAD, _("Négatif"))
    threshold = unit.low_stock_threshold
    if threshold is None or unit.stock > threshold:
        return SafeString("")
    return format_html(BADGE, wording.WARNING, _("Épuisé") if unit.stock == 0 else _("Bas"))


@register.simple_tag
def movement_badge(movement: StockMovement) -> SafeString:
    words, tone = stock_words.MOVEMENTS.get(movement.type, (movement.type, wording.QUIET))
    return format_html(BADGE, tone, words)
