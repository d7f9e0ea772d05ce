"""How much is still to be posted, and so when it is worth asking again."""

import math
import threading
import time

from django.conf import settings
from django.db.models import Count, F, Sum

from backend.sales.models import Batch

RETRY_S_MAX = 60
# Polls of many tills ask for the same sum: one answer serves them all for a moment.
CACHED_S = 1.0

_lock = threading.Lock()
_cached: tuple[float, int] = (-math.inf, 0)


def waiting_sales() -> int:
    """Return how many sales of all tills wait to be posted, at most CACHED_S old."""
    global _cached
    with _lock:
        at, count = _cached
        if time.monotonic() - at < CACHED_S:
            return count
    waiting = Batch.objects.filter(settled_at=None).aggregate(count=Sum(F("sale_count") - F("next_position") + 1))
    count = waiting["count"] or 0
    with _lock:
        _cached = (time.monotonic(), count)
    return count


def retry_after_s() -> int:
    """Return in how many seconds what waits now should have been posted: 1 to RETRY_S_MAX."""
    return min(RETRY_S_MAX, 1 + waiting_sales() // settings.POSTING_RATE_PER_S)


def waiting_of(terminal_id: int) -> dict[str, int]:
    """Return how many batches and sales of one till wait."""
    row = Batch.objects.filter(settled_at=None, terminal_id=terminal_id).aggregate(
        batches=Count("pk"), sales=Sum(F("sale_count") - F("next_position") + 1)
    )
    return {"batches": row["batches"], "sales": row["sales"] or 0}
