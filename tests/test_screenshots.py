"""The pictures of the pages: each is shown, each that is shown is there, and together they are light."""

import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from backend.localrun.screenshots import SHOTS, SIZES

pytestmark = pytest.mark.embedded

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
BYTES_MAX = 2 * 1024 * 1024
SHOWN = re.compile(r"!\[[^\]]+\]\(([^)]+)\)")


def shown_in(page: Path) -> set[Path]:
    return {(page.parent / path).resolve() for path in SHOWN.findall(page.read_text(encoding="utf-8"))}


def test_every_picture_is_taken_by_the_command_and_shown() -> None:
    taken = {IMAGES / f"{shot.name}-{width}.png" for shot in SHOTS for width in SIZES}
    assert taken == shown_in(ROOT / "docs" / "pages.md") == set(IMAGES.iterdir())
    assert shown_in(ROOT / "README.md") < taken


def test_they_are_light() -> None:
    assert sum(picture.stat().st_size for picture in IMAGES.iterdir()) < BYTES_MAX


@pytest.mark.parametrize("shot", SHOTS, ids=[shot.name for shot in SHOTS])
def test_every_page_in_a_picture_has_its_route(shot: object) -> None:
    assert reverse(f"web:{shot.route}", kwargs=shot.ids)


def test_the_served_documentation_names_the_pictures_and_loads_none(client: Client) -> None:
    body = client.get("/docs/pages").content.decode()
    assert "Le tableau de bord sur un téléphone" in body
    assert "<img" not in body.partition("<main")[2]
