"""Housekeeping tasks that beat starts. No sale depends on them."""

from backend.ops.housekeeping import forget_old_heartbeats, forget_old_refused_calls
from workers import app


@app.task(name="workers.tasks.maintenance.forget_old_knocks", max_retries=0)
def forget_refused_calls() -> None:
    forget_old_refused_calls()


@app.task(name="workers.tasks.maintenance.forget_old_heartbeats", max_retries=0)
def forget_heartbeats() -> None:
    forget_old_heartbeats()
