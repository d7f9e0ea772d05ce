"""What the broker and the workers behind it answer, asked at most every few seconds by each process."""

from django.conf import settings

from backend.health.probes import broker_answers, count_workers
from backend.ops.bounded_call import KeptQuestion

BROKER_PATIENCE_S = 1.5
BROKER_KEPT_S = 2.0
# A ping is answered by all at once or not at all; everybody is waited for so long.
PING_S = 1.0
WORKERS_PATIENCE_S = 1.9
WORKERS_KEPT_S = 10.0

broker = KeptQuestion(
    lambda: broker_answers(broker_url=settings.BROKER_URL), patience_s=BROKER_PATIENCE_S, kept_s=BROKER_KEPT_S
)
workers = KeptQuestion(
    lambda: count_workers(broker_url=settings.BROKER_URL, timeout_s=PING_S),
    patience_s=WORKERS_PATIENCE_S,
    kept_s=WORKERS_KEPT_S,
)
