"""Posting sales: one task a ring. It holds no state and decides nothing; what it is told is only where to look."""

from billiard.exceptions import SoftTimeLimitExceeded

from backend.sales.dispatch import ring
from backend.sales.posting.runner import post_slice
from workers import app


@app.task(name="workers.tasks.sales.process_terminal", max_retries=0)
def process_terminal(terminal_id: int, *, receipt: str = "", request_id: str = "") -> None:
    """Post one slice of the terminal's sales, and ring for the next if something is left.

    Not retried by Celery: whatever goes wrong, the sales stand where they stood and the sweep comes round.
    """
    report = post_slice(terminal_id, interruptions=(SoftTimeLimitExceeded,))
    if report.has_more:
        ring(terminal_id, receipt=receipt, request_id=request_id)
