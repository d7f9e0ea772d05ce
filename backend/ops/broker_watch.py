"""Whether the broker answers, and how many workers behind it. Each process asks at most every few seconds."""

from django.conf import settings

from backend.health.probes import broker_answers, count_workers
from backend.ops.bounded_call import CachedCall

BROKER_PATIENCE_S = 1.5
BROKER_CACHED_S = 2.0
# Workers answer a ping at once or not at all. Every ping lasts this long: nobody knows how many will answer.
PING_S = 1.0
WORKERS_PATIENCE_S = 1.9
WORKERS_CACHED_S = 10.0

broker = CachedCall(
    lambda: broker_answers(broker_url=settings.BROKER_URL), patience_s=BROKER_PATIENCE_S, cached_s=BROKER_CACHED_S
)
workers = CachedCall(
    lambda: count_workers(broker_url=settings.BROKER_URL, timeout_s=PING_S),
    patience_s=WORKERS_PATIENCE_S,
    cached_s=WORKERS_CACHED_S,
)
