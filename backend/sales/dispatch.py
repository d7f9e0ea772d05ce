"""The doorbell: tells the workers that a terminal has work. The only domain file that knows Celery.

A message means no more than that. It may be lost, doubled or late: the database is the queue of record, and the sweep
rings again. So a ring gives up quickly, and a ring that fails is not an error.
"""

import threading
import time
from functools import partial

import redis.exceptions
import structlog
from django.conf import settings
from django.db import transaction
from kombu.exceptions import KombuError

from backend.config.celery import app
from backend.observability import counters

log = structlog.get_logger("caisse.dispatch")

TASK = "workers.tasks.sales.process_terminal"
# A ring that no worker takes in time expires, so that rings do not pile up while no worker runs.
RING_EXPIRES_S = 60
# After a failure nothing is published for a while: waiting for a dead broker costs half a second for every till.
BREAKER_OPEN_S = 5


class _Breaker:
    """Remembers in this process that the broker did not answer a moment ago."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open_until = 0.0

    def is_open(self) -> bool:
        with self._lock:
            return time.monotonic() < self._open_until

    def trip(self) -> None:
        with self._lock:
            self._open_until = time.monotonic() + BREAKER_OPEN_S


_breaker = _Breaker()


def ring(terminal_id: int, *, receipt: str = "", request_id: str = "") -> bool:
    """Tell the workers that this terminal has work. Return whether the broker took the message.

    `receipt` and `request_id` are for people who look at Flower; the worker asks the database what there is to do.
    """
    if not settings.BROKER_URL:
        return False
    if _breaker.is_open():
        counters.count("caisse_ring_failures_total", by=settings.ROLE)
        return False
    try:
        app.send_task(
            TASK,
            args=[terminal_id],
            kwargs={"receipt": receipt, "request_id": request_id},
            # What Flower shows and searches. No message holds anything of what was sold.
            argsrepr=f"caisse {terminal_id}",
            kwargsrepr=repr({"recu": receipt, "requete": request_id}),
            expires=RING_EXPIRES_S,
            ignore_result=True,
        )
    except (KombuError, redis.exceptions.RedisError, OSError) as error:
        _breaker.trip()
        counters.count("caisse_ring_failures_total", by=settings.ROLE)
        log.warning("ring_failed", terminal=terminal_id, error=type(error).__name__)
        return False
    counters.count("caisse_rings_total", by=settings.ROLE)
    return True


def ring_on_commit(terminal_id: int, *, receipt: str = "", request_id: str = "") -> None:
    """Ring once the transaction around this call is committed; never if it is not."""
    transaction.on_commit(partial(ring, terminal_id, receipt=receipt, request_id=request_id), robust=True)
