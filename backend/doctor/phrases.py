"""Moments, ages and counts as the doctor's French sentences write them."""

from datetime import UTC, datetime, timedelta


def moment(at: datetime | None) -> str:
    """Return `2024-11-04 17:42 UTC`, in UTC because operators compare it with logs."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else "jamais"


def age(duration: timedelta) -> str:
    """Return `3 jours`, `2 h` or `16 min`, rounded down."""
    if duration >= timedelta(days=2):
        return f"{duration.days} jours"
    if duration >= timedelta(hours=2):
        return f"{duration // timedelta(hours=1)} h"
    return f"{duration // timedelta(minutes=1)} min"


def count(number: int, noun: str, plural: str = "") -> str:
    """Return `1 lot`, `3 lots`, `0 vente`: in French zero takes the singular."""
    return f"{number} {noun if number < 2 else plural or noun + 's'}"


def sentence(text: str) -> str:
    """Return the text with a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
