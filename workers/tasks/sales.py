"""The task that posts sales, started by each ring. It has no state and decides nothing; it only says where to look."""

from billiard.exceptions import SoftTimeLimitExceeded

from backend.sales.dispatch import ring
from backend.sales.posting.runner import post_slice
from workers import app


@app.task(name="workers.tasks.sales.process_terminal", max_retries=0)
def process_terminal(terminal_id: int, *, receipt: str = "", request_id: str = "") -> None:
    """Post one slice of the terminal's sales, and ring for the next if something is left.

    Celery does not retry it: after any failure the sales still wait, and the sweep rings again.
    """
    report = post_slice(terminal_id, interruptions=(SoftTimeLimitExceeded,))
    if report.has_more:
        ring(terminal_id, receipt=receipt, request_id=request_id)
