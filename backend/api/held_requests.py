"""Requests held open until a batch is settled. Only a few at a time: each occupies a thread of this process."""

import contextlib
import re
import threading
import time
from collections.abc import Iterator

from django.conf import settings

from backend.sales.models import Batch

COMPLETE_HOLD_S: float = settings.COMPLETE_HOLD_S
PREFER_WAIT_S_MAX = 10
POLL_EVERY_S = 0.05
POLL_EVERY_S_MAX = 0.5

_places = threading.BoundedSemaphore(settings.WAITERS_MAX)
_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,6})(?:$|[,;\s])", re.IGNORECASE)


def preferred_wait_s(header: str) -> int:
    """Return the seconds that a `Prefer: wait=N` header asks for, at most PREFER_WAIT_S_MAX; 0 without one."""
    found = _WAIT.search(header)
    return min(int(found[1]), PREFER_WAIT_S_MAX) if found else 0


def wait_until_settled(batch: Batch, *, seconds: float) -> Batch:
    """Return the batch once it is settled or `seconds` have passed; at once if all places are taken."""
    with _place() as is_mine:
        if not is_mine:
            return batch
        deadline = time.monotonic() + seconds
        pause = POLL_EVERY_S
        while batch.settled_at is None and (remaining := deadline - time.monotonic()) > 0:
            time.sleep(min(pause, remaining))
            pause = min(pause * 1.5, POLL_EVERY_S_MAX)
            batch = Batch.objects.get(pk=batch.pk)
    return batch


@contextlib.contextmanager
def _place() -> Iterator[bool]:
    is_mine = _places.acquire(blocking=False)
    try:
        yield is_mine
    finally:
        if is_mine:
            _places.release()
