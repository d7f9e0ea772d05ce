"""nginx with the configuration of deploy/nginx, in front of a real API: what passes, what it refuses, and how."""

import http.client
import json
import re
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
import pytest

from backend.api.answers.limits import LIMITS
from backend.api.problems import UNAVAILABLE_RETRY_S, Problem
from backend.example_till import Till
from backend.localrun.processes import PROJECT_FOLDER, Service, free_port, wait_until
from backend.localrun.stack import Stack
from backend.sales.models import Batch, Sale
from backend.shops.enrolment import create_enrolment_code
from backend.testing import Cast, make_terminal
from tests.plugin import Rig
from tests.tills import FATES, STATE, SYNC, line, sale

LIMIT_BYTES = 5 * 1024 * 1024
ERRORS = PROJECT_FOLDER / "deploy" / "nginx" / "errors"
PROBLEMS = {
    "lot_trop_grand": Problem("lot_trop_grand", limites=LIMITS),
    "trop_de_requetes": Problem("trop_de_requetes"),
    "indisponible": Problem("indisponible", retry_after_s=UNAVAILABLE_RETRY_S),
}
API_THREADS = 4
METRICS_TOKEN = "known-to-prometheus"

MakeTill = Callable[..., Till]


def body_of(problem: Problem) -> dict[str, object]:
    return msgspec.to_builtins(problem.as_response().data)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("certificate")
    names = {"NGINX_CERTIFICATE": str(folder / "fullchain.pem"), "NGINX_CERTIFICATE_KEY": str(folder / "privkey.pem")}
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", names["NGINX_CERTIFICATE_KEY"], "-out", names["NGINX_CERTIFICATE"], "-subj", "/CN=localhost"]
    subprocess.run(command, check=True, capture_output=True)
    return names


@pytest.fixture(scope="module")
def running(
    django_db_setup: None, rig: Rig, tmp_path_factory: pytest.TempPathFactory, certificate: dict[str, str]
) -> Iterator[Stack]:
    """An API behind four doors: nginx as it is, one soon has enough, one speaks TLS, one is behind a balancer."""
    environment = {"DATABASE_URL": rig.database_url, "BROKER_URL": rig.broker_url, "TRUSTED_PROXIES": "1", "HTTPS": "1"}
    environment["METRICS_TOKEN"] = METRICS_TOKEN
    with Stack(folder=tmp_path_factory.mktemp("stack"), environment=environment) as stack:
        api = stack.add_api(threads=API_THREADS)
        stack.add_worker(concurrency=2)
        stack.add_sweep()
        stack.add_nginx(port=free_port(), api=api)
        strict = {"NGINX_RATE_PER_S": "1", "NGINX_BURST": "3"}
        stack.add_nginx(port=free_port(), api=api, name="strict", environment=strict)
        tls = {**certificate, "NGINX_TLS_LISTEN": f"127.0.0.1:{free_port()}"}
        stack.add_nginx(port=free_port(), api=api, name="tls", environment=tls)
        stack.add_nginx(port=free_port(), api=api, name="balanced", environment={"NGINX_TRUSTED": "127.0.0.1"})
        for service in stack.services.values():
            service.start()
        for service in stack.services.values():
            service.wait_ready()
        yield stack


@pytest.fixture
def cast(real_database: None) -> Iterator[Cast]:
    yield Cast()
    # What is being posted while the tables are emptied would stay behind, and the next test's sales stumble over it.
    assert wait_until(lambda: not Batch.objects.filter(settled_at=None).exists(), timeout_s=60)


@pytest.fixture
def make_till(running: Stack, cast: Cast, tmp_path: Path) -> Iterator[MakeTill]:
    with ExitStack() as tills:

        def make(**options: object) -> Till:
            options = {"backoff_s": (0.05, 0.5), "zone": ZoneInfo(cast.shop.timezone)} | options
            return tills.enter_context(Till(tmp_path / "caisse.sqlite3", running["nginx"].url, **options))

        yield make


