"""What a spreadsheet's cell means: numbers the French way, yes and no, and text that no program may take for a formula.

A cell is text, or a Decimal where the file itself says that it is a number. Text is never guessed at: what could mean
two things is refused.
"""

import re
import unicodedata
from decimal import Decimal

Cell = str | Decimal

NUMBER_CHARACTERS_MAX = 40
# No-break, narrow no-break, thin and figure spaces: programs put any of them between thousands.
SPACES = re.compile("[ \u00a0\u202f\u2009\u2007]")
GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?: [0-9]{3})+(?:[.,][0-9]+)?")
PLAIN = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")
DOTTED = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+|[+-]?[0-9]{1,3}(?:\.[0-9]{3}){2,}")
COMMAED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+|[+-]?[0-9]{1,3}(?:,[0-9]{3}){2,}")
# 25,000 is twenty-five here and twenty-five thousand there. 0,125 and 25 000,125 are not in doubt.
AMBIGUOUS = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")
YES = frozenset({"oui", "o", "vrai", "true", "1", "actif"})
NO = frozenset({"non", "n", "faux", "false", "0", "inactif"})
# What a spreadsheet takes for a formula when a cell begins with it; an apostrophe before it says that it is text.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")


class CellUnreadable(Exception):
    """The cell's text means nothing, or more than one thing. The message is a French sentence."""


def read_number(cell: Cell) -> Decimal:
    """Return the number in a cell: `25 000,50`, `25000.5`, `25.000,50`. Raises CellUnreadable."""
    if isinstance(cell, Decimal):
        return cell
    text = SPACES.sub(" ", cell).strip()
    if len(text) > NUMBER_CHARACTERS_MAX:
        raise CellUnreadable("nombre trop long")
    if AMBIGUOUS.fullmatch(text):
        whole, part = re.split("[.,]", text)
        raise CellUnreadable(f"« {text} » est ambigu : écrivez {whole}{part}, ou {whole},{part}0")
    if GROUPED.fullmatch(text) or PLAIN.fullmatch(text):
        return Decimal(text.replace(" ", "").replace(",", "."))
    if DOTTED.fullmatch(text):
        return Decimal(text.replace(".", "").replace(",", "."))
    if COMMAED.fullmatch(text):
        return Decimal(text.replace(",", ""))
    raise CellUnreadable(f"« {shown(text)} » n'est pas un nombre")


def read_yes_or_no(cell: Cell) -> bool:
    word = folded(text_of(cell))
    if word in YES:
        return True
    if word in NO:
        return False
    raise CellUnreadable(f"oui ou non attendu, pas « {shown(text_of(cell))} »")


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


def write_number(value: Decimal | None, *, places: int = 0) -> str:
    """Return a number as a French spreadsheet reads it, with at least so many places, and never ambiguously."""
    if value is None:
        return ""
    text = f"{value.normalize():f}" if value else "0"
    whole, _, part = text.partition(".")
    part = part.ljust(places, "0")
    if len(part) == 3:
        part += "0"
    return f"{whole},{part}" if part else whole


def write_yes_or_no(value: bool) -> str:
    return "oui" if value else "non"


def disarm(text: str) -> str:
    """Return `text` so that a spreadsheet shows it and computes nothing."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def rearm(text: str) -> str:
    """Undo `disarm`."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text


def shown(text: str) -> str:
    """Return the beginning of what somebody sent, fit for a sentence."""
    visible = "".join(letter if letter.isprintable() else "�" for letter in text)
    return visible if len(visible) <= 40 else f"{visible[:39]}…"
