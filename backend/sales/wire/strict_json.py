"""Faults that msgspec accepts, or refuses without a path: duplicate keys, NUL, half emojis, NaN and Infinity."""

import json
import math
import re
from typing import Any

from backend.sales.errors import Phrase, Reason

DIGITS_MAX = 40


class _DuplicateKey(ValueError):
    """One object has the same key twice: one of the two would silently win."""


class _Fault:
    """Stands in the tree where a value is that no sale may have."""

    def __init__(self, reason: Phrase) -> None:
        self.reason = reason


class _Pairs(list[tuple[str, Any]]):
    """An object as its pairs, so that a repeated key is still seen."""


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise _DuplicateKey


def _number(text: str) -> object:
    if len(text) > DIGITS_MAX:
        return _Fault(Reason.TOO_MANY_DIGITS())
    # Even in a field that nothing reads, the number would reach the database's JSON, which has limits of its own.
    return 0 if math.isfinite(float(text)) else _Fault(Reason.NUMBER_TOO_LARGE())


# Faults that the quick decoder misses: escapes that may hide control characters, NaN and Infinity, long numbers.
_SUSPECT = re.compile(rf"\\[ubf]|NaN|Infinity|[-+.0-9eE]{{{DIGITS_MAX + 1}}}|[0-9][eE][-+]?[0-9]{{3}}")
# Finds out whether something is wrong. It builds nothing, so it is quick.
_quick = json.JSONDecoder(object_pairs_hook=_unique, parse_int=len, parse_float=len)
# Used only when something is wrong, to find out where.
_thorough = json.JSONDecoder(
    strict=False,
    object_pairs_hook=_Pairs,
    parse_int=_number,
    parse_float=_number,
    parse_constant=lambda _: _Fault(Reason.NOT_A_NUMBER()),
)


def find_fault(raw: bytes) -> tuple[str, Phrase] | None:
    """Return (path, reason) of the first fault in a sale's JSON; None if there is none."""
    text = raw.decode()
    if not _SUSPECT.search(text):
        try:
            _quick.decode(text)
        except ValueError:
            pass
        else:
            return None
    try:
        tree = _thorough.decode(text)
    except ValueError:
        return "", Reason.JSON_UNREADABLE()
    return _walk(tree, "") if isinstance(tree, _Pairs) else ("", Reason.NOT_AN_OBJECT())


def _walk(tree: object, path: str) -> tuple[str, Phrase] | None:
    """Return the first fault in `tree`, depth first; the batch's own check bounds the depth."""
    if isinstance(tree, _Fault):
        return path, tree.reason
    if isinstance(tree, str):
        return _text_fault(tree, path)
    if isinstance(tree, _Pairs):
        return _walk_object(tree, path)
    if isinstance(tree, list):
        found = (_walk(item, f"{path}[{index}]") for index, item in enumerate(tree))
        return next((fault for fault in found if fault), None)
    return None


def _walk_object(pairs: _Pairs, path: str) -> tuple[str, Phrase] | None:
    seen: set[str] = set()
    for key, value in pairs:
        place = f"{path}.{key}" if path else key
        if _text_fault(key, place):
            return path, Reason.KEY_UNREADABLE()
        if key in seen:
            return place, Reason.KEY_REPEATED()
        seen.add(key)
        fault = _walk(value, place)
        if fault:
            return fault
    return None


def _text_fault(text: str, path: str) -> tuple[str, Phrase] | None:
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        return path, Reason.CHARACTER_FORBIDDEN()
    if any(character < " " and character not in "\t\r\n" for character in text):
        return path, Reason.CHARACTER_FORBIDDEN()
    return None