class Answer:
    """A whole answer, once the connection is no longer needed."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def document(self) -> dict:
        return json.loads(self.body)


def call(service: Service, method: str, path: str, body: object = None, **headers: str) -> Answer:
    with closing(http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=60)) as connection:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body, headers=given, encode_chunked=hasattr(body, "__next__"))
        return Answer(connection.getresponse())


def batch_of(cast: Cast, *numbers: str, size_bytes: int = 0) -> bytes:
    text = json.dumps([sale(number, line(cast.rice)) for number in numbers]).encode()
    return text + b" " * (size_bytes - len(text))


def post(service: Service, cast: Cast, body: object, **headers: str) -> Answer:
    sent = {"X_Device_Serial": cast.device.serial, "Content_Type": "application/json", **headers}
    return call(service, "POST", SYNC, body, **sent)


def in_pieces(body: bytes) -> Iterator[bytes]:
    for at in range(0, len(body), 65_536):
        yield body[at : at + 65_536]


def line_about(service: Service, **fields: str) -> dict:
    """Return the last line of its log with these fields. It is written when the answer is out, so it is waited for."""
    found: list[dict] = []

    def look() -> bool:
        lines = [json.loads(text) for text in service.log.read_text().splitlines() if text.endswith("}")]
        found.extend(entry for entry in lines if fields.items() <= entry.items())
        return bool(found)

    assert wait_until(look, timeout_s=30), fields
    return found[-1]


# --- What passes ---


def test_a_tills_whole_life(running: Stack, make_till: MakeTill, cast: Cast) -> None:
    terminal = make_terminal(cast.shop, name="Caisse 2")
    till = make_till(serial="sunmi-1")
    till.enrol(create_enrolment_code(terminal=terminal).text)
    rice = {"article_id": cast.rice.pk, "quantite": 2, "prix_unitaire": "25000.00"}
    sold, wrong = till.sell([rice]), till.sell([rice])
    assert till.sync(timeout_s=60).settled

    back = till.take_back({1: Decimal(1)}, number=sold)
    void = till.void(number=wrong, motif="erreur de saisie")
    till.close_drawer(opening={"CDF": 0}, counted={"CDF": 25000})
    report = till.sync(timeout_s=60)

    assert [entry.status for entry in report.recorded] == ["returned", "voided"]
    assert [answer["resultat"] for answer in report.days] == ["egal"], report.days
    numbers = Sale.objects.filter(terminal_id=terminal.pk).order_by("pk").values_list("number", flat=True)
    assert list(numbers) == [sold, wrong, back, void]
    assert till.heartbeat()["boutique"]["code"] == "BTQ-009"


def test_a_receipt_that_has_not_changed_is_a_304(running: Stack, cast: Cast) -> None:
    nginx = running["nginx"]
    accepted = post(nginx, cast, batch_of(cast, "FAC-1"), Prefer="wait=10")
    path = accepted.headers["Location"]
    assert urlsplit(path).netloc in ("", urlsplit(nginx.url).netloc)
    whole = call(nginx, "GET", urlsplit(path).path, X_Device_Serial=cast.device.serial, Prefer="wait=10")
    assert (whole.status, whole.document["success"]) == (200, True)
    again = call(
        nginx, "GET", urlsplit(path).path, X_Device_Serial=cast.device.serial, If_None_Match=whole.headers["ETag"]
    )
    assert (again.status, again.body) == (304, b"")


def test_a_till_that_waits_for_the_whole_answer_is_given_it(running: Stack, cast: Cast) -> None:
    answer = post(running["nginx"], cast, batch_of(cast, "FAC-1"), X_Device_Serial=cast.complete_device.serial)
    assert (answer.status, answer.document["success"]) == (201, True)


def test_fifty_long_invoice_numbers_fit_into_a_get(running: Stack, cast: Cast) -> None:
    query = "&".join(f"numero_facture={'FAC-20261121-' + str(at).zfill(40)}" for at in range(50))
    answer = call(running["nginx"], "GET", f"{FATES}?{query}", X_Device_Serial=cast.device.serial)
    assert (answer.status, len(answer.document["ventes"])) == (200, 50)


def test_what_the_application_compressed_arrives_as_it_left(running: Stack, cast: Cast) -> None:
    direct, through = (
        call(running[name], "GET", "/connexion/", Accept_Encoding="gzip", X_Forwarded_For="127.0.0.1")
        for name in ("api", "nginx")
    )
    assert through.headers.get_all("Content-Encoding") == ["gzip"] == direct.headers.get_all("Content-Encoding")
    assert through.body[:2] == b"\x1f\x8b"


# --- How much ---


@pytest.mark.parametrize("is_chunked", [False, True], ids=["whole", "chunked"])
def test_a_body_up_to_the_limit_passes_and_a_larger_one_is_refused_in_the_words_of_the_api(
    running: Stack, cast: Cast, *, is_chunked: bool
) -> None:
    """The larger body is still being sent when it is refused, and its sender reads why."""

    def body(size_bytes: int) -> object:
        whole = batch_of(cast, "FAC-1", size_bytes=size_bytes)
        return in_pieces(whole) if is_chunked else whole

    headers = {"Transfer_Encoding": "chunked"} if is_chunked else {}
    assert post(running["nginx"], cast, body(LIMIT_BYTES - 1), **headers).status == 202
    assert post(running["nginx"], cast, body(LIMIT_BYTES), **headers).status == 202
    mark = f"too-large-{is_chunked}"
    refused = post(running["nginx"], cast, body(LIMIT_BYTES + 1), X_Request_Id=mark, **headers)
    by_the_api = post(running["api"], cast, body(LIMIT_BYTES + 1), **headers)
    assert (refused.status, refused.document) == (413, by_the_api.document)
    assert refused.headers["Content-Type"] == by_the_api.headers["Content-Type"] == "application/problem+json"
    # From nginx itself, the other not.
    assert line_about(running["nginx"], request_id=mark)["upstream_status"] == ""


def test_what_is_refused_is_taken_to_its_end(running: Stack, cast: Cast) -> None:
    """On a slow line the answer is there long before the body is. A till that sees a broken line sends it again."""
    size_bytes = 4 * LIMIT_BYTES
    head = f"POST {SYNC} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size_bytes}\r\n\r\n".encode()
    address = urlsplit(running["nginx"].url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as to_server:
        to_server.sendall(head)
        with to_server.makefile("rb") as answer:
            assert answer.readline() == b"HTTP/1.1 413 Request Entity Too Large\r\n"
            for _ in range(size_bytes // 65_536):
                to_server.sendall(bytes(65_536))


@pytest.mark.parametrize("code", PROBLEMS)
def test_its_words_are_those_of_the_api(code: str) -> None:
    assert json.loads((ERRORS / f"{code}.json").read_text()) == body_of(PROBLEMS[code])


def test_slow_tills_keep_no_thread_of_the_api(running: Stack, cast: Cast) -> None:
    """Three times as many as it has: they hold lines of nginx's, and everybody else is served."""
    body = batch_of(cast, "FAC-1")
    head = [f"POST {SYNC} HTTP/1.1", "Host: localhost", f"X-Device-Serial: {cast.device.serial}"]
    head += ["Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close", "", ""]
    address = urlsplit(running["nginx"].url)
    with ExitStack() as open_lines:
        slow = [
            open_lines.enter_context(socket.create_connection((address.hostname, address.port), timeout=30))
            for _ in range(3 * API_THREADS)
        ]
        for line_to_server in slow:
            line_to_server.sendall("\r\n".join(head).encode() + body[:10])
        assert call(running["nginx"], "GET", STATE, X_Device_Serial=cast.device.serial).status == 200
        for line_to_server in slow:
            line_to_server.sendall(body[10:])
            with line_to_server.makefile("rb") as answer:
                assert answer.readline().split()[1] == b"202"
    # Told apart from a call that never arrives: identical bytes count once.
    assert Batch.objects.count() == len(slow)


