"""Validation of a shop's timezone, by which every sale of the shop is dated."""

from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError


def is_known_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # an unknown zone; not a valid name; a folder of zones
        return False
    return True


def validate_timezone(name: str) -> None:
    """Raise ValidationError if the name is not a known timezone."""
    if not is_known_timezone(name):
        raise ValidationError(f"« {name} » n'est pas un fuseau horaire connu, comme Africa/Kinshasa.")
