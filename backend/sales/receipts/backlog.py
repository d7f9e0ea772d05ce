"""How many sales wait to be posted, and when a till should ask again."""

import math
import time

from django.conf import settings
from django.db.models import Count, F, Sum

from backend.sales.models import Batch

RETRY_S_MAX = 60
# Polls of many tills need the same sum: one query serves them all for a moment.
CACHED_S = 1.0


class _Backlog:
    """The last sum that this process read. Two threads may query it at once; either result will do."""

    def __init__(self) -> None:
        self.read_at = -math.inf
        self.sales = 0


_backlog = _Backlog()


def waiting_sales() -> int:
    """Return how many sales of all tills wait to be posted, at most CACHED_S old."""
    if time.monotonic() - _backlog.read_at >= CACHED_S:
        waiting = Batch.objects.filter(settled_at=None).aggregate(sales=Sum(F("sale_count") - F("next_position") + 1))
        _backlog.sales = waiting["sales"] or 0
        _backlog.read_at = time.monotonic()
    return _backlog.sales


def retry_after_s() -> int:
    """Return in how many seconds all waiting sales should be posted: 1 to RETRY_S_MAX."""
    rate_per_s: int = settings.POSTING_RATE_PER_S
    return min(RETRY_S_MAX, 1 + waiting_sales() // rate_per_s)


def waiting_of(terminal_id: int) -> dict[str, int]:
    """Return how many batches and sales of one till wait."""
    row = Batch.objects.filter(settled_at=None, terminal_id=terminal_id).aggregate(
        batches=Count("pk"), sales=Sum(F("sale_count") - F("next_position") + 1)
    )
    return {"batches": row["batches"], "sales": row["sales"] or 0}
