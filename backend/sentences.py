"""A sentence as data: its French template and the parts for it, put into a language when it is read.

The domain knows why it refuses, but not the reader's language. Tills always receive French, people the language of
their page. Templates are written where they are used, marked with gettext_noop.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Union

from django.utils.translation import get_language, gettext, override

# The language of the templates, and of every till.
FRENCH = "fr"

# A name, a number, a text that somebody typed, or another sentence.
Part = Union[str, int, "Sentence"]


def reader_language() -> str:
    """Return the language of the page that is being rendered."""
    return get_language() or FRENCH


@dataclass(frozen=True, slots=True)
class Sentence:
    """A template with its parts. Without parts, the template is used as it is, including per cent signs."""

    template: str
    parts: Mapping[str, Part] = field(default_factory=dict)

    def say(self, language: str) -> str:
        """Return the sentence in `language`, whatever the active one. Only parts that are sentences are translated."""
        if language.startswith(FRENCH):
            template = self.template
        else:
            with override(language):
                template = gettext(self.template)
        if not self.parts:
            return template
        return template % {
            name: part.say(language) if isinstance(part, Sentence) else part for name, part in self.parts.items()
        }

    def __str__(self) -> str:
        """Return the sentence in the reader's language."""
        return self.say(reader_language())
