"""Time zones of shops: which names may be kept, because every sale of the shop is dated by them."""

from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError


def is_known_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; no name of a zone at all; a folder of zones
        return False
    return True


def validate_timezone(name: str) -> None:
    """Raises ValidationError for a name under which no sale of the shop could be dated."""
    if not is_known_timezone(name):
        raise ValidationError(f"« {name} » n'est pas un fuseau horaire connu, comme Africa/Kinshasa.")
