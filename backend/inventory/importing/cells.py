"""Values of a spreadsheet's cells: numbers as the French write them, yes and no, and text that is never a formula.

A cell is text, or a Decimal where the file stores a number. An ambiguous text is refused, never guessed.
"""

import re
import unicodedata
from decimal import Decimal

from django.utils.translation import gettext_noop as _

from backend.inventory import french_numbers
from backend.inventory.errors import shown
from backend.sentences import Sentence

Cell = str | Decimal

YES = frozenset({"oui", "o", "vrai", "true", "1", "actif"})
NO = frozenset({"non", "n", "faux", "false", "0", "inactif"})
# A spreadsheet takes a cell that begins with one of these for a formula; an apostrophe before it marks it as text.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")


class CellUnreadable(Exception):
    """The cell's text has no meaning, or more than one."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return str(self.sentence)


def read_number(cell: Cell) -> Decimal:
    """Return the number in a cell; a text is read as people write numbers. Raises CellUnreadable."""
    if isinstance(cell, Decimal):
        return cell
    try:
        return french_numbers.read_number(cell)
    except french_numbers.NumberUnreadable as error:
        raise CellUnreadable(error.sentence) from error


def read_yes_or_no(cell: Cell) -> bool:
    word = folded(text_of(cell))
    if word in YES:
        return True
    if word in NO:
        return False
    raise CellUnreadable(Sentence(_("oui ou non attendu, pas « %(text)s »"), {"text": shown(text_of(cell))}))


def text_of(cell: Cell) -> str:
    """Return a cell as text: a code that the file stores as the number 123 is the code 123."""
    return cell if isinstance(cell, str) else f"{cell:f}"


def is_blank(cell: Cell | None) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def folded(text: str) -> str:
    """Return `text` in lower case without accents, each run of spaces, hyphens or apostrophes as one underscore."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[\s_\-']+", "_", plain.strip())


def write_yes_or_no(value: bool) -> str:
    return "oui" if value else "non"


def escape_formula(text: str) -> str:
    """Return `text` marked so that a spreadsheet shows it and does not take it for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def unescape_formula(text: str) -> str:
    """Undo `escape_formula`."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text