def test_who_asks_too_often_is_told_when_to_come_again(running: Stack, cast: Cast) -> None:
    strict = running["strict"]
    answers = [call(strict, "GET", STATE, X_Device_Serial=cast.device.serial) for _ in range(8)]
    assert {answer.status for answer in answers} == {200, 429}
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.document == body_of(PROBLEMS["trop_de_requetes"])
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert int(refused.headers["Retry-After"]) > 0
    pages = [call(strict, "GET", "/connexion/") for _ in range(8)]
    page = next(answer for answer in pages if answer.status == 429)
    assert page.headers["Content-Type"] == "text/html"
    assert "Trop de demandes" in page.body.decode()
    # Not the other door: there, hundreds of tills share an address.
    usual = [call(running["nginx"], "GET", STATE, X_Device_Serial=cast.device.serial) for _ in range(20)]
    assert {answer.status for answer in usual} == {200}


# --- Trusted addresses ---


def test_what_a_caller_says_of_its_address_is_not_believed(running: Stack, cast: Cast) -> None:
    lies = {"X_Forwarded_For": "203.0.113.7", "Forwarded": "for=203.0.113.7", "X_Real_IP": "203.0.113.7"}
    assert post(running["nginx"], cast, batch_of(cast, "FAC-1"), **lies).status == 202
    assert Batch.objects.get().ip == "127.0.0.1"
    # The same words from who is trusted would have been believed.
    post(running["api"], cast, batch_of(cast, "FAC-2"), **lies)
    assert Batch.objects.latest("pk").ip == "203.0.113.7"


