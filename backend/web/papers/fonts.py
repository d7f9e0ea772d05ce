"""The printable letters: the font that reportlab ships, and replacements for letters that it lacks."""

import functools
import unicodedata
from pathlib import Path

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

PLAIN, BOLD = "Vera", "VeraBd"
FONTS = Path(reportlab.__file__).parent / "fonts"
# Replaces a letter that cannot be printed; the paper then has a remark about it.
MISSING = "?"
# Letters of Lingala, Tshiluba and related languages, as people write them on a keyboard without them.
STAND_INS = str.maketrans(
    {"ɛ": "e", "Ɛ": "E", "ɔ": "o", "Ɔ": "O", "ŋ": "ng", "Ŋ": "Ng", "ɓ": "b", "ɗ": "d", "ʼ": "'", "‑": "-"}
    | dict.fromkeys("\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}\N{FIGURE SPACE}\t\n\r", " ")
)


@functools.cache
def letters() -> frozenset[str]:
    """Register the fonts, once per process, and return the letters that both have."""
    faces = []
    for name in (PLAIN, BOLD):
        font = TTFont(name, FONTS / f"{name}.ttf")
        pdfmetrics.registerFont(font)
        faces.append({chr(code) for code in font.face.charToGlyph})
    return frozenset(faces[0] & faces[1])


def printable(text: str) -> str:
    """Return `text` with each letter that the font lacks replaced: without its accent, by a stand-in, or by MISSING."""
    if letters().issuperset(text):
        return text
    composed = unicodedata.normalize("NFC", text).translate(STAND_INS)
    return "".join(letter if letter in letters() else _stand_in(letter) for letter in composed)


def is_printed_whole(text: str) -> bool:
    """Tell whether no letter of `text` is printed as MISSING."""
    return printable(text).count(MISSING) == text.count(MISSING)


def _stand_in(letter: str) -> str:
    if unicodedata.category(letter) in ("Mn", "Cf", "Cc"):
        return ""
    plain = "".join(part for part in unicodedata.normalize("NFKD", letter) if part in letters())
    return plain or MISSING
