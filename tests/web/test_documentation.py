"""The documentation as pages, with a section for every code."""

import re

import pytest
from django.test import Client

from backend.api.problems import PROBLEMS
from backend.sales import errors
from backend.sales.models import OutcomeStatus
from backend.web.documentation import pages
from backend.web.wording import sales

pytestmark = pytest.mark.embedded

SALE_CODES = {
    error.code
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, Exception) and hasattr(error, "code")
}


def anchors(client: Client, page: str) -> set[str]:
    return set(re.findall(r'<h\d id="([^"]+)"', client.get(page).content.decode()))


@pytest.mark.parametrize("code", sorted({*PROBLEMS, *SALE_CODES, *sales.ADVICE, *sales.WARNINGS}))
def test_every_code_has_its_section(code: str, client: Client) -> None:
    assert code in anchors(client, "/docs/erreurs")


@pytest.mark.parametrize("code", sorted(SALE_CODES - PROBLEMS.keys()))
def test_every_code_of_a_sale_comes_with_advice_for_a_person(code: str) -> None:
    assert code in sales.ADVICE


def test_every_status_has_its_words() -> None:
    assert set(sales.STATUSES) == set(OutcomeStatus)


def test_the_index_lists_every_page_and_each_can_be_read(client: Client) -> None:
    index = client.get("/docs/").content.decode()
    assert {"architecture", "states", "erreurs", "decisions"} <= {page.name for page in pages()}
    for page in pages():
        assert f'href="/docs/{page.name}"' in index
        answer = client.get(f"/docs/{page.name}")
        assert answer.status_code == 200
        # The page's policy would refuse inline styles.
        assert "style=" not in answer.content.decode()


def test_a_link_between_files_leads_to_the_page(client: Client) -> None:
    body = client.get("/docs/operations").content.decode()
    assert 'href="/docs/erreurs"' in body
    assert client.get("/docs/erreurs.md").status_code == 200


@pytest.mark.parametrize(
    "name",
    ["inconnu", "../README", "..%2FREADME", "../../etc/passwd", "decisions/../../README", "README.txt", "/erreurs"],
)
def test_nothing_but_the_listed_files_is_served(name: str, client: Client) -> None:
    assert client.get(f"/docs/{name}").status_code == 404


def test_the_front_page_leads_everywhere(client: Client) -> None:
    body = client.get("/").content.decode()
    assert 'href="/commercant/dashboard/"' in body
    assert 'href="/docs/"' in body
    assert 'href="/api/v2/docs/"' in body
