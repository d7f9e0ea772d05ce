"""Whether a process of ours still answers: over HTTP, through the broker, by the file it touches."""

import http.client
import os
import time
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from celery import Celery

HTTP_TIMEOUT_S = 3
# A solo worker answers between two tasks only, so it is given the length of a slice and more.
PING_TIMEOUT_S = 10
STARTING_PING_TIMEOUT_S = 0.5
BROKER_TIMEOUT_S = 3
# Of the name under which beat answers; how it goes on is free.
BEAT_PREFIX = "beat"


def http_answers(*, port: int, path: str, address: str = "127.0.0.1", host: str = "") -> bool:
    """Whether GET `path` on this port says 200 within HTTP_TIMEOUT_S. No proxy of the environment is asked.

    `host` is the name to ask for, where the server answers to its own names only.
    """
    connection = http.client.HTTPConnection(address, port, timeout=HTTP_TIMEOUT_S)
    with suppress(OSError, http.client.HTTPException), closing(connection):
        connection.request("GET", path, headers={"Host": host} if host else {})
        return connection.getresponse().status == 200
    return False


class BrokerDown(Exception):
    """The broker cannot be asked, which says nothing about those who listen to it."""


def node_name(name: str) -> str:
    """Return what Celery makes of a process's name: %h is the machine's name, and a missing one is added."""
    from celery.utils.nodenames import default_nodename, host_format

    return str(host_format(default_nodename(name)))


def worker_answers(*, node: str, broker_url: str) -> bool:
    """Whether the worker (or beat) called `node` answers a ping, or its broker is down: nobody must die for that."""
    try:
        return _ping(node=node, broker_url=broker_url, timeout_s=PING_TIMEOUT_S)
    except BrokerDown:
        return True


def worker_has_started(*, node: str, broker_url: str) -> bool:
    """Whether the Celery worker called `node` is seen to answer. While it starts pings are lost, so each is short."""
    try:
        return _ping(node=node, broker_url=broker_url, timeout_s=STARTING_PING_TIMEOUT_S)
    except BrokerDown:
        return False


def count_workers(*, broker_url: str, timeout_s: float) -> int:
    """Return how many Celery workers answer a ping within `timeout_s`; none of them, if the broker is down."""
    try:
        replies = _asker(broker_url).control.ping(timeout=timeout_s)
        # Beat answers pings too (deploy/start/beat), and works nothing off.
        return sum(not node.startswith(BEAT_PREFIX) for reply in replies or () for node in reply)
    except _broker_errors():
        _asker.cache_clear()
        return 0


def broker_answers(*, broker_url: str) -> bool:
    """Whether a connection to this broker can be opened within its second. Nothing is published."""
    with suppress(*_broker_errors()), _asker(broker_url).connection_for_read() as connection:
        connection.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT_S, reraise_as_library_errors=False)
        return True
    return False


def _ping(*, node: str, broker_url: str, timeout_s: float) -> bool:
    try:
        return bool(_asker(broker_url).control.ping(destination=[node], timeout=timeout_s, limit=1))
    except _broker_errors() as error:
        # Its connections may be left over from a broker that was restarted: the next question opens new ones.
        _asker.cache_clear()
        raise BrokerDown from error


def _broker_errors() -> tuple[type[Exception], ...]:
    from kombu.exceptions import OperationalError
    from redis.exceptions import RedisError

    return OperationalError, RedisError, OSError


@cache
def _asker(broker_url: str) -> "Celery":
    """Return an application of its own for asking: the project's speaks to the broker that its settings named."""
    # Here and above, because a health command that asks no broker would spend most of its time on importing Celery.
    from celery import Celery

    asker = Celery("probe", broker=broker_url, set_as_current=False)
    asker.conf.broker_transport_options = {"socket_connect_timeout": 1, "socket_timeout": 2, "max_retries": 0}
    if master := os.environ.get("BROKER_SENTINEL_MASTER"):
        asker.conf.broker_transport_options |= {"master_name": master}
    asker.conf.broker_connection_timeout = 1
    asker.conf.broker_pool_acquire_timeout = 1
    return asker


def file_is_fresh(path: Path, *, age_s_max: float) -> bool:
    """Whether the file was touched within the last `age_s_max` seconds."""
    with suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime <= age_s_max
    return False
