"""Celery's settings, one set for those who ring and one for those who work, each with its reason."""

TRANSPORT = {
    # Longer than the hard time limit: a message comes back only when its worker is certainly gone.
    "visibility_timeout": 300,
    # Celery looks for messages of the dead every hundred seconds unless told otherwise; ten is a shop's patience.
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 1,
    "socket_keepalive": True,
    # Kombu waits for ever on a silent Redis unless a timeout is set.
    "socket_timeout": 10,
}

# Who answers a till may not wait for a broker: half a second at worst, and no second try (the sweep is the second try).
RINGER_TRANSPORT = TRANSPORT | {"socket_connect_timeout": 0.3, "socket_timeout": 0.5, "max_retries": 0}


def for_role(role: str, *, broker_url: str, sentinel_master: str = "") -> dict[str, object]:
    """Return the CELERY_… settings of a process whose ROLE is `role`. Everything but a worker only rings.

    `sentinel_master`: what the sentinels call the Redis in charge, where `broker_url` names sentinels.
    """
    sentinel = {"master_name": sentinel_master} if sentinel_master else {}
    settings: dict[str, object] = {
        # With no broker named nothing is ever published (dispatch looks first); the address only has to parse.
        "BROKER_URL": broker_url or "memory://",
        # What became of a sale stands in the database. A result backend would hold a second, weaker truth.
        "TASK_IGNORE_RESULT": True,
        # A message is acknowledged when its slice is over: a worker that dies in it gives it back.
        "TASK_ACKS_LATE": True,
        # Redelivery at once would make a poison sale loop; the sweep and the lane's counted starts do it in measure.
        "TASK_REJECT_ON_WORKER_LOST": False,
        # The ladder of timeouts: lock wait 5 < socket 15 < soft 90 < hard 120 < visibility 300 (all seconds).
        "TASK_SOFT_TIME_LIMIT": 90,
        "TASK_TIME_LIMIT": 120,
        "TASK_DEFAULT_QUEUE": "sales",
        # Flower shows what was sent and what runs only if both are announced.
        "TASK_SEND_SENT_EVENT": True,
        "WORKER_SEND_TASK_EVENTS": True,
        "BROKER_TRANSPORT_OPTIONS": TRANSPORT | sentinel,
        "BROKER_CONNECTION_RETRY_ON_STARTUP": True,
        # The default gives up after a hundred tries: a shop's line can be down longer.
        "BROKER_CONNECTION_MAX_RETRIES": None,
        # One message ahead at most: more would sit behind a slow slice while idle workers look on.
        "WORKER_PREFETCH_MULTIPLIER": 1,
        # A flap of Redis is no reason to kill a posting in the database.
        "WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS": False,
        # With REMAP_SIGTERM=SIGQUIT: time for the slice to end before its message is put back.
        "WORKER_SOFT_SHUTDOWN_TIMEOUT": 20,
        "WORKER_MAX_TASKS_PER_CHILD": 1000,
        "WORKER_MAX_MEMORY_PER_CHILD": 300_000,  # KiB
        "WORKER_HIJACK_ROOT_LOGGER": False,
        "TIMEZONE": "UTC",
        "IMPORTS": ("workers.tasks.sales", "workers.tasks.maintenance"),
    }
    if role != "worker":
        settings |= {
            "BROKER_TRANSPORT_OPTIONS": RINGER_TRANSPORT | sentinel,
            "BROKER_CONNECTION_TIMEOUT": 0.3,
            # Threads that wait for a free connection would otherwise wait for ever.
            "BROKER_POOL_ACQUIRE_TIMEOUT": 0.5,
            # Quick only together with max_retries above: alone it turned a refusal of 0.6 s into one of 6 s.
            "TASK_PUBLISH_RETRY": False,
        }
    return {f"CELERY_{name}": value for name, value in settings.items()}
