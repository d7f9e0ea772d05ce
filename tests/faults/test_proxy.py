"""The fault proxy itself: if a fault did not happen, tests that use it would pass for the wrong reason."""

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import MySQLdb
import pytest
from django.db import connection

from tests.faults.proxy import FaultProxy
from tests.plugin import Rig


class Recorder(ThreadingHTTPServer):
    """A server that remembers what it received."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), RecordingHandler)
        self.bodies: list[bytes] = []


class RecordingHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        self.server.bodies.append(body)
        self.send_response(202)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"took")

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[Recorder]:
    with Recorder() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(server: Recorder) -> Iterator[FaultProxy]:
    with FaultProxy(server.server_address) as proxy:
        yield proxy


def post(proxy: FaultProxy, body: bytes = b"sale", timeout_s: float = 5) -> bytes:
    caller = http.client.HTTPConnection(proxy.host, proxy.port, timeout=timeout_s)
    try:
        caller.request("POST", "/", body=body)
        return caller.getresponse().read()
    finally:
        caller.close()


def test_it_passes_bytes_both_ways(proxy: FaultProxy, server: Recorder) -> None:
    large = b"x" * 1_000_000
    assert post(proxy, large) == b"took"
    assert server.bodies == [large]


def test_a_swallowed_answer_has_reached_the_server_and_only_once(proxy: FaultProxy, server: Recorder) -> None:
    proxy.swallow_answer_to(b"POST /")
    with pytest.raises((OSError, http.client.HTTPException)):
        post(proxy)
    proxy.wait_for_faults(1)
    assert server.bodies == [b"sale"]
    assert post(proxy) == b"took"


def test_a_pattern_that_does_not_come_swallows_nothing(proxy: FaultProxy) -> None:
    proxy.swallow_answer_to(b"DELETE /")
    assert post(proxy) == b"took"
    assert proxy.faults == 0


def test_a_cut_request_is_no_request(proxy: FaultProxy, server: Recorder) -> None:
    proxy.cut_request(after_bytes=100, times=2)
    for _ in range(2):
        with pytest.raises((OSError, http.client.HTTPException)):
            post(proxy, b"x" * 1000)
    assert server.bodies == []
    assert post(proxy) == b"took"


def test_refused_then_back_on_the_same_port(proxy: FaultProxy) -> None:
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        post(proxy)
    proxy.pass_through()
    assert post(proxy) == b"took"


def test_a_hang_gives_no_answer(proxy: FaultProxy, server: Recorder) -> None:
    proxy.hang()
    with pytest.raises(TimeoutError):
        post(proxy, timeout_s=0.3)
    assert server.bodies == []


@pytest.mark.usefixtures("real_database")
def test_the_answer_to_commit_is_lost_and_the_row_is_there(rig: Rig) -> None:
    if not rig.mariadb:
        pytest.skip("needs the run's own MariaDB")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE proxy_probe (id INTEGER PRIMARY KEY)")
    try:
        with FaultProxy(("127.0.0.1", rig.mariadb.port)) as proxy:
            name = connection.settings_dict["NAME"]
            session = MySQLdb.connect(host=proxy.host, port=proxy.port, user="root", database=name)
            session.cursor().execute("INSERT INTO proxy_probe VALUES (1)")
            proxy.swallow_answer_to(b"\x03COMMIT")
            with pytest.raises(MySQLdb.OperationalError, match="2013"):
                session.commit()
            proxy.wait_for_faults(1)
            session.close()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM proxy_probe")
            assert cursor.fetchone() == (1,)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE proxy_probe")
