"""A sentence of ours before it is said: its French template and what goes into it.

The domain knows why it refuses; in which language that is said is known only where it is read. Tills are always told
in French, people in the language of their page. Templates stand where they are used, marked with gettext_noop.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Union

from django.utils.translation import get_language, gettext, override

# The language of the templates, and of every till.
FRENCH = "fr"

# A name, a number, somebody's own words; or a sentence of ours.
Part = Union[str, int, "Sentence"]


def reader_language() -> str:
    """Return the language of whoever reads the page that is being made."""
    return get_language() or FRENCH


@dataclass(frozen=True, slots=True)
class Sentence:
    """A template with its parts. A template without parts is taken as it is, per cent signs and all."""

    template: str
    parts: Mapping[str, Part] = field(default_factory=dict)

    def say(self, language: str) -> str:
        """Return the sentence in `language`, whatever the active one; its parts that are no sentences stay as given."""
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
        """Say it to the reader of the page."""
        return self.say(reader_language())
