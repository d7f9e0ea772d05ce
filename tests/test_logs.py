"""The processes' logs: JSON where that is set, enough to follow a sale, and nothing private."""

import json
import re
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.test import Client
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from backend.localrun.processes import wait_until
from backend.localrun.stack import Stack
from backend.sales.models import Batch, Sale
from backend.testing import PASSWORD, Cast

# What Celery writes when it is asked to stop does not go through a logger.
LAST_WORDS = re.compile(r"(worker: .*)?")
SERIAL, CUSTOMER = "serie-de-personne", "Client Secret"
# Because of its point, no time and no id contains it by chance.
PRICE = "73914.27"


def entries(stack: Stack, name: str) -> list[dict[str, Any]]:
    """Return what a process wrote, each line an object."""
    text = stack[name].log.read_text()
    lines = []
    for line in text.splitlines():
        if LAST_WORDS.fullmatch(line):
            continue
        try:
            lines.append(json.loads(line))
        except ValueError:
            pytest.fail(f"{name} wrote a line that is no JSON: {line}")
    return lines


def told(stack: Stack, name: str, event: str, **fields: object) -> Iterator[dict[str, Any]]:
    for entry in entries(stack, name):
        if entry.get("event") == event and fields.items() <= entry.items():
            yield entry


def post(url: str, cast: Cast, body: object, **headers: str) -> int:
    request = Request(f"{url}/api/v2/simple/ventes/sync", json.dumps(body).encode(), method="POST")
    named = {"Content-Type": "application/json", "X-Device-Serial": cast.token_device.serial, **headers}
    for name, value in named.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        with build_opener().open(request, timeout=10) as answer:
            return answer.status
    except HTTPError as error:
        return error.code


def sign_in(url: str) -> OpenerDirector:
    opener = build_opener(HTTPCookieProcessor(CookieJar()))
    page = opener.open(f"{url}/connexion/", timeout=10).read().decode()
    key = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page).group(1)
    form = {"csrfmiddlewaretoken": key, "username": "alice", "password": PASSWORD}
    opener.open(f"{url}/connexion/", urlencode(form).encode(), timeout=10)
    return opener


def test_every_process_writes_json_that_follows_a_sale_and_tells_no_secret(stack: Stack) -> None:
    cast = Cast()
    stack.environment |= {"LOG_FORMAT": "json"}
    api = stack.add_api(processes=2)
    services = [api, stack.add_worker(concurrency=2), stack.add_sweep(), stack.add_beat()]
    for service in services:
        service.start()
    for service in services:
        service.wait_ready()
    token = {"Authorization": f"Bearer {cast.token}"}
    sale = {"numero_facture": "FAC-1", "client": {"nom": CUSTOMER}, "lignes": []}
    line = {"article_id": cast.rice.pk, "quantite": 1, "prix_unitaire": PRICE}

    assert post(api.url, cast, [sale | {"lignes": [line]}, sale], X_Request_Id="demande-0001", **token) == 202
    assert post(api.url, cast, [sale], X_Device_Serial=SERIAL, **token) == 404
    assert post(api.url, cast, [sale], Authorization="Bearer un-jeton-faux") == 401
    key = default_token_generator.make_token(cast.victor)
    link = f"/mot-de-passe/{urlsafe_base64_encode(force_bytes(cast.victor.pk))}/{key}/"
    opener = sign_in(api.url)
    opener.open(f"{api.url}/commercant/dashboard/", timeout=10)
    opener.open(f"{api.url}{link}", timeout=10)
    with pytest.raises(HTTPError, match="404"):
        opener.open(f"{api.url}/nulle-part/?jeton=chut", timeout=10)
    assert wait_until(lambda: Batch.objects.exclude(settled_at=None).exists(), timeout_s=20)
    stack.stop_all()

    batch = Batch.objects.get()
    (accepted,) = told(stack, "api", "batch_accepted", receipt=str(batch.receipt), request_id="demande-0001")
    (request,) = told(stack, "api", "request", status=202)
    assert request.items() >= {
        "method": "POST", "route": "/api/v2/simple/ventes/sync", "request_id": "demande-0001",
        "terminal": cast.token_device.terminal_id, "shop": cast.shop.pk,
    }.items()  # fmt: skip
    assert accepted["sales"] == 2
    outcomes = list(told(stack, "worker", "outcome", request_id="demande-0001"))
    assert [(one["status"], one["sale"]) for one in outcomes] == [
        ("created", Sale.objects.get().pk), ("rejected", None),
    ]  # fmt: skip
    assert [one["serial"] for one in told(stack, "api", "request", code="terminal_inconnu")] == [SERIAL]
    assert list(told(stack, "api", "request", code="jeton_invalide"))
    page = next(told(stack, "api", "request", route="/commercant/dashboard/", status=200))
    assert (page["user"], page["shop"]) == (cast.alice.pk, cast.shop.pk)
    assert list(told(stack, "api", "request", route="/mot-de-passe/<str:uidb64>/<str:token>/"))
    assert list(told(stack, "api", "request", route="/nulle-part/", status=404))
    # gunicorn's and Celery's own lines are there too.
    assert any("Listening at" in entry["event"] for entry in entries(stack, "api"))
    assert any(entry["logger"].startswith("celery") for entry in entries(stack, "worker"))
    assert entries(stack, "beat")

    written = "".join(stack[name].log.read_text() for name in stack.services)
    for secret in (cast.token, "un-jeton-faux", PASSWORD, key, CUSTOMER, cast.rice.name, PRICE, "chut"):
        assert secret not in written, secret


def test_a_sweep_tells_what_it_rang_for_and_what_it_posted(stack: Stack) -> None:
    cast = Cast()
    stack.environment |= {"LOG_FORMAT": "json", "BROKER_URL": ""}
    api = stack.add_api().start_ready()
    sweep = stack.add_sweep().start_ready()
    line = {"article_id": cast.rice.pk, "quantite": 1, "prix_unitaire": "25000.00"}
    body = [{"numero_facture": "FAC-1", "lignes": [line]}]
    assert post(api.url, cast, body, Authorization=f"Bearer {cast.token}") == 202
    assert wait_until(Sale.objects.exists, timeout_s=20)
    sweep.stop()
    (turn,) = told(stack, "sweep", "swept")
    assert (turn["posted"], turn["terminals"]) == (1, 1)


def test_a_page_that_breaks_is_told_with_its_place_and_without_its_address(
    real_database: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cast = Cast()
    client = Client(raise_request_exception=False)
    client.force_login(cast.alice)

    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("backend.web.views.dashboard.render", breaks)
    assert client.get("/commercant/dashboard/?jour=2026-01-01&secret=chut").status_code == 500
    broke = [record for record in caplog.records if "page_broke" in record.getMessage()]
    assert len(broke) == 1
    assert "broken on purpose" in str(broke[0].exc_info or broke[0].msg)
    assert "chut" not in caplog.text


def test_a_quiet_question_is_no_line(stack: Stack) -> None:
    stack.environment |= {"LOG_FORMAT": "json"}
    api = stack.add_api().start_ready()
    for path in ("/healthz", "/static/web/style.css"):
        build_opener().open(f"{api.url}{path}", timeout=10)
    api.stop()
    assert not list(told(stack, "api", "request"))
