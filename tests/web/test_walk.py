"""Every page and every call of the API, with every role, with own and foreign ids.

The routes are read from the URL configuration: a route that is not described below fails a test.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from backend.sales.models import SaleOutcome, TillClosing
from backend.shops.models import Membership, Role, Shop
from backend.testing import Cast, make_user
from tests.shop_day import post, recorded, sale
from tests.tills import Till

pytestmark = pytest.mark.embedded

STRANGER, VIEWER, MANAGER, OWNER = "stranger", "viewer", "manager", "owner"
RANKS = (VIEWER, MANAGER, OWNER)


@dataclass(frozen=True)
class Page:
    """A page of a shop: the roles required to see it and to send to it. None: not allowed (405)."""

    see: str | None
    send: str | None = None
    # The parts of its address, which are one shop's things; a foreign one is a 404.
    ids: tuple[str, ...] = ()
    # What is sent, if an empty form would not be accepted.
    form: tuple[tuple[str, str], ...] = ()


# Pages of a shop, by route name.
SHOP_PAGES: dict[str, Page] = {
    "dashboard": Page(VIEWER),
    "sales": Page(VIEWER),
    "sales_csv": Page(VIEWER),
    "sales_xlsx": Page(VIEWER),
    "money_csv": Page(VIEWER),
    "money_xlsx": Page(VIEWER),
    "credits": Page(VIEWER),
    "take_customer_payment": Page(MANAGER, MANAGER),
    "settings": Page(MANAGER, MANAGER),
    "new_sale": Page(MANAGER, MANAGER),
    "sale": Page(VIEWER, ids=("sale_id",)),
    "sale_submission": Page(VIEWER, ids=("sale_id",)),
    "invoice": Page(VIEWER, ids=("sale_id",)),
    "invoice_pdf": Page(VIEWER, ids=("sale_id", "size")),
    "void_sale": Page(MANAGER, MANAGER, ids=("sale_id",)),
    "return_lines": Page(MANAGER, MANAGER, ids=("sale_id",)),
    "take_payment": Page(MANAGER, MANAGER, ids=("sale_id",)),
    "stock": Page(VIEWER),
    "movements": Page(VIEWER),
    "article": Page(VIEWER, ids=("article_id",)),
    "unit": Page(VIEWER, ids=("article_id", "unit_id")),
    "new_article": Page(MANAGER, MANAGER),
    "change_article": Page(None, MANAGER, ids=("article_id",)),
    "add_unit": Page(None, MANAGER, ids=("article_id",)),
    "change_unit": Page(None, MANAGER, ids=("article_id", "unit_id")),
    "move_unit": Page(None, MANAGER, ids=("article_id", "unit_id")),
    "open_unit": Page(None, MANAGER, ids=("article_id", "unit_id")),
    "import_articles": Page(MANAGER, MANAGER),
    "export_articles": Page(VIEWER, ids=("file_format",)),
    "batches": Page(VIEWER),
    "batch": Page(VIEWER, ids=("receipt",)),
    "to_correct": Page(VIEWER),
    "set_aside": Page(VIEWER),
    "entry": Page(VIEWER, ids=("batch_id", "position")),
    "decide": Page(None, MANAGER, ids=("batch_id", "position")),
    "closings": Page(VIEWER),
    "closing": Page(VIEWER, ids=("closing_id",)),
    "closing_drawer": Page(VIEWER, ids=("closing_id",)),
    "close_day": Page(MANAGER, MANAGER),
    "close_month": Page(OWNER, OWNER, ids=("year", "month")),
    "tills": Page(VIEWER),
    "till": Page(VIEWER, ids=("terminal_id",)),
    "till_drawer": Page(VIEWER, ids=("terminal_id",)),
    "add_till": Page(MANAGER, MANAGER),
    "enrolment_code": Page(MANAGER, MANAGER, ids=("terminal_id",)),
    "till_state": Page(MANAGER, MANAGER, ids=("terminal_id",), form=(("etat", "active"),)),
    "device_state": Page(MANAGER, MANAGER, ids=("terminal_id", "device_id"), form=(("etat", "active"),)),
    "device_token": Page(MANAGER, MANAGER, ids=("terminal_id", "device_id")),
    "register": Page(VIEWER),
    "team": Page(VIEWER),
    "add_member": Page(None, OWNER),
    "change_member": Page(None, OWNER, ids=("member_id",)),
    "password_link": Page(None, OWNER, ids=("member_id",)),
}
# Pages that belong to no shop: public pages, and a person's own account.
OPEN_PAGES = {
    "front", "set_language", "sign_in", "sign_out", "password_reset", "password_reset_sent", "password_set",
    "documentation", "documentation_page", "shop", "healthz", "readyz", "metrics",
}  # fmt: skip
ACCOUNT_PAGES = {"account", "password_change"}
# Its random key belongs to the person who sent the file: tests/web/test_imports.py tries another person's.
OWN_KEY_PAGES = {"import_preview"}
# Staff pages, and what is sent to them. For any other signed-in person they do not exist.
STAFF_PAGES = {"overview", "tills", "till", "failed", "calls", "doctor"}
STAFF_ACTIONS = {"ring_all", "ring_till", "post_till", "pause", "pause_till", "resume", "retry"}
# Address parts that name nothing of a shop.
NO_IDS = {"size", "file_format", "year", "month", "position"}
# The tills' calls by route name: whether they need a token or serial, and their query with an id of one shop.
API_CALLS = {
    "sync": True, "receipts": True, "receipt": True, "fates": True, "changes": True, "movements": True,
    "articles": True, "reconciliation": True, "state": True, "token": True,
    "enrolment": False, "schema": False, "docs": False,
}  # fmt: skip


def routes(prefix: str = "", resolver: URLResolver | None = None) -> Iterator[tuple[str, URLPattern]]:
    """Yield every named route with its namespace."""
    resolver = resolver or get_resolver()
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            namespace = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from routes(namespace, pattern)
        elif pattern.name:
            yield prefix, pattern


@dataclass
class World:
    """Two shops with one thing of each kind, and a person of each role in the first."""

    cast: Cast
    own: dict[str, Any]
    foreign: dict[str, Any]
    people: dict[str, Client]


def things_of(shop: Shop, device: Any, article: Any, member: Membership) -> dict[str, Any]:
    """Make one thing of each kind in a shop; return their ids by the names of the routes' parameters."""
    batch = post(device, sale(article, paye=False))
    refused = post(device, sale(article, quantity=10**6))
    outcome = SaleOutcome.objects.get(batch=refused)
    now = datetime.now(UTC)
    closing = TillClosing.objects.create(
        shop=shop, terminal=device.terminal, device=device, day=now.date(), result="egal", at=now,
        said={"jour": str(now.date()), "totaux": []},
        answered={"jour": str(now.date()), "resultat": "egal", "manquantes": [], "en_trop": [], "differentes": [],
                  "en_attente": [], "a_corriger": [], "totaux": [], "caisse": []},
    )  # fmt: skip
    return {
        "sale_id": recorded(batch).pk,
        "article_id": article.pk,
        "unit_id": article.base_unit_id,
        "receipt": batch.receipt,
        "batch_id": outcome.batch_id,
        "position": outcome.position,
        "closing_id": closing.pk,
        "terminal_id": device.terminal_id,
        "device_id": device.pk,
        "member_id": member.pk,
        "size": "a4",
        "file_format": "csv",
        "year": 2024,
        "month": 11,
    }


