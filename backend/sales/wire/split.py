"""Cutting a batch's bytes into its sales, and the two fields worth knowing of a sale that may be malformed.

A batch is refused only if nobody can tell where its sales begin and end.
"""

import json
import re
import uuid
from typing import Any

import msgspec

from backend.sales.errors import BatchUnreadable, NotAnArray
from backend.sales.wire.fingerprints import UnitKey
from backend.sales.wire.structs import BIGINT_MAX, NUMBER_LENGTH_MAX, Identifier

DEPTH_MAX = 32
COUNTER_LENGTH_MAX = len(str(BIGINT_MAX))


class Peek(msgspec.Struct, frozen=True):
    """The two fields worth knowing of a sale that may be malformed elsewhere."""

    numero_facture: Any = None
    sequence: Any = None


class PeekLine(msgspec.Struct, frozen=True):
    """What names a line's unit, in the order of a UnitKey."""

    unite_uuid: uuid.UUID | None = None
    article_uuid: uuid.UUID | None = None
    article_id: Identifier | None = None


class PeekLines(msgspec.Struct, frozen=True):
    lignes: list[PeekLine] | None = None


def _whole(text: str) -> int | str:
    """Return a number of the length of a counter; longer ones stay text, for Python refuses some of them."""
    return int(text) if len(text) <= COUNTER_LENGTH_MAX else text


_cut = msgspec.json.Decoder(list[msgspec.Raw])
_peek = msgspec.json.Decoder(Peek)
_peek_lines = msgspec.json.Decoder(PeekLines)
_lenient = json.JSONDecoder(strict=False, parse_int=_whole, parse_float=str, parse_constant=str)

# An opening quote to its closing one, or to the end: possessive, so that no input makes it look back.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACES_AS_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
_SPACES = re.compile(r"[ \t\r\n]*")


def cut(body: bytes) -> list[bytes]:
    """Return the bytes of each element of the JSON array `body`.

    Where msgspec refuses the array (NaN, half an emoji, a raw tab in one sale), the standard decoder cuts it, so that
    the offending sale alone is refused later. Raises BatchUnreadable (no UTF-8, no JSON, deeper than DEPTH_MAX) and
    NotAnArray.
    """
    _check_nesting(body)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise BatchUnreadable("le texte n'est pas en UTF-8") from error
    try:
        return [bytes(element) for element in _cut.decode(body)]
    except msgspec.ValidationError as error:
        raise NotAnArray from error
    except msgspec.DecodeError:
        return _cut_leniently(text)


def _check_nesting(body: bytes) -> None:
    """Refuse what no decoder should see: each pass takes the innermost pairs of brackets away, at C speed."""
    brackets = _STRING.sub(b"", body).translate(_BRACES_AS_BRACKETS, _NO_BRACKET)
    for _ in range(DEPTH_MAX):
        shorter = brackets.replace(b"[]", b"")
        if len(shorter) == len(brackets):
            break
        brackets = shorter
    if b"[]" in brackets:
        raise BatchUnreadable(f"imbriqué à plus de {DEPTH_MAX} niveaux")
    if brackets:
        raise BatchUnreadable("JSON illisible")


def _cut_leniently(text: str) -> list[bytes]:
    elements: list[bytes] = []
    at = _past_spaces(text, 0)
    if text[at : at + 1] != "[":
        try:
            _lenient.decode(text)
        except ValueError as error:
            raise BatchUnreadable("JSON illisible") from error
        raise NotAnArray
    at = _past_spaces(text, at + 1)
    closed = text[at : at + 1] == "]"
    while not closed:
        try:
            _, end = _lenient.raw_decode(text, at)
        except ValueError as error:
            raise BatchUnreadable("JSON illisible") from error
        elements.append(text[at:end].encode())
        at = _past_spaces(text, end)
        closed = text[at : at + 1] == "]"
        if not closed and text[at : at + 1] != ",":
            raise BatchUnreadable("JSON illisible")
        if not closed:
            at = _past_spaces(text, at + 1)
    if _past_spaces(text, at + 1) != len(text):
        raise BatchUnreadable("JSON illisible")
    return elements


def _past_spaces(text: str, at: int) -> int:
    spaces = _SPACES.match(text, at)
    assert spaces is not None, "none at all match too"
    return spaces.end()


def peek(raw: bytes) -> tuple[str, int | None]:
    """Return the number ("" where none can be kept) and the `sequence` of a sale that may be malformed."""
    try:
        seen = _peek.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        seen = _peek_leniently(raw)
    number = seen.numero_facture.strip() if isinstance(seen.numero_facture, str) else ""
    if number_fault(number):
        number = ""
    is_counter = isinstance(seen.sequence, int) and not isinstance(seen.sequence, bool)
    return number, seen.sequence if is_counter and 0 <= seen.sequence <= BIGINT_MAX else None


def peek_units(raw: bytes) -> list[UnitKey]:
    """Return what names the units of a sale, for whoever wants to know before it is its turn: nothing if malformed."""
    try:
        lines = _peek_lines.decode(raw).lignes or ()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
    keys: list[UnitKey] = []
    for line in lines:
        uuids = (("unite_uuid", line.unite_uuid), ("article_uuid", line.article_uuid))
        key: list[tuple[str, str | int]] = [(name, str(value)) for name, value in uuids if value is not None]
        if line.article_id is not None:
            key.append(("article_id", line.article_id))
        if key:
            keys.append(tuple(key))
    return keys


def _peek_leniently(raw: bytes) -> Peek:
    try:
        tree = _lenient.decode(raw.decode())
    except ValueError:
        return Peek()
    if not isinstance(tree, dict):
        return Peek()
    return Peek(tree.get("numero_facture"), tree.get("sequence"))


def number_fault(number: str) -> str | None:
    """Return what is wrong with a till's number, already trimmed, in French; None if nothing is."""
    if not number:
        return "manquant"
    if len(number) > NUMBER_LENGTH_MAX:
        return f"plus de {NUMBER_LENGTH_MAX} caractères"
    if not number.isprintable() or "~" in number:
        return "caractère interdit"
    return None
