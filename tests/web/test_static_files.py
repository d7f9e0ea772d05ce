"""What a page needs besides itself: compressed on the line, kept by the browser, and confirmed in a few bytes."""

import gzip
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.embedded

FILES = ["web/style.css", "django_htmx/htmx-2.min.js", "web/icon.svg"]
GZIP = {"Accept-Encoding": "gzip, deflate"}


@pytest.fixture(autouse=True)
def _as_in_production(settings: Settings) -> None:
    settings.WHITENOISE_AUTOREFRESH = False


def fetch(name: str, method: str = "GET", **headers: str) -> tuple[HttpResponse, bytes]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = Client().generic(method, f"/static/{name}", headers=given)
    body = b"".join(answer.streaming_content)
    return answer, body


def original(name: str) -> bytes:
    return Path(finders.find(name)).read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_compressed_and_kept(name: str) -> None:
    answer, body = fetch(name, **GZIP)
    assert (answer.status_code, answer["Content-Encoding"], answer["Vary"]) == (200, "gzip", "Accept-Encoding")
    assert answer["Cache-Control"] == "max-age=3600, public"
    assert gzip.decompress(body) == original(name)


def test_who_cannot_unpack_gets_the_file_as_it_is() -> None:
    answer, body = fetch("web/style.css")
    assert "Content-Encoding" not in answer
    assert body == original("web/style.css")
    assert int(answer["Content-Length"]) == len(body)


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_a_kept_copy_is_confirmed_with_no_body(accepted: str) -> None:
    first, _body = fetch("web/style.css", Accept_Encoding=accepted)
    again, nothing = fetch("web/style.css", Accept_Encoding=accepted, If_None_Match=first["ETag"])
    assert (again.status_code, nothing) == (304, b"")
    other, _body = fetch("web/style.css", Accept_Encoding=accepted, If_None_Match='W/"another"')
    assert other.status_code == 200


def test_what_is_no_whole_file_is_not_compressed() -> None:
    head, nothing = fetch("web/style.css", "HEAD", **GZIP)
    assert (head.status_code, nothing, "Content-Encoding" in head) == (200, b"", False)
    part, body = fetch("web/style.css", Range="bytes=2-5", **GZIP)
    assert (part.status_code, body) == (206, original("web/style.css")[2:6])
