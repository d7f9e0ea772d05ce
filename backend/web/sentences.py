"""Sentences that are kept in French, with an outcome or a movement, as the reader's language says them.

The domain writes a sentence once, for tills and for people, and keeps it. Their shapes stand in sentence_shapes.py: a
kept sentence that has such a shape is said in the language of the page, with what it names put in again. What a person
typed has no such shape, and stays as typed.
"""

import functools
import re

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

from backend.web.sentence_shapes import BATCHES, CALLS, DECISIONS, OUTCOMES, REASONS

PART = re.compile(r"%\((\w+)\)s")
# Every other part is a name or a word of somebody.
NUMBERS = frozenset({"count", "line", "first", "last", "size"})

OFFICE = _("Bureau")

# What is kept beside what people typed; the other shapes are parts of these, or are told at once and not kept.
KEPT = (*OUTCOMES, *DECISIONS)
ALL = (*KEPT, *REASONS, *BATCHES)


def is_french() -> bool:
    return (get_language() or "fr").startswith("fr")


def told(text: str) -> str:
    """Return what is kept with an outcome or a movement in the language of the page; what a person typed as it is."""
    return _said(text, KEPT) or text


def find_words(text: str) -> str | None:
    """Return the sentence of a refusal in the language of the page; None if it has no shape that is known here."""
    return _said(text, ALL)


def said(text: str) -> str:
    """Return the sentence of a refusal in the language of the page; as it is if it has no shape that is known."""
    return find_words(text) or text


def _said(text: str, shapes: tuple[str, ...]) -> str | None:
    if is_french():
        return text
    for shape, pattern in _patterns(shapes):
        found = pattern.fullmatch(text)
        if found:
            parts = {name: _part(name, part) for name, part in found.groupdict().items()}
            return gettext(shape) % parts if parts else gettext(shape)
    return None


def _part(name: str, part: str) -> str:
    """Return a part as it goes into the sentence: a reason is one of ours, a detail may be a person's."""
    if name == "reason":
        return find_words(part) or part
    return told(part) if name == "detail" else part


@functools.cache
def _patterns(shapes: tuple[str, ...]) -> list[tuple[str, re.Pattern[str]]]:
    """Return each shape with what matches it: those that say most first, so that `Champ invalide : …` comes last."""
    in_order = sorted(shapes, key=lambda shape: len(PART.sub("", shape)), reverse=True)
    return [(shape, re.compile(_expression(shape), re.DOTALL)) for shape in in_order]


def _expression(shape: str) -> str:
    expression, at = "", 0
    for part in PART.finditer(shape):
        anything = "[0-9]+" if part[1] in NUMBERS else ".*?"
        expression += re.escape(shape[at : part.start()]) + f"(?P<{part[1]}>{anything})"
        at = part.end()
    return expression + re.escape(shape[at:])


def answer_words(detail: str, code: str) -> str:
    """Return what a refused call was answered: the exact sentence in French, else one by its code."""
    return detail if is_french() or code not in CALLS else gettext(CALLS[code])


def till_name(name: str) -> str:
    """Return a till's name: as the shop gave it, but for the office, which nobody named."""
    return gettext(OFFICE) if name == OFFICE else name
