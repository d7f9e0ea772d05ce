"""What a spreadsheet's cell means: numbers the French way, yes and no, and text that no program may take for a formula.

A cell is text, or a Decimal where the file itself says that it is a number. Text is never guessed at: what could mean
two things is refused.
"""

import re
import unicodedata
from decimal import Decimal

from django.utils.translation import gettext_noop as _

from backend.inventory import numbers
from backend.inventory.errors import shown
from backend.sentences import Sentence

Cell = str | Decimal

YES = frozenset({"oui", "o", "vrai", "true", "1", "actif"})
NO = frozenset({"non", "n", "faux", "false", "0", "inactif"})
# What a spreadsheet takes for a formula when a cell begins with it; an apostrophe before it says that it is text.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")


class CellUnreadable(Exception):
    """The cell's text means nothing, or more than one thing."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return str(self.sentence)


def read_number(cell: Cell) -> Decimal:
    """Return the number in a cell, as a person writes it where the cell is text. Raises CellUnreadable."""
    if isinstance(cell, Decimal):
        return cell
    try:
        return numbers.read_number(cell)
    except numbers.NumberUnreadable as error:
        raise CellUnreadable(error.sentence) from error


def read_yes_or_no(cell: Cell) -> bool:
    word = folded(text_of(cell))
    if word in YES:
        return True
    if word in NO:
        return False
    raise CellUnreadable(Sentence(_("oui ou non attendu, pas « %(text)s »"), {"text": shown(text_of(cell))}))


def text_of(cell: Cell) -> str:
    """Return a cell as text: a code that the file keeps as the number 123 is the code 123."""
    return cell if isinstance(cell, str) else f"{cell:f}"


def is_blank(cell: Cell | None) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def folded(text: str) -> str:
    """Return `text` in small letters without accents, its spaces and hyphens each as one underscore."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[\s_\-']+", "_", plain.strip())


def write_yes_or_no(value: bool) -> str:
    return "oui" if value else "non"


def disarm(text: str) -> str:
    """Return `text` so that a spreadsheet shows it and computes nothing."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def rearm(text: str) -> str:
    """Undo `disarm`."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text
