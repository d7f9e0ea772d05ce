"""One version, everywhere where it is shown or has to be written a second time."""

import re
import tomllib
from pathlib import Path

import pytest
from django.test import Client

from backend import __version__

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.embedded


def test_the_package_takes_it_from_the_code() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert "version" not in project["project"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "backend.__version__"}


def test_the_newest_release_of_the_changelog_is_it() -> None:
    headings = re.findall(r"^## \[(.+?)\](.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == ("Unreleased", "")
    assert headings[1][0] == __version__
    assert re.fullmatch(r" - \d{4}-\d\d-\d\d", headings[1][1])


def test_healthz_names_it_and_answers_as_before(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, b"ok\n", "text/plain")
    assert answer["X-Caisse-Version"] == __version__


def test_the_documentation_shows_it(client: Client) -> None:
    assert f"Version {__version__}" in client.get("/docs/").content.decode()


def test_the_description_of_the_api_carries_it(client: Client) -> None:
    answer = client.get("/api/v2/schema/", headers={"Accept": "application/json"})
    assert answer.json()["info"]["version"] == __version__
