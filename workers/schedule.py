"""The periodic tasks, each named by its period. Beat starts them. No sale depends on them."""

from celery.schedules import crontab

SCHEDULE = {
    "every night at 02:30 UTC: forget refused calls of more than thirty days ago": {
        "task": "workers.tasks.maintenance.forget_old_knocks",
        "schedule": crontab(hour=2, minute=30),
    },
    "every night at 02:40 UTC: forget heartbeats of more than thirty days ago, but each till's last": {
        "task": "workers.tasks.maintenance.forget_old_heartbeats",
        "schedule": crontab(hour=2, minute=40),
    },
}
