"""Every page of a shop, as an accessibility checker sees it: on a phone and on a desk, by light and in the dark; and
none can be pushed sideways."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from backend.testing import Cast
from tests.browser.conftest import WIDTHS, Visit
from tests.browser.shop_pages import fill_each_page, shop_pages

OPEN_PAGES = ("/", "/connexion/", "/mot-de-passe/oublie/", "/docs/", "/docs/erreurs")
SERIOUS = ("serious", "critical")
# The other scheme changes only colours.
CHECKS = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}


def serious_faults(page: Page, options: dict) -> list[tuple[str, str]]:
    """Return the rule and the element of each serious fault that axe finds on the page."""
    found = page.evaluate("options => axe.run(options)", {**options, "resultTypes": ["violations"]})
    return [
        (fault["id"], node["html"][:120])
        for fault in found["violations"]
        if fault["impact"] in SERIOUS
        for node in fault["nodes"]
    ]


def look_at(visit: Visit, path: str) -> dict[tuple[str, str, str], object]:
    """Return what is wrong with a page, by path, screen and scheme."""
    page, faults = visit.page, {}
    assert page.goto(f"{visit.server}{path}").status == 200, path
    page.evaluate(AXE_SCRIPT)
    for screen, (width, height) in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        if pushed := visit.overflow_px():
            faults[path, screen, "overflow"] = pushed
        for scheme, options in CHECKS.items():
            page.emulate_media(color_scheme=scheme)
            if found := serious_faults(page, options):
                faults[path, screen, scheme] = found
    if (headings := page.locator("h1").count()) != 1:
        faults[path, "", "h1"] = headings
    return faults


def test_no_page_has_a_serious_fault(cast: Cast, desk_visit: Visit) -> None:
    ids = fill_each_page(cast, rows=3)
    faults = {}
    for path in OPEN_PAGES:
        faults |= look_at(desk_visit, path)
    desk_visit.page.emulate_media(color_scheme="light")
    desk_visit.sign_in()
    expect(desk_visit.page.get_by_role("heading", level=1)).to_be_visible()
    for page in shop_pages(ids):
        faults |= look_at(desk_visit, page.path)
    assert faults == {}


def test_the_checker_would_find_one(desk_visit: Visit) -> None:
    desk_visit.open("/connexion/")
    desk_visit.page.evaluate(AXE_SCRIPT)
    assert serious_faults(desk_visit.page, {}) == []
    desk_visit.page.evaluate("document.querySelectorAll('label').forEach(label => label.remove())")
    assert {rule for rule, _place in serious_faults(desk_visit.page, {})} == {"label"}