def signed_in(user: User | None) -> Client:
    client = Client()
    if user:
        client.force_login(user)
    return client


@pytest.fixture
def world(cast: Cast) -> World:
    erin = make_user("erin", cast.shop, role=Role.VIEWER)
    people = {VIEWER: cast.victor, MANAGER: cast.bob, OWNER: cast.alice}
    return World(
        cast,
        things_of(cast.shop, cast.device, cast.rice, Membership.objects.get(user=erin)),
        things_of(cast.other_shop, cast.other_device, cast.other_article, Membership.objects.get(user=cast.charlie)),
        {STRANGER: signed_in(None), **{role: signed_in(user) for role, user in people.items()}},
    )


def test_every_route_is_described_below() -> None:
    said = {
        "web:": {*SHOP_PAGES, *OPEN_PAGES, *ACCOUNT_PAGES, *OWN_KEY_PAGES},
        "api:": set(API_CALLS),
        "": OPEN_PAGES,
        "operations:": STAFF_PAGES | STAFF_ACTIONS,
        # Made by Django from what is registered; tests/ops/test_admin.py walks all of it.
        "admin:": {route.name for prefix, route in routes() if prefix == "admin:"},
    }
    unsaid = [f"{prefix}{route.name}" for prefix, route in routes() if route.name not in said[prefix]]
    gone = [name for name in (*SHOP_PAGES, *ACCOUNT_PAGES) if name not in {route.name for _, route in routes()}]
    assert (unsaid, gone) == ([], [])


@pytest.mark.parametrize("name", SHOP_PAGES)
def test_forbidden_requests_are_refused(name: str, world: World) -> None:
    page = SHOP_PAGES[name]
    address = reverse(f"web:{name}", kwargs={part: world.own[part] for part in page.ids})
    for send, needed in ((False, page.see), (True, page.send)):
        stranger = ask(world.people[STRANGER], address, page, send=send)
        assert stranger.status_code in (302, 405), (name, send)
        if stranger.status_code == 302:
            assert stranger["Location"].startswith("/connexion/"), (name, send)
        for role in RANKS:
            status = ask(world.people[role], address, page, send=send).status_code
            if needed is None:
                # A page that only reads treats a POST as a GET, and changes nothing.
                assert status in (405, 403, 302) if not send else status in (405, 200, 302), (name, send, role, status)
            elif RANKS.index(role) < RANKS.index(needed):
                assert status == 403, (name, send, role, status)
            else:
                assert status in (200, 302, 303, 400, 409), (name, send, role, status)


