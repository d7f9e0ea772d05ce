"""A real browser with a real server: headless Chromium, at the width of a phone and of a desktop."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Response, expect, sync_playwright

from backend.localrun.stack import Stack
from backend.testing import PASSWORD, Cast
from tests.plugin import Rig

# The first has no windows, and needs a fifth of the others' processor time.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# It asks nobody but the page's own server for anything.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A page that comes is not waited for any longer; on a machine at its limit the five seconds of the library are too few.
expect.set_options(timeout=30_000)
WIDTHS = {"phone": (360, 740), "desk": (1280, 860)}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Playwright keeps an event loop running in this thread, in which Django would refuse to ask the database anything.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    assert program, "no Chromium on this machine"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def server(django_db_setup: None, rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an API process on the test database, started once for these files, which serves the pages."""
    environment = {"DATABASE_URL": rig.database_url, "BROKER_URL": ""}
    with Stack(folder=tmp_path_factory.mktemp("stack"), environment=environment) as stack:
        yield stack.add_api().start_ready().url


@pytest.fixture
def cast(real_database: None) -> Cast:
    return Cast()


@dataclass
class Visit:
    """A person's browser, and the errors on its pages."""

    page: Page
    server: str
    complaints: list[str] = field(default_factory=list)
    # As they came over the line, of pages: a file that is compressed as it goes does not say how long it is.
    bytes_of: dict[str, int] = field(default_factory=dict)

    def note_response(self, response: Response) -> None:
        if not response.url.startswith(f"{self.server}/"):
            self.complaints.append(f"asked somebody else: {response.url}")
        if "content-length" in response.headers and not 300 <= response.status < 400:
            self.bytes_of[response.url] = int(response.headers["content-length"])

    def open(self, path: str) -> None:
        self.page.goto(f"{self.server}{path}")

    def sign_in(self, name: str = "alice") -> None:
        self.open("/connexion/")
        self.page.get_by_label("Nom d’utilisateur").fill(name)
        self.page.get_by_label("Mot de passe").fill(PASSWORD)
        self.page.get_by_role("button", name="Se connecter").click()

    def words(self) -> str:
        """Return the visible text of the page, with single ordinary spaces."""
        return " ".join(self.page.locator("main").inner_text().split())

    def overflow_px(self) -> int:
        """Return how far the page can be scrolled sideways."""
        return self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")

    def note_message(self, message: ConsoleMessage) -> None:
        """What the page's own policy refuses is told on the console, as an error. That a person who types at once was
        quicker than `autofocus` is told there too, and is no fault."""
        if not message.text.startswith("Autofocus processing was blocked"):
            self.complaints.append(message.text)

    def note_error(self, error: Error) -> None:
        self.complaints.append(str(error))


@pytest.fixture(scope="session")
def shared_page(browser: Browser) -> Iterator[Page]:
    """The page of all visits, one after the other: opening a window takes the browser a second of processor time."""
    context = browser.new_context(locale="fr-FR")
    yield context.new_page()
    context.close()


@contextmanager
def visiting(page: Page, server: str, width: str) -> Iterator[Visit]:
    """Look at this page as somebody who was never here, at this width; at the end, there must have been no errors."""
    width_px, height_px = WIDTHS[width]
    page.set_viewport_size({"width": width_px, "height": height_px})
    visit = Visit(page=page, server=server)
    notes = {"response": visit.note_response, "console": visit.note_message, "pageerror": visit.note_error}
    for event, note in notes.items():
        page.on(event, note)
    yield visit
    forget(page)
    for event, note in notes.items():
        page.remove_listener(event, note)
    assert visit.complaints == []


def forget(page: Page) -> None:
    """Leave the browser as a new one: no windows, cookies, files and wishes of the person who was here."""
    for other in page.context.pages:
        if other != page:
            other.close()
    page.goto("about:blank")
    page.emulate_media(media="null", color_scheme="null")
    page.context.clear_cookies()
    line = page.context.new_cdp_session(page)
    line.send("Network.clearBrowserCache")
    line.detach()


# For tests of how pages fit a screen, and for a whole day of work; the others use a desktop's width.
at_each_width = pytest.mark.parametrize("visit", WIDTHS, indirect=True)


@pytest.fixture
def visit(request: pytest.FixtureRequest, shared_page: Page, server: str) -> Iterator[Visit]:
    with visiting(shared_page, server, getattr(request, "param", "desk")) as visit:
        yield visit


@pytest.fixture
def desk_visit(shared_page: Page, server: str) -> Iterator[Visit]:
    """For tests that do not depend on the width."""
    with visiting(shared_page, server, "desk") as visit:
        yield visit
