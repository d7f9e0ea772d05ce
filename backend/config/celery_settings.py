"""Celery's settings, one set for processes that ring and one for workers, each with its reason."""

TRANSPORT = {
    # Longer than the hard time limit: a message is redelivered only once its worker is certainly gone.
    "visibility_timeout": 300,
    # By default Celery looks for messages of dead workers every hundred seconds, too long for a shop to wait.
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 1,
    "socket_keepalive": True,
    # Without a timeout, Kombu waits for ever on a silent Redis.
    "socket_timeout": 10,
}

# A process that answers a till must not wait for the broker: half a second at most, and no retry (the sweep retries).
RINGER_TRANSPORT = TRANSPORT | {"socket_connect_timeout": 0.3, "socket_timeout": 0.5, "max_retries": 0}


def for_role(role: str, *, broker_url: str, sentinel_master: str = "") -> dict[str, object]:
    """Return the CELERY_… settings of a process whose ROLE is `role`. Only a worker does more than ring.

    `sentinel_master`: the name of the master Redis, if `broker_url` names sentinels.
    """
    sentinel = {"master_name": sentinel_master} if sentinel_master else {}
    settings: dict[str, object] = {
        # Without a broker nothing is published (dispatch checks first); the address only has to parse.
        "BROKER_URL": broker_url or "memory://",
        # A sale's outcome is in the database. A result backend would be a second, weaker source.
        "TASK_IGNORE_RESULT": True,
        # A message is acknowledged when its slice is over: if the worker dies before, it is redelivered.
        "TASK_ACKS_LATE": True,
        # Immediate redelivery would make a poison sale loop; the sweep rings again, and the lane counts the starts.
        "TASK_REJECT_ON_WORKER_LOST": False,
        # The ladder of timeouts: lock wait 5 < socket 15 < soft 90 < hard 120 < visibility 300 (all seconds).
        "TASK_SOFT_TIME_LIMIT": 90,
        "TASK_TIME_LIMIT": 120,
        "TASK_DEFAULT_QUEUE": "sales",
        # Flower shows sent and running tasks only with these events.
        "TASK_SEND_SENT_EVENT": True,
        "WORKER_SEND_TASK_EVENTS": True,
        "BROKER_TRANSPORT_OPTIONS": TRANSPORT | sentinel,
        "BROKER_CONNECTION_RETRY_ON_STARTUP": True,
        # The default gives up after a hundred tries: a broker can be away for longer.
        "BROKER_CONNECTION_MAX_RETRIES": None,
        # More prefetched messages would wait behind a slow slice while other workers are idle.
        "WORKER_PREFETCH_MULTIPLIER": 1,
        # A short loss of Redis is no reason to kill a posting in the database.
        "WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS": False,
        # With REMAP_SIGTERM=SIGQUIT, the slice gets this long to end before its message is put back.
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
            # Without a limit, threads wait for a free connection for ever.
            "BROKER_POOL_ACQUIRE_TIMEOUT": 0.5,
            # Only together with max_retries above: alone it turned a failure after 0.6 s into one after 6 s.
            "TASK_PUBLISH_RETRY": False,
        }
    return {f"CELERY_{name}": value for name, value in settings.items()}