@pytest.mark.parametrize("name", [name for name, page in SHOP_PAGES.items() if set(page.ids) - NO_IDS])
def test_another_shops_things_do_not_exist(name: str, world: World) -> None:
    page = SHOP_PAGES[name]
    owner = world.people[OWNER]
    named = [part for part in page.ids if part not in NO_IDS]
    # All parts foreign, and one foreign part among own ones.
    mixes: list[Callable[[str], bool]] = [lambda part: part in named]
    mixes += [lambda part, one=one: part == one for one in named] if len(named) > 1 else []
    for is_foreign in mixes:
        parts = {part: (world.foreign if is_foreign(part) else world.own)[part] for part in page.ids}
        address = reverse(f"web:{name}", kwargs=parts)
        for send, needed in ((False, page.see), (True, page.send)):
            if needed is None:
                continue
            for query in ("", f"?boutique={world.cast.other_shop.code}", f"?boutique={world.cast.shop.code}"):
                status = ask(owner, address + query, page, send=send).status_code
                assert status == 404, (name, parts, query, send, status)


def test_another_shop_is_chosen_on_no_page(world: World) -> None:
    for name, page in SHOP_PAGES.items():
        if page.see:
            address = reverse(f"web:{name}", kwargs={part: world.own[part] for part in page.ids})
            for code in (world.cast.other_shop.code, "BTQ-000"):
                assert world.people[OWNER].get(address, {"boutique": code}).status_code == 404, name


def test_an_account_page_is_the_persons_own(world: World) -> None:
    for name in ACCOUNT_PAGES:
        assert world.people[STRANGER].get(reverse(f"web:{name}")).status_code == 302
        assert world.people[VIEWER].get(reverse(f"web:{name}")).status_code == 200


@pytest.mark.parametrize("name", sorted(STAFF_PAGES | STAFF_ACTIONS))
def test_staff_pages_do_not_exist_for_others(name: str, world: World) -> None:
    parts = {"terminal_id": world.own["terminal_id"]} if "till" in name and name != "tills" else {}
    address = reverse(f"operations:{name}", kwargs=parts)
    for send in (False, True):
        stranger = ask(world.people[STRANGER], address, Page(None), send=send)
        assert (stranger.status_code, stranger["Location"].startswith("/connexion/")) == (302, True), name
        for role in RANKS:
            assert ask(world.people[role], address, Page(None), send=send).status_code == 404, (name, role, send)
    User.objects.filter(username="alice").update(is_staff=True)
    is_page = name in STAFF_PAGES
    assert ask(world.people[OWNER], address, Page(None), send=False).status_code == (200 if is_page else 405)
    if not is_page:
        # An empty form is refused if something must be chosen, and accepted otherwise.
        assert ask(world.people[OWNER], address, Page(None), send=True).status_code in (302, 400, 404)


@pytest.mark.parametrize("name", API_CALLS)
def test_a_call_needs_a_known_device(name: str, world: World) -> None:
    parts = {"recu": str(world.own["receipt"])} if name == "receipt" else {}
    address = reverse(f"api:{name}", kwargs=parts)
    nobody = Client().generic("GET", address)
    # A person who is signed in on the pages is no device.
    person = world.people[OWNER].get(address)
    if API_CALLS[name]:
        assert [answer.json()["code"] for answer in (nobody, person)] == ["header_manquant"] * 2
        unknown = Client().get(address, headers={"X-Device-Serial": "personne"})
        assert unknown.json()["code"] == "terminal_inconnu"
    else:
        assert nobody.status_code in (200, 405)


def test_a_till_that_asks_for_another_shops_things_gets_a_404(world: World) -> None:
    charlies, own, foreign = Till(world.cast.other_device), world.own, world.foreign
    assert charlies.get(f"/api/v2/simple/ventes/recus/{own['receipt']}").json()["code"] == "recu_inconnu"
    assert charlies.get(f"/api/v2/simple/ventes/recus/{foreign['receipt']}").status_code == 200
    assert charlies.get(f"/api/v2/simple/stock/mouvements?article_id={own['article_id']}").status_code == 404
    assert charlies.get(f"/api/v2/simple/stock/mouvements?article_id={foreign['article_id']}").status_code == 200
    number = recorded(post(world.cast.device, sale(world.cast.rice))).number
    assert [one["status"] for one in charlies.look_up_statuses(number)] == ["unknown"]
    seen = {article["id"] for article in charlies.get("/api/v2/simple/articles").json()["articles"]}
    assert seen == {foreign["article_id"]}
    changed = charlies.get("/api/v2/simple/ventes/changements").json()["ventes"]
    assert len(changed) == 2


def ask(client: Client, address: str, page: Page, *, send: bool) -> Any:
    return client.post(address, dict(page.form)) if send else client.get(address)
