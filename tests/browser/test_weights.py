"""The size of each page of a shop on the network: the first time, and every time after."""

from playwright.sync_api import CDPSession, expect

from backend.testing import Cast
from tests.browser.conftest import Visit
from tests.browser.shop_pages import fill_each_page, shop_pages

# More than a page of each list.
ROWS = 110
FIRST_BYTES_MAX = 100 * 1024
AFTER_BYTES_MAX = 30 * 1024
OPEN_PAGES = ("/", "/connexion/", "/mot-de-passe/oublie/", "/docs/")
SETTLE_MS, SETTLES_MAX = 20, 250


class Meter:
    """Counts the bytes received, headers included, as the browser counts them."""

    def __init__(self, visit: Visit) -> None:
        self.page, self.server = visit.page, visit.server
        self.line: CDPSession = self.page.context.new_cdp_session(self.page)
        self.line.send("Network.enable")
        self.line.on("Network.requestWillBeSent", lambda event: self.awaited.add(event["requestId"]))
        self.line.on("Network.loadingFinished", self._count)
        self.awaited: set[str] = set()
        self.files = self.bytes = 0

    def _count(self, event: dict) -> None:
        self.awaited.discard(event["requestId"])
        self.bytes += event["encodedDataLength"]
        self.files += event["encodedDataLength"] > 0

    def weigh_twice(self, path: str) -> tuple[tuple[int, int], tuple[int, int]]:
        """Measure the page with an empty and with a filled browser cache."""
        self.line.send("Network.setCacheDisabled", {"cacheDisabled": True})
        first = self.weigh(path)
        self.line.send("Network.setCacheDisabled", {"cacheDisabled": False})
        after = self.weigh(path)
        # The first page of all fills the cache.
        return first, after if after[0] == 1 else self.weigh(path)

    def weigh(self, path: str) -> tuple[int, int]:
        """Open the page; return how many files were fetched, and their bytes."""
        self.page.goto("about:blank")
        self.awaited.clear()
        self.files = self.bytes = 0
        self.page.goto(f"{self.server}{path}", wait_until="load")
        # The browser's events about the last files may arrive a moment after the page.
        for _ in range(SETTLES_MAX):
            self.page.wait_for_timeout(SETTLE_MS)
            if not self.awaited:
                break
        return self.files, self.bytes


def test_every_page_is_light_at_first_and_lighter_afterwards(cast: Cast, desk_visit: Visit) -> None:
    ids = fill_each_page(cast, rows=ROWS)
    meter = Meter(desk_visit)
    weights = {path: meter.weigh_twice(path) for path in OPEN_PAGES}
    desk_visit.sign_in()
    expect(desk_visit.page.get_by_role("heading", level=1)).to_be_visible()
    weights |= {page.name: meter.weigh_twice(page.path) for page in shop_pages(ids)}
    print(f"\n{'page':20}{'first':>10}{'files':>7}{'after':>10}{'files':>7}")
    for name, ((files, first), (files_after, after)) in sorted(weights.items(), key=lambda row: -row[1][0][1]):
        print(f"{name:20}{first:>10,}{files:>7}{after:>10,}{files_after:>7}")
    # The page, its style, its picture (once or, for the tab too, twice), and a shop’s script.
    assert {files for (files, _first), _after in weights.values()} <= {3, 4, 5}
    assert {files for _first, (files, _after) in weights.values()} == {1}
    too_heavy = {
        name: (first, after)
        for name, ((_, first), (_, after)) in weights.items()
        if first >= FIRST_BYTES_MAX or after >= AFTER_BYTES_MAX
    }
    assert too_heavy == {}
