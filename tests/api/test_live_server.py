"""Cases that need a real server: chunked bodies, and request lines that are too long."""

import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from backend.localrun.stack import Stack
from backend.sales.models import Batch
from backend.testing import Cast
from tests.tills import FATES, STATE, SYNC, line, sale


@pytest.fixture
def cast(real_database: None) -> Cast:
    return Cast()


@pytest.fixture
def server(stack: Stack, cast: Cast) -> Iterator[http.client.HTTPConnection]:
    url = stack.add_api().start_ready().url
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port, timeout=30)
    yield connection
    connection.close()


def call(
    server: http.client.HTTPConnection, cast: Cast, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, dict]:
    sent = {"X-Device-Serial": cast.device.serial, "Content-Type": "application/json", **headers}
    server.request(method, path, body=body, headers=sent, encode_chunked=hasattr(body, "__next__"))
    answer = server.getresponse()
    return answer.status, json.loads(answer.read())


def chunks(body: bytes, size: int = 1000) -> Iterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


def test_bodies_may_come_in_chunks_up_to_the_limit(server: http.client.HTTPConnection, cast: Cast) -> None:
    """.NET's HttpClient sends JSON like this, without a length."""
    chunked = {"Transfer-Encoding": "chunked"}
    small = json.dumps([sale(f"FAC-{at}", line(cast.rice)) for at in range(50)]).encode()
    assert call(server, cast, "POST", SYNC, chunks(small), **chunked)[1]["ventes_recues"] == 50
    limit = 5 * 1024 * 1024
    large = b"[{}]" + b" " * (limit - 4)
    assert call(server, cast, "POST", SYNC, chunks(large, 65_536), **chunked)[0] == 202
    status, statuses = call(server, cast, "POST", FATES, chunks(b'{"numeros": ["FAC-1"]}', 5), **chunked)
    assert (status, statuses["ventes"][0]["status"]) == (200, "pending")
    assert Batch.objects.count() == 2


def test_a_body_that_is_too_large_gets_an_answer_and_no_broken_connection(
    server: http.client.HTTPConnection, cast: Cast
) -> None:
    for size in (5 * 1024 * 1024 + 1, 15_000_000):
        whole = b"[{}]" + b" " * (size - 4)
        for body, headers in ((whole, {}), (chunks(whole, 65_536), {"Transfer-Encoding": "chunked"})):
            status, problem = call(server, cast, "POST", SYNC, body, **headers)
            assert (status, problem["code"]) == (413, "lot_trop_grand")
            server.close()
    assert Batch.objects.count() == 0


def test_fifty_numbers_fit_into_one_request_line(server: http.client.HTTPConnection, cast: Cast) -> None:
    query = "&".join(f"numero_facture={'FAC-20241104-' + str(at).zfill(40)}" for at in range(50))
    status, statuses = call(server, cast, "GET", f"{FATES}?{query}")
    assert (status, len(statuses["ventes"])) == (200, 50)


def test_an_endless_query_is_no_server_error(server: http.client.HTTPConnection, cast: Cast) -> None:
    status, problem = call(server, cast, "GET", f"{FATES}?" + "a&" * 3000)
    assert (status, problem["code"]) == (400, "parametre_invalide")


def test_a_till_has_no_session_and_needs_no_csrf_token(server: http.client.HTTPConnection, cast: Cast) -> None:
    server.request("GET", STATE, headers={"X-Device-Serial": cast.device.serial})
    answer = server.getresponse()
    answer.read()
    assert answer.status == 200
    assert answer.headers["Set-Cookie"] is None
    assert call(server, cast, "POST", SYNC, b"[]", Origin="http://ailleurs.example")[0] == 400
