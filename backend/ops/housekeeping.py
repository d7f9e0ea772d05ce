"""Deletes old rows of the tables that would otherwise grow without end."""

from datetime import UTC, datetime, timedelta

from django.db.models import Max

from backend.sales.models import Heartbeat
from backend.shops.models import RefusedCall

REFUSED_CALLS_KEPT = timedelta(days=30)
HEARTBEATS_KEPT = timedelta(days=30)


def forget_old_refused_calls() -> int:
    """Delete the refused calls whose last one is older than REFUSED_CALLS_KEPT; return how many."""
    return RefusedCall.objects.filter(last_at__lt=datetime.now(UTC) - REFUSED_CALLS_KEPT).delete()[0]


def forget_old_heartbeats() -> int:
    """Delete the heartbeats older than HEARTBEATS_KEPT, except each till's last; return how many.

    One till at a time: the index begins with the till, and each transaction stays short.
    """
    before = datetime.now(UTC) - HEARTBEATS_KEPT
    forgotten = 0
    for terminal_id, last_at in Heartbeat.objects.values_list("terminal_id").annotate(Max("at")).order_by():
        of_till = Heartbeat.objects.filter(terminal_id=terminal_id, at__lt=min(before, last_at))
        forgotten += of_till.delete()[0]
    return forgotten
