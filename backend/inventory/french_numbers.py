"""Numbers as people write and read them here: one rule for spreadsheets, pages and sentences.

Babel's parse_decimal(strict=True) would differ: it accepts Arabic digits and NaN, and reads `1.500` as 1.5.
"""

import re
from decimal import Decimal
from typing import ClassVar

from django.utils.translation import gettext_noop as _

from backend.inventory.errors import shown
from backend.sentences import Sentence

NUMBER_CHARACTERS_MAX = 40
# Programs put any of these between thousands: no-break, narrow no-break, thin and figure spaces.
SPACES = re.compile("[ \u00a0\u202f\u2009\u2007]")
# Pages write it before a negative number.
MINUS = "\N{MINUS SIGN}"
GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?: [0-9]{3})+(?:[.,][0-9]+)?")
PLAIN = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")
DOTTED = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+|[+-]?[0-9]{1,3}(?:\.[0-9]{3}){2,}")
COMMAED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+|[+-]?[0-9]{1,3}(?:,[0-9]{3}){2,}")
# 25,000 may be twenty-five or twenty-five thousand. 0,125 and 25 000,125 are not ambiguous.
AMBIGUOUS = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")


class NumberUnreadable(ValueError):
    """The text is not a number, or may be read as more than one."""

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
    """Return the number in a text: `25 000,50`, `25000.5`, `25.000,50`, `−3`.

    An ambiguous one, as `1.500` or `1,500`, is refused. Raises NumberUnreadable.
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
    """Return a number in the form that read_number and French spreadsheets read, with at least `places` places."""
    if value is None:
        return ""
    whole, _dot, part = plain_number(value).partition(".")
    part = part.ljust(places, "0")
    if len(part) == 3:
        part += "0"
    return f"{whole},{part}" if part else whole


def plain_number(value: Decimal) -> str:
    """Return the number for a sentence: 2 for 2.000, 1.5 for 1.500."""
    return f"{value.normalize():f}" if value else "0"
