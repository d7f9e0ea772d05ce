"""A body so slow that the database closes the call's idle session before the body has arrived."""

import json
import socket
import time
from urllib.parse import urlsplit

import pytest

from backend.db.database_url import SESSION_WAIT_TIMEOUT_S
from backend.localrun.stack import Stack
from backend.testing import Cast
from tests.tills import FATES, SYNC, line, sale


def post_slowly(url: str, path: str, body: bytes, *, serial: str) -> str:
    """Send the last byte after the session's idle timeout; return the status line of the answer."""
    address = urlsplit(url)
    head = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        f"X-Device-Serial: {serial}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    with socket.create_connection((address.hostname, address.port), timeout=30) as line_to_server:
        line_to_server.sendall("\r\n".join([*head, "", ""]).encode() + body[:-1])
        time.sleep(SESSION_WAIT_TIMEOUT_S + 1.5)
        line_to_server.sendall(body[-1:])
        with line_to_server.makefile("rb") as answer:
            return answer.readline().decode().strip()


@pytest.mark.parametrize(("path", "status"), [(FATES, "200 OK"), (SYNC, "202 Accepted")])
def test_a_slow_body_is_answered_like_a_fast_one(real_database: None, stack: Stack, path: str, status: str) -> None:
    cast = Cast()
    api = stack.add_api().start_ready()
    content = {FATES: {"numeros": ["FAC-1"]}, SYNC: [sale("FAC-1", line(cast.rice))]}[path]
    answered = post_slowly(api.url, path, json.dumps(content).encode(), serial=cast.device.serial)
    assert answered == f"HTTP/1.1 {status}"
    assert "Server has gone away" not in api.log.read_text()
