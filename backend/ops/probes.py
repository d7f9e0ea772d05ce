"""Whether a process of ours still answers: over HTTP, through the broker, by the file it touches."""

import http.client
import time
from contextlib import closing, suppress
from pathlib import Path

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from backend.config.celery import app

HTTP_TIMEOUT_S = 3
# A solo worker answers between two tasks only, so it is given the length of a slice and more.
PING_TIMEOUT_S = 10
# While one starts a ping falls on deaf ears, so many short ones are sent.
STARTING_PING_TIMEOUT_S = 0.5


def http_answers(*, port: int, path: str) -> bool:
    """Whether GET `path` on this loopback port says 200 within HTTP_TIMEOUT_S. No proxy of the environment is asked."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HTTP_TIMEOUT_S)
    with suppress(OSError, http.client.HTTPException), closing(connection):
        connection.request("GET", path)
        return connection.getresponse().status == 200
    return False


def worker_answers(*, node: str, broker_url: str, timeout_s: float = PING_TIMEOUT_S) -> bool:
    """Whether the Celery worker called `node` answers a ping within `timeout_s`.

    A broker that is down says nothing about the worker: the answer is then yes, for nobody must be killed for it.
    """
    try:
        with app.connection_for_write(broker_url) as connection:
            return bool(app.control.ping(destination=[node], timeout=timeout_s, limit=1, connection=connection))
    except (OperationalError, RedisError, OSError):
        return True


def file_is_fresh(path: Path, *, age_s_max: float) -> bool:
    """Whether the file was touched within the last `age_s_max` seconds."""
    with suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime <= age_s_max
    return False
