"""Splits a batch's bytes into its sales, and reads the two fields that are needed even of a malformed sale.

A batch is refused only if it cannot be told where its sales begin and end.
"""

import json
import re
import uuid
from typing import Any

import msgspec

from backend.sales.errors import BatchUnreadable, NotAnArray, Phrase, Reason
from backend.sales.wire.fingerprints import UnitKey
from backend.sales.wire.structs import BIGINT_MAX, NUMBER_LENGTH_MAX, Identifier

DEPTH_MAX = 32
COUNTER_LENGTH_MAX = len(str(BIGINT_MAX))


class Peek(msgspec.Struct, frozen=True):
    """The two fields that are needed of a sale, even if it is malformed elsewhere."""

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
    """Return a number no longer than a counter as int; a longer one stays text: int() refuses some of them."""
    return int(text) if len(text) <= COUNTER_LENGTH_MAX else text


_cut = msgspec.json.Decoder(list[msgspec.Raw])
_peek = msgspec.json.Decoder(Peek)
_peek_lines = msgspec.json.Decoder(PeekLines)
_lenient = json.JSONDecoder(strict=False, parse_int=_whole, parse_float=str, parse_constant=str)

# From an opening quote to its closing quote, or to the end. Possessive, so that no input makes it backtrack.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACES_AS_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
_SPACES = re.compile(r"[ \t\r\n]*")


def cut(body: bytes) -> list[bytes]:
    """Return the bytes of each element of the JSON array `body`.

    Where msgspec refuses the array (NaN, half an emoji, a raw tab in one sale), the standard decoder splits it, so that
    only the sale with the fault is refused later. Raises BatchUnreadable (no UTF-8, no JSON, deeper than DEPTH_MAX) and
    NotAnArray.
    """
    _check_nesting(body)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise BatchUnreadable(Reason.NOT_UTF8) from error
    try:
        return [bytes(element) for element in _cut.decode(body)]
    except msgspec.ValidationError as error:
        raise NotAnArray from error
    except msgspec.DecodeError:
        return _cut_leniently(text)


def _check_nesting(body: bytes) -> None:
    """Raise BatchUnreadable for nesting that is too deep. Each pass removes the innermost pairs, at C speed."""
    brackets = _STRING.sub(b"", body).translate(_BRACES_AS_BRACKETS, _NO_BRACKET)
    for _ in range(DEPTH_MAX):
        shorter = brackets.replace(b"[]", b"")
        if len(shorter) == len(brackets):
            break
        brackets = shorter
    if b"[]" in brackets:
        raise BatchUnreadable(Reason.TOO_DEEP, count=DEPTH_MAX)
    if brackets:
        raise BatchUnreadable(Reason.JSON_UNREADABLE)


def _cut_leniently(text: str) -> list[bytes]:
    elements: list[bytes] = []
    index = _past_spaces(text, 0)
    if text[index : index + 1] != "[":
        try:
            _lenient.decode(text)
        except ValueError as error:
            raise BatchUnreadable(Reason.JSON_UNREADABLE) from error
        raise NotAnArray
    index = _past_spaces(text, index + 1)
    closed = text[index : index + 1] == "]"
    while not closed:
        try:
            _, end = _lenient.raw_decode(text, index)
        except ValueError as error:
            raise BatchUnreadable(Reason.JSON_UNREADABLE) from error
        elements.append(text[index:end].encode())
        index = _past_spaces(text, end)
        closed = text[index : index + 1] == "]"
        if not closed and text[index : index + 1] != ",":
            raise BatchUnreadable(Reason.JSON_UNREADABLE)
        if not closed:
            index = _past_spaces(text, index + 1)
    if _past_spaces(text, index + 1) != len(text):
        raise BatchUnreadable(Reason.JSON_UNREADABLE)
    return elements


def _past_spaces(text: str, index: int) -> int:
    spaces = _SPACES.match(text, index)
    assert spaces is not None, "the pattern matches an empty text too"
    return spaces.end()


def peek(raw: bytes) -> tuple[str, int | None]:
    """Return the number ("" where none can be stored) and the `sequence` of a sale that may be malformed."""
    try:
        found = _peek.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = _peek_leniently(raw)
    number = found.numero_facture.strip() if isinstance(found.numero_facture, str) else ""
    if number_fault(number):
        number = ""
    is_counter = isinstance(found.sequence, int) and not isinstance(found.sequence, bool)
    return number, found.sequence if is_counter and 0 <= found.sequence <= BIGINT_MAX else None


def peek_units(raw: bytes) -> list[UnitKey]:
    """Return the keys that name a sale's units, to read these units ahead; none if the sale is malformed."""
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


def number_fault(number: str) -> Phrase | None:
    """Return what is wrong with a till's number, already trimmed; None if nothing is."""
    if not number:
        return Reason.MISSING()
    if len(number) > NUMBER_LENGTH_MAX:
        return Reason.TOO_MANY_CHARACTERS(count=NUMBER_LENGTH_MAX)
    if not number.isprintable() or "~" in number:
        return Reason.CHARACTER_FORBIDDEN()
    return None
