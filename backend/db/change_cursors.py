"""Cursors for "what changed since". They step back in time, so that a change that commits late is never missed.

A change is stamped when its transaction begins, and is visible when it commits. A reader that has passed the stamp
meanwhile would never see it. So a walk over the changes ends with a cursor at OVERLAP before the walk began: the next
walk repeats those minutes, and no transaction that began before them can still be open (transients.bounded_time).
"""

import base64
import binascii
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from backend.db.transients import TRANSACTION_S_MAX

# Twice what a transaction may last, and a minute for machines whose clocks differ.
OVERLAP = timedelta(seconds=2 * TRANSACTION_S_MAX + 60)
TEXT_LENGTH_MAX = 200


class CursorInvalid(ValueError):
    """The text is not a cursor that we gave out."""


@dataclass(frozen=True, slots=True)
class ChangeCursor:
    """A place in a walk over changes, in the order (at, key), and when the walk began; None between two walks.

    key: integers that order changes of the same instant.
    """

    at: datetime
    key: tuple[int, ...]
    walk_began_at: datetime | None = None

    @classmethod
    def begin(cls, since: "ChangeCursor | None", *, now: datetime, key_length: int) -> "ChangeCursor":
        """Return where a request continues: in the walk of its cursor, or in a new one."""
        if since is None:
            return cls(_BEGINNING, (0,) * key_length, now)
        return since if since.walk_began_at else replace(since, walk_began_at=now)

    def move_to(self, at: datetime, key: tuple[int, ...]) -> "ChangeCursor":
        return replace(self, at=at, key=key)

    def finish(self) -> "ChangeCursor":
        """Return the cursor at the end of a walk, stepped back for changes that are stamped but commit later."""
        assert self.walk_began_at is not None, "a walk that ends has begun"
        back = self.walk_began_at - OVERLAP
        if self.at < back:
            return replace(self, walk_began_at=None)
        return ChangeCursor(back, (0,) * len(self.key))

    def as_text(self) -> str:
        """Return it as opaque text that is safe in a URL."""
        began = 0 if self.walk_began_at is None else _micros(self.walk_began_at)
        parts = [_micros(self.at), *self.key, began]
        return base64.urlsafe_b64encode(".".join(map(str, parts)).encode()).decode().rstrip("=")

    @classmethod
    def from_text(cls, text: str, *, key_length: int) -> "ChangeCursor":
        """Raises CursorInvalid."""
        if len(text) > TEXT_LENGTH_MAX or not _NUMBERS.fullmatch(decoded := _decode(text)):
            raise CursorInvalid(text[:TEXT_LENGTH_MAX])
        at, *key, began = (int(part) for part in decoded.split("."))
        if len(key) != key_length or max(at, began) > _MICROS_MAX or max(key) >= 2**63:
            raise CursorInvalid(text)
        # A beginning so early that stepping back would give a negative time.
        if 0 < began < OVERLAP // timedelta(microseconds=1):
            raise CursorInvalid(text)
        return cls(_instant(at), tuple(key), _instant(began) if began else None)


_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_NUMBERS = re.compile(r"[0-9]{1,19}(\.[0-9]{1,19}){2,}")


def _decode(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeError, ValueError):
        return ""


def _micros(moment: datetime) -> int:
    return (moment - _BEGINNING) // timedelta(microseconds=1)


def _instant(micros: int) -> datetime:
    return _BEGINNING + timedelta(microseconds=micros)


# The last instant with which no computation overflows.
_MICROS_MAX = _micros(datetime(9000, 1, 1, tzinfo=UTC))
