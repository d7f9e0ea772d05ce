"""The dashboard on a phone and on a desktop: what comes first, what updates by itself, and its links."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Locator, expect

from backend.inventory.models import ArticleUnit
from backend.testing import Cast
from tests.browser.conftest import Visit, visiting
from tests.shop_day import fill, post, sale

REFRESH_S = 30


def sum_of(visit: Visit) -> Locator:
    return visit.page.locator(".sum").first


@pytest.fixture
def visit_with_clock(browser: Browser, server: str) -> Iterator[Visit]:
    """On a page of its own: a clock that the test moves stays in the window."""
    with browser.new_context(locale="fr-FR") as context, visiting(context.new_page(), server, "desk") as visit:
        visit.page.clock.install()
        yield visit


def let_it_be_asked_again(visit: Visit, figure: str) -> None:
    """Let the page's clock run until it shows the figure: after each answer it begins to wait a moment later."""
    for _ in range(20):
        visit.page.clock.fast_forward((REFRESH_S + 1) * 1000)
        with contextlib.suppress(AssertionError):
            expect(sum_of(visit)).to_have_text(figure, timeout=2000)
            return
    expect(sum_of(visit)).to_have_text(figure)


def test_the_figures_move_by_themselves(cast: Cast, visit_with_clock: Visit) -> None:
    fill(cast)
    visit = visit_with_clock
    visit.sign_in()
    expect(sum_of(visit)).to_have_text("96 500 FC")
    visit.page.locator("summary", has_text="Les chiffres").first.click()
    for figure in ("97 500 FC", "98 500 FC"):
        post(cast.device, sale(cast.rice, price=1000))
        let_it_be_asked_again(visit, figure)
    # What the person has unfolded stays open.
    expect(visit.page.locator("details[open]")).to_have_count(1)


def test_each_figure_links_to_its_page(cast: Cast, visit: Visit) -> None:
    fill(cast)
    ArticleUnit.objects.filter(article=cast.oil).update(stock=-2)
    visit.sign_in()
    dashboard = visit.page.url
    for link, heading in (
        ("Voir ce qui est à corriger", "À corriger"),
        ("Voir les envois", "Envois des caisses"),
        ("Terminal MAUI", "Terminal MAUI"),
        ("Voir dans le stock", "Stock"),
        ("Huile 20 L", "Huile 20 L"),
    ):
        visit.page.goto(dashboard)
        visit.page.get_by_role("main").get_by_role("link", name=link).last.click()
        expect(visit.page.get_by_role("heading", name=heading, level=1)).to_be_visible()


def test_another_day_is_one_tap_away(cast: Cast, visit: Visit) -> None:
    fill(cast)
    visit.sign_in()
    visit.page.get_by_role("link", name="hier").click()
    assert "En caisse 25 000 FC Vendu 25 000 FC Ventes 1" in visit.words()
    visit.page.get_by_role("link", name="Jour précédent").click()
    assert "En caisse 0 FC Vendu 0 FC Ventes 0" in visit.words()
    assert visit.overflow_px() == 0
    visit.page.get_by_label("Jour", exact=True).fill((datetime.now(UTC) - timedelta(days=1)).date().isoformat())
    visit.page.get_by_role("button", name="Voir ce jour").click()
    visit.page.get_by_role("main").get_by_role("link", name="Aujourd'hui").click()
    assert "En caisse 96 500 FC" in visit.words()


def test_it_can_be_read_with_no_script_at_all(cast: Cast, server: str, browser: Browser) -> None:
    fill(cast)
    context = browser.new_context(java_script_enabled=False, locale="fr-FR")
    visit = Visit(page=context.new_page(), server=server)
    visit.sign_in()
    words = visit.words()
    for said in ("ne dit pas ce qu'elle garde", "En caisse 96 500 FC", "En caisse en 30 jours", "Ventes par heure"):
        assert said in words
    context.close()
