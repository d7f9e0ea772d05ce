"""Tills that talk HTTP to a server of this run: post batches, poll, and time the answers."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from benchmarks.world import Till

OURS = "/api/v2/simple/ventes/sync"
SYNCHRONOUS = "/benchmarks/ventes/sync"
ANSWER_S_MAX = 120


def post(url: str, path: str, till: Till, body: bytes, *, expected: int) -> tuple[float, dict]:
    """Post one batch over a new connection. Return (seconds until the whole answer arrived, the answer)."""
    address = urlsplit(url)
    began = time.perf_counter()
    client = http.client.HTTPConnection(address.hostname, address.port, timeout=ANSWER_S_MAX)
    client.request("POST", path, body, {"Content-Type": "application/json", "X-Device-Serial": till.serial})
    response = client.getresponse()
    content = response.read()
    seconds = time.perf_counter() - began
    client.close()
    if response.status != expected:
        raise RuntimeError(f"{path} answered {response.status}: {content[:300]!r}")
    return seconds, json.loads(content)


def post_together(
    url: str, path: str, tills: Sequence[Till], prefix: str, *, batches: int, sales: int, expected: int
) -> float:
    """Let all tills post their batches at once, each one after the other. Return when the first began (monotonic)."""
    bodies = {till: [till.body(f"{prefix}-{batch}", sales=sales) for batch in range(batches)] for till in tills}
    failures: list[Exception] = []

    def run(till: Till) -> None:
        try:
            for body in bodies[till]:
                post(url, path, till, body, expected=expected)
        except (OSError, RuntimeError) as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(till,)) for till in tills]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return began


class Poller:
    """A minimal client that repeats one request on one connection."""

    def __init__(self, url: str, path: str, headers: dict[str, str]) -> None:
        address = urlsplit(url)
        self.address = (address.hostname, address.port)
        lines = [f"GET {path} HTTP/1.1", f"Host: {address.netloc}", *(f"{k}: {v}" for k, v in headers.items())]
        self.request = "\r\n".join([*lines, "", ""]).encode()

    def times(self, count: int, *, expected: int) -> list[float]:
        """Return how long each of `count` answers took. They have no body, and only their status is checked.

        Each series opens a new connection: the server closes idle connections between two series.
        """
        with socket.create_connection(self.address, timeout=ANSWER_S_MAX) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return [self._time_one(connection, f"HTTP/1.1 {expected} ".encode()) for _ in range(count)]

    def _time_one(self, connection: socket.socket, start: bytes) -> float:
        began = time.perf_counter()
        connection.sendall(self.request)
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            received = connection.recv(65536)
            if not received:
                raise RuntimeError(f"the server hung up after {answer!r}")
            answer += received
        took = time.perf_counter() - began
        if not answer.startswith(start):
            raise RuntimeError(f"expected {start!r}: {answer[:300]!r}")
        return took
