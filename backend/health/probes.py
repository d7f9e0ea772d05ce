"""Probes whether a process answers: over HTTP, through the broker, or by the file that it touches."""

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
# A solo worker answers only between two tasks, so the timeout is longer than a slice.
PING_TIMEOUT_S = 10
STARTING_PING_TIMEOUT_S = 0.5
BROKER_TIMEOUT_S = 3
# How beat's node name begins; the rest is free.
BEAT_PREFIX = "beat"


def http_answers(*, port: int, path: str, address: str = "127.0.0.1", host: str = "") -> bool:
    """Return whether GET `path` on this port answers 200 within HTTP_TIMEOUT_S. Proxies of the environment are ignored.

    `host`: the name to ask for, if the server accepts only its own names.
    """
    connection = http.client.HTTPConnection(address, port, timeout=HTTP_TIMEOUT_S)
    with suppress(OSError, http.client.HTTPException), closing(connection):
        connection.request("GET", path, headers={"Host": host} if host else {})
        return connection.getresponse().status == 200
    return False


class BrokerDown(Exception):
    """The broker cannot be reached, which says nothing about the processes behind it."""


def node_name(name: str) -> str:
    """Return the node name that Celery makes of a process's name: %h becomes the host's name, which is added if
    missing."""
    from celery.utils.nodenames import default_nodename, host_format

    return str(host_format(default_nodename(name)))


def worker_answers(*, node: str, broker_url: str) -> bool:
    """Return whether the worker (or beat) called `node` answers a ping. True too if the broker is down: restarting the
    worker would not help."""
    try:
        return _ping(node=node, broker_url=broker_url, timeout_s=PING_TIMEOUT_S)
    except BrokerDown:
        return True


def worker_has_started(*, node: str, broker_url: str) -> bool:
    """Return whether the worker called `node` answers a ping. Pings are short, because those sent during its start are
    lost."""
    try:
        return _ping(node=node, broker_url=broker_url, timeout_s=STARTING_PING_TIMEOUT_S)
    except BrokerDown:
        return False


def count_workers(*, broker_url: str, timeout_s: float) -> int:
    """Return how many Celery workers answer a ping within `timeout_s`; 0 if the broker is down."""
    try:
        replies = _asker(broker_url).control.ping(timeout=timeout_s)
        # Beat answers pings too (deploy/start/beat), but does no work.
        return sum(not node.startswith(BEAT_PREFIX) for reply in replies or () for node in reply)
    except _broker_errors():
        _asker.cache_clear()
        return 0


def broker_answers(*, broker_url: str) -> bool:
    """Return whether a connection to this broker opens within a second. Nothing is published."""
    with suppress(*_broker_errors()), _asker(broker_url).connection_for_read() as connection:
        connection.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT_S, reraise_as_library_errors=False)
        return True
    return False


def _ping(*, node: str, broker_url: str, timeout_s: float) -> bool:
    try:
        return bool(_asker(broker_url).control.ping(destination=[node], timeout=timeout_s, limit=1))
    except _broker_errors() as error:
        # Its connections may be dead after a restart of the broker: the next ping opens new ones.
        _asker.cache_clear()
        raise BrokerDown from error


def _broker_errors() -> tuple[type[Exception], ...]:
    from kombu.exceptions import OperationalError
    from redis.exceptions import RedisError

    return OperationalError, RedisError, OSError


@cache
def _asker(broker_url: str) -> "Celery":
    """Return a separate Celery application for pings: the project's is bound to the broker of its settings."""
    # Imported late: a health command that asks no broker would spend most of its time importing Celery.
    from celery import Celery

    asker = Celery("probe", broker=broker_url, set_as_current=False)
    asker.conf.broker_transport_options = {"socket_connect_timeout": 1, "socket_timeout": 2, "max_retries": 0}
    if master := os.environ.get("BROKER_SENTINEL_MASTER"):
        asker.conf.broker_transport_options |= {"master_name": master}
    asker.conf.broker_connection_timeout = 1
    asker.conf.broker_pool_acquire_timeout = 1
    return asker


def file_is_fresh(path: Path, *, age_s_max: float) -> bool:
    """Return whether the file was touched within the last `age_s_max` seconds."""
    with suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime <= age_s_max
    return False
