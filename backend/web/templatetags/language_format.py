"""Filters that show stored codes in the language of the page."""

from django import template

from backend.inventory.comments import comment_of
from backend.inventory.models import StockMovement
from backend.sales.errors import reason_of, sentence_of
from backend.sales.errors.sentences import Kept, KeptReason
from backend.sentences import reader_language
from backend.web.wording import sales, tills

register = template.Library()

register.filter("role_words", sales.role_words)
register.filter("till_name", tills.till_name)
register.filter("answer_words", tills.answer_words)


@register.filter
def sentence(outcome: Kept) -> str:
    """Return the sentence of an outcome, present or past."""
    return sentence_of(outcome, reader_language())


@register.filter
def reason(kept: KeptReason) -> str:
    """Return why an outcome was replaced, or why a document was made."""
    return reason_of(kept, reader_language())


@register.filter
def comment(movement: StockMovement) -> str:
    return comment_of(movement, reader_language())
