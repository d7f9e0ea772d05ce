"""Takes screenshots of the merchants' pages with a headless Chromium, at the width of a phone and of a desktop."""

import io
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from django.urls import NoReverseMatch, reverse
from PIL import Image

from backend.localrun.processes import ProcessFailed
from backend.localrun.servers import find_program

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# The browser connects to our own server only.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--lang=fr-FR",
]

# Width → height of the window; of a longer page the picture shows up to twice that height.
SIZES = {360: 740, 1280: 860}
COLOURS = 96
# Chromium writes its own texts, as in an empty date field, in the language of its environment.
FRENCH: dict[str, str | float | bool] = {**os.environ, "LANGUAGE": "fr"}
PATIENCE_MS = 15_000


@dataclass(frozen=True, slots=True)
class Shot:
    """A page by the name of its route. An object's page is found by a link on the page `found_on`."""

    name: str
    route: str
    found_on: str = ""
    # Any ids: they only give the form of the object's address.
    ids: dict[str, object] = field(default_factory=dict)


SHOTS = (
    Shot("tableau-de-bord", "dashboard"),
    Shot("ventes", "sales"),
    Shot("vente", "sale", "sales", {"sale_id": 1}),
    Shot("credits", "credits"),
    Shot("a-corriger", "to_correct"),
    Shot("correction", "entry", "to_correct", {"batch_id": 1, "position": 1}),
    Shot("stock", "stock"),
    Shot("article", "article", "stock", {"article_id": 1}),
    Shot("envois", "batches"),
    Shot("envoi", "batch", "batches", {"receipt": "00000000-0000-4000-8000-000000000000"}),
    Shot("clotures", "closings"),
    Shot("cloture", "closing", "closings", {"closing_id": 1}),
    Shot("caisses", "tills"),
    Shot("registre", "register"),
)


class PageBroken(Exception):
    """A page did not answer with 200, or no link leads to it."""


def take_screenshots(
    *, base_url: str, username: str, password: str, folder: Path, say: Callable[[str], None]
) -> list[Path]:
    """Sign in, write `<name>-<width>.png` of every page whose route exists into `folder`, and return the paths.

    Older pictures of these names are replaced. Raises PageBroken, and ProcessFailed if there is no Chromium.
    """
    # Playwright is in the development requirements only: serving needs no browser.
    from playwright.sync_api import Error, sync_playwright

    program = find_program(*PROGRAMS)
    if program is None:
        raise ProcessFailed(f"none of these programs is on this machine: {', '.join(PROGRAMS)}")
    folder.mkdir(parents=True, exist_ok=True)
    shots = list(_existing(SHOTS, say=say))
    written = []
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS, env=FRENCH)
            for width, height in SIZES.items():
                size: ViewportSize = {"width": width, "height": height}
                page = browser.new_page(viewport=size, locale="fr-FR", color_scheme="light", reduced_motion="reduce")
                page.set_default_timeout(PATIENCE_MS)
                _sign_in(page, base_url, username=username, password=password)
                for shot in shots:
                    path = folder / f"{shot.name}-{width}.png"
                    path.write_bytes(_picture(page, base_url, shot, height_max=2 * height))
                    written.append(path)
            browser.close()
    except Error as error:
        raise PageBroken(str(error)) from error
    return written


def _existing(shots: tuple[Shot, ...], *, say: Callable[[str], None]) -> Iterator[Shot]:
    for shot in shots:
        try:
            reverse(f"web:{shot.route}", kwargs=shot.ids)
        except NoReverseMatch:
            say(f"{shot.name} : pas de page de ce nom, laissée de côté")
        else:
            yield shot


def _sign_in(page: "Page", base_url: str, *, username: str, password: str) -> None:
    _open(page, f"{base_url}{reverse('web:sign_in')}")
    page.locator("input[name=username]").fill(username)
    field = page.locator("input[name=password]")
    field.fill(password)
    with page.expect_navigation(url=f"{base_url}{reverse('web:dashboard')}"):
        field.press("Enter")


def _picture(page: "Page", base_url: str, shot: Shot, *, height_max: int) -> bytes:
    address = f"{base_url}{reverse(f'web:{shot.route}', kwargs=shot.ids)}"
    if shot.found_on:
        _open(page, f"{base_url}{reverse(f'web:{shot.found_on}')}")
        address = f"{base_url}{_first_link(page, shot)}"
    _open(page, address)
    height = min(page.evaluate("document.documentElement.scrollHeight"), height_max)
    width = page.viewport_size["width"] if page.viewport_size else 0
    raw = page.screenshot(
        full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height}, animations="disabled"
    )
    return _small(raw)


def _open(page: "Page", address: str) -> None:
    answer = page.goto(address, wait_until="networkidle")
    if answer is None or answer.status != 200:
        raise PageBroken(f"{address}: {answer.status if answer else 'no answer'}")


def _first_link(page: "Page", shot: Shot) -> str:
    """Return the path of the first object of this kind that the page links to."""
    shape = re.escape(reverse(f"web:{shot.route}", kwargs=shot.ids))
    for value in shot.ids.values():
        shape = shape.replace(re.escape(str(value)), "[0-9a-f-]+", 1)
    for link in page.locator("main a[href]").all():
        path = link.get_attribute("href") or ""
        if re.fullmatch(f"{shape}(\\?.*)?", path):
            return path
    raise PageBroken(f"{shot.name}: no link to one on the page {shot.found_on}")


def _small(raw: bytes) -> bytes:
    """Return the picture with a small palette, which is enough for a page: a quarter of the bytes."""
    small = io.BytesIO()
    picture = Image.open(io.BytesIO(raw)).convert("RGB")
    picture = picture.quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(small, "PNG", optimize=True)
    return min(raw, small.getvalue(), key=len)
