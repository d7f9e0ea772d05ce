"""What is kept in French, as the language of the page says it."""

from django import template

from backend.web import sentences
from backend.web.wording import sales

register = template.Library()

register.filter("role_words", sales.role_words)
register.filter("told", sentences.told)
register.filter("till_name", sentences.till_name)
register.filter("answer_words", sentences.answer_words)
register.filter("said", sentences.said)
