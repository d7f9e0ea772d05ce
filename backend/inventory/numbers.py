"""Numbers as people write and read them here: one rule for spreadsheets, for pages and for sentences.

Babel's parse_decimal(strict=True) is another rule: it takes Arabic digits and NaN, and reads `1.500` as 1.5.
"""

import re
from decimal import Decimal
from typing import ClassVar

from django.utils.translation import gettext_noop as _

from backend.inventory.errors import shown
from backend.sentences import Sentence

NUMBER_CHARACTERS_MAX = 40
# No-break, narrow no-break, thin and figure spaces: programs put any of them between thousands.
SPACES = re.compile("[ \u00a0\u202f\u2009\u2007]")
# What pages write before a number below zero.
MINUS = "\N{MINUS SIGN}"
GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?: [0-9]{3})+(?:[.,][0-9]+)?")
PLAIN = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")
DOTTED = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+|[+-]?[0-9]{1,3}(?:\.[0-9]{3}){2,}")
COMMAED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+|[+-]?[0-9]{1,3}(?:,[0-9]{3}){2,}")
# 25,000 is twenty-five here and twenty-five thousand there. 0,125 and 25 000,125 are not in doubt.
AMBIGUOUS = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")


class NumberUnreadable(ValueError):
    """The text is no number, or more than one."""

    template: ClassVar[str] = _("« %(text)s » n'est pas un nombre")

    def __init__(self, **parts: str) -> None:
        self.sentence = Sentence(self.template, parts)
        super().__init__(self.sentence)

    def __str__(self) -> str:
        return str(self.sentence)


class NumberAmbiguous(NumberUnreadable):
    template = _("« %(text)s » est ambigu : écrivez %(whole)s, ou %(decimal)s")


class NumberTooLong(NumberUnreadable):
    template = _("nombre trop long")


def read_number(text: str) -> Decimal:
    """Return the number that a person wrote: `25 000,50`, `25000.5`, `25.000,50`, `−3`.

    Nothing is guessed: `1.500` and `1,500` are refused. Raises NumberUnreadable.
    """
    text = SPACES.sub(" ", text).replace(MINUS, "-").strip()
    if len(text) > NUMBER_CHARACTERS_MAX:
        raise NumberTooLong
    if AMBIGUOUS.fullmatch(text):
        whole, part = re.split("[.,]", text)
        raise NumberAmbiguous(text=text, whole=f"{whole}{part}", decimal=f"{whole},{part}0")
    if GROUPED.fullmatch(text) or PLAIN.fullmatch(text):
        return Decimal(text.replace(" ", "").replace(",", "."))
    if DOTTED.fullmatch(text):
        return Decimal(text.replace(".", "").replace(",", "."))
    if COMMAED.fullmatch(text):
        return Decimal(text.replace(",", ""))
    raise NumberUnreadable(text=shown(text))


def write_number(value: Decimal | None, *, places: int = 0) -> str:
    """Return a number as read_number reads it, and a French spreadsheet too, with at least so many places."""
    if value is None:
        return ""
    whole, _dot, part = plain_number(value).partition(".")
    part = part.ljust(places, "0")
    if len(part) == 3:
        part += "0"
    return f"{whole},{part}" if part else whole


def plain_number(value: Decimal) -> str:
    """Return 2 for 2.000 and 1.5 for 1.500: a number in a sentence of the domain."""
    return f"{value.normalize():f}" if value else "0"
