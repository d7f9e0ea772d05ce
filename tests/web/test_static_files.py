"""The files that a page loads: compressed, cached by the browser for ever, and present."""

import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.http import HttpResponse
from django.template import Context, Engine
from django.templatetags.static import static
from django.test import Client
from pytest_django import Settings

from backend.config.static_files import StaticFilesStorage

pytestmark = pytest.mark.embedded

ROOT = Path(__file__).resolve().parents[2]
FILES = ["web/style.css", "django_htmx/htmx-2.min.js", "web/icon.svg"]
GZIP = {"Accept-Encoding": "gzip, deflate"}
STATIC_TAG = re.compile(r"{%\s*static\s+(\S+)")
LINK = re.compile(r"(?:href|src)=[\"']?(/static/[^\"'\s>]+)")


@pytest.fixture(autouse=True)
def _as_installed(settings: Settings) -> None:
    settings.WHITENOISE_AUTOREFRESH = False


def fetch(address: str, method: str = "GET", **headers: str) -> tuple[HttpResponse, bytes]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = Client().generic(method, address, headers=given)
    return answer, b"".join(answer.streaming_content)


def original(name: str) -> bytes:
    return Path(finders.find(name)).read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_compressed_and_kept_for_ever(name: str) -> None:
    stem, _, ending = name.rpartition(".")
    assert re.fullmatch(rf"/static/{re.escape(stem)}\.[0-9a-f]{{12}}\.{ending}", static(name))
    answer, body = fetch(static(name), **GZIP)
    assert (answer.status_code, answer["Content-Encoding"], answer["Vary"]) == (200, "gzip", "Accept-Encoding")
    assert answer["Cache-Control"] == "max-age=315360000, public, immutable"
    assert gzip.decompress(body) == original(name)


def test_a_file_that_changes_changes_its_name(tmp_path: Path, settings: Settings) -> None:
    sheet = tmp_path / "source" / "sheet.css"
    sheet.parent.mkdir()
    settings.STATICFILES_DIRS, settings.STATIC_ROOT = [sheet.parent], str(tmp_path / "static")
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    names = set()
    for words in ("a {}", "a {color: red}"):
        sheet.write_text(words)
        call_command("collect_static")
        names.add(StaticFilesStorage().url("sheet.css"))
        before = {path.name: path.stat().st_ino for path in (tmp_path / "static").iterdir()}
        call_command("collect_static")
        assert {path.name: path.stat().st_ino for path in (tmp_path / "static").iterdir()} == before
    assert len(names) == 2


def test_a_browser_without_compression_gets_the_plain_file() -> None:
    answer, body = fetch(static("web/style.css"))
    assert "Content-Encoding" not in answer
    assert body == original("web/style.css")
    assert int(answer["Content-Length"]) == len(body)


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_a_cached_copy_is_confirmed_without_a_body(accepted: str) -> None:
    first, _body = fetch(static("web/style.css"), Accept_Encoding=accepted)
    again, nothing = fetch(static("web/style.css"), Accept_Encoding=accepted, If_None_Match=first["ETag"])
    assert (again.status_code, nothing) == (304, b"")
    other, _body = fetch(static("web/style.css"), Accept_Encoding=accepted, If_None_Match='W/"another"')
    assert other.status_code == 200


def test_what_is_no_whole_file_is_cut_where_it_was_asked_for() -> None:
    head, nothing = fetch(static("web/style.css"), "HEAD", **GZIP)
    assert (head.status_code, nothing) == (200, b"")
    part, body = fetch(static("web/style.css"), Range="bytes=2-5")
    assert (part.status_code, body) == (206, original("web/style.css")[2:6])


def test_every_file_that_a_template_names_exists() -> None:
    names = {
        (str(template.relative_to(ROOT)), name)
        for template in (ROOT / "backend").rglob("templates/**/*")
        if template.is_file()
        for name in STATIC_TAG.findall(template.read_text(encoding="utf-8"))
    }
    assert len(names) >= 5
    # A name that a template computes could not be checked here.
    assert [found for found in names if not re.fullmatch(r"'[^']+'|\"[^\"]+\"", found[1])] == []
    assert [found for found in names if found[1].strip("'\"") not in staticfiles_storage.hashed_files] == []


@pytest.mark.parametrize("path", ["/connexion/", "/docs/", "/api/v2/docs/", "/nulle-part/"])
def test_every_file_that_a_page_loads_exists(db: None, path: str) -> None:
    """The page of the API's description uses a package, which names its own files."""
    links = LINK.findall(Client().get(path).content.decode())
    assert links
    for link in links:
        answer, _body = fetch(link)
        assert (link, answer.status_code) == (link, 200)
        assert "immutable" in answer["Cache-Control"], link


def test_a_page_is_shown_without_a_file_that_is_missing(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    template = Engine(libraries={"static": "django.templatetags.static"}).from_string(
        "{% load static %}<img src=\"{% static 'web/nowhere.png' %}\">"
    )
    with pytest.raises(ValueError, match=r"web/nowhere\.png"):
        template.render(Context())
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "backend.config.static_files.StaticFilesStorage"}
    }
    assert template.render(Context()) == '<img src="/static/web/nowhere.png">'
    assert template.render(Context()) == '<img src="/static/web/nowhere.png">'
    assert [record.levelname for record in caplog.records if "web/nowhere.png" in record.getMessage()] == ["ERROR"]
