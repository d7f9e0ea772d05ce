"""Tables that would grow without end are cut here."""

from datetime import UTC, datetime, timedelta

from backend.shops.models import Knock

KNOCKS_KEPT = timedelta(days=30)


def forget_old_knocks() -> int:
    """Delete the refused calls whose last one is older than KNOCKS_KEPT; return how many."""
    return Knock.objects.filter(last_at__lt=datetime.now(UTC) - KNOCKS_KEPT).delete()[0]
