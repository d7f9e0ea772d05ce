"""A process that counts, for tests: `python -m tests.ops.counter MODE`, with ROLE and DATABASE_URL in its environment.

settle  counts and flushes many times, all names in an order of its own, as one of several serving processes
fork    counts, forks a child that counts too, and both end politely
child   ends as a child of Celery's pool does: after the signal, and without running what `atexit` was told
"""

import os
import random
import sys

import django

ROUNDS = 40
CHILDREN_COUNT = 3


def settle() -> None:
    from backend.observability import counters
    from backend.ops.counter_flush import flush

    statuses = list(counters.CATALOGUE["caisse_sales_total"].values)
    for _ in range(ROUNDS):
        random.shuffle(statuses)
        for status in statuses:
            counters.count("caisse_sales_total", status=status)
        counters.observe("caisse_posting_seconds", random.random())
        flush()
    while not flush():
        pass


def fork() -> None:
    from backend.observability import counters
    from backend.ops import counter_flush

    counters.count("caisse_sweep_rings_total")
    child = os.fork()
    counters.count("caisse_sweep_posted_sales_total", CHILDREN_COUNT if child == 0 else 1)
    if child == 0:
        counter_flush.finish()
        os._exit(0)
    os.waitpid(child, 0)


def child() -> None:
    from celery import signals

    import workers  # noqa: F401 - importing connects it
    from backend.observability import counters

    counters.count("caisse_sweep_rings_total")
    signals.worker_process_shutdown.send(sender=None, pid=os.getpid(), exitcode=0)
    os._exit(0)


if __name__ == "__main__":
    django.setup()
    {"settle": settle, "fork": fork, "child": child}[sys.argv[1]]()