def test_tls_is_what_nginx_sees_and_not_what_a_caller_says(running: Stack, certificate: dict[str, str]) -> None:
    tls = running["tls"]
    trusted = ssl.create_default_context(cafile=certificate["NGINX_CERTIFICATE"])
    trusted.check_hostname = False
    address = (tls.environment or {})["NGINX_TLS_LISTEN"]
    with closing(http.client.HTTPSConnection(address, timeout=30, context=trusted)) as connection:
        connection.request("GET", "/connexion/")
        secure = Answer(connection.getresponse())
    assert secure.status == 200
    assert secure.headers["Strict-Transport-Security"]

    lying = call(running["nginx"], "GET", "/connexion/", X_Forwarded_Proto="https")
    assert lying.status == 200
    assert "Strict-Transport-Security" not in lying.headers
    sent_over = call(tls, "POST", f"{SYNC}?a=1", b"[]", Host="ventes.example")
    assert (sent_over.status, sent_over.headers["Location"]) == (308, f"https://ventes.example{SYNC}?a=1")


def test_a_load_balancer_of_ours_says_whose_call_it_brings_and_how_it_came(running: Stack, cast: Cast) -> None:
    brought = {"X_Forwarded_For": "203.0.113.7", "X_Forwarded_Proto": "https"}
    assert post(running["balanced"], cast, batch_of(cast, "FAC-1"), **brought).status == 202
    assert Batch.objects.get().ip == "203.0.113.7"
    assert call(running["balanced"], "GET", "/connexion/", **brought).headers["Strict-Transport-Security"]
    # What a caller put before the balancer's own word is the caller's.
    post(running["balanced"], cast, batch_of(cast, "FAC-2"), X_Forwarded_For="198.51.100.9, 203.0.113.7")
    assert Batch.objects.latest("pk").ip == "203.0.113.7"


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_what_machines_inside_ask_is_not_to_be_had_from_outside(running: Stack, path: str) -> None:
    letter = path[1]
    disguises = [
        path,
        f"/{path}",
        f"/docs/..{path}",
        f"{path}?for=intake",
        path.replace(letter, f"%{ord(letter):x}", 1),
    ]
    bearer = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    answers = [call(running["nginx"], "GET", disguise, **bearer) for disguise in disguises]
    assert [answer.status for answer in answers] == [404] * len(disguises)
    # It is there, for who may ask. What it says of this moment is nothing to nginx.
    assert call(running["api"], "GET", path, **bearer).status in (200, 503)


def test_its_log_names_the_call_and_keeps_secrets(running: Stack, cast: Cast) -> None:
    nginx = running["nginx"]
    answer = post(nginx, cast, batch_of(cast, "FAC-1"), X_Request_Id="caisse-2-000017", Authorization="Bearer geheim")
    assert answer.headers["X-Request-Id"] == "caisse-2-000017"
    assert line_about(nginx, request_id="caisse-2-000017")["path"] == SYNC
    call(nginx, "GET", "/mot-de-passe/MQ/geheim/")
    line_about(nginx, path="/mot-de-passe/")
    made = call(nginx, "GET", f"{FATES}?numero_facture=FAC-geheim", X_Request_Id='"}geheim').headers["X-Request-Id"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert line_about(nginx, request_id=made)["path"] == FATES
    assert "geheim" not in nginx.log.read_text()


# --- When nobody answers ---


def test_nothing_of_it_outlives_who_started_it(running: Stack) -> None:
    """The kernel ends the process that we started when we are killed; workers of its own would serve on."""
    assert running["nginx"].children() == []


def test_while_the_api_is_away_tills_and_people_are_told_to_come_again(
    running: Stack, make_till: MakeTill, cast: Cast
) -> None:
    till = make_till(serial=cast.device.serial)
    said: list[str] = []
    till.sender.tell = said.append
    number = till.sell([{"article_id": cast.rice.pk, "quantite": 1, "prix_unitaire": "25000.00"}])
    running["api"].stop()
    try:
        answer = post(running["nginx"], cast, batch_of(cast, "FAC-1"))
        assert (answer.status, answer.document) == (503, body_of(PROBLEMS["indisponible"]))
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Retry-After"] == str(UNAVAILABLE_RETRY_S)
        page = call(running["nginx"], "GET", "/commercant/?recherche=geheim")
        assert (page.status, page.headers["Content-Type"]) == (503, "text/html")
        line_about(running["nginx"], path="/commercant/")
        assert "geheim" not in running["nginx"].log.read_text()

        assert till.send_once() == 0
        assert (till.sender.problem, [entry.number for entry in till.pending()]) == (None, [number])
        assert "rien n'est perdu" in said[-1]
    finally:
        running["api"].start_ready()
    assert till.sync(timeout_s=60).settled
