"""Filters and tags for units, their stock and their movements."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backend.inventory.models import ArticleUnit, StockMovement
from backend.web.wording import sales, stock

register = template.Library()

register.filter("unit_name", stock.unit_name)
register.filter("level_words", stock.level_words)

BADGE = '<span class="badge badge-{}">{}</span>'


@register.simple_tag
def stock_badge(unit: ArticleUnit) -> SafeString:
    """Show that a unit's stock is negative, zero or low; nothing if there is enough."""
    if unit.stock < 0:
        return format_html(BADGE, sales.BAD, _("Négatif"))
    threshold = unit.low_stock_threshold
    if threshold is None or unit.stock > threshold:
        return SafeString("")
    return format_html(BADGE, sales.WARNING, _("Épuisé") if unit.stock == 0 else _("Bas"))


@register.simple_tag
def movement_badge(movement: StockMovement) -> SafeString:
    words, tone = stock.MOVEMENTS.get(movement.type, (movement.type, sales.QUIET))
    return format_html(BADGE, tone, words)
