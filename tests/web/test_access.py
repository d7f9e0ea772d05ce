"""Access to pages: who may see which shop; everything of another shop is a 404 (promise P8)."""

import re
import uuid

import pytest
from django.test import Client
from django.urls import reverse

from backend.shops.models import Membership, Role
from backend.testing import PASSWORD, Cast, make_user
from tests.shop_day import post, recorded, sale
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

SHOP_PAGES = ["dashboard", "sales", "batches", "to_correct"]


@pytest.mark.parametrize("name", SHOP_PAGES)
def test_an_anonymous_visitor_signs_in_and_comes_back_to_the_page(name: str, cast: Cast, client: Client) -> None:
    page = reverse(f"web:{name}")
    answer = client.get(page)
    assert (answer.status_code, answer["Location"]) == (302, f"/connexion/?next={page}")


def test_signing_in_leads_to_the_dashboard(cast: Cast, client: Client) -> None:
    answer = client.post("/connexion/", {"username": "alice", "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/commercant/dashboard/")
    assert "Ma Boutique" in seen(client.get(answer["Location"]))


def test_a_wrong_password_is_refused_in_french(cast: Cast, client: Client) -> None:
    answer = client.post("/connexion/", {"username": "alice", "password": "autre"})
    assert "nom d’utilisateur et un mot de passe valides" in seen(answer)
    assert client.get("/commercant/dashboard/").status_code == 302


def test_nobody_is_sent_to_another_site_after_signing_in(cast: Cast, client: Client) -> None:
    fields = {"username": "alice", "password": PASSWORD, "next": "https://example.org/"}
    assert client.post("/connexion/", fields)["Location"] == "/commercant/dashboard/"


def test_signing_out_requires_a_post(alice: Client) -> None:
    assert alice.get("/deconnexion/").status_code == 405
    assert alice.get("/commercant/dashboard/").status_code == 200
    assert alice.post("/deconnexion/")["Location"] == "/connexion/"
    assert alice.get("/commercant/dashboard/").status_code == 302


def test_a_form_of_another_site_is_refused(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice)
    answer = client.post("/deconnexion/")
    assert answer.status_code == 403
    assert "Formulaire périmé" in answer.content.decode()


@pytest.mark.parametrize("name", SHOP_PAGES)
def test_a_person_without_a_shop_sees_a_message(name: str, cast: Cast, client: Client) -> None:
    client.force_login(make_user("david"))
    assert "n'est rattaché à aucune boutique" in seen(client.get(reverse(f"web:{name}")))


def test_a_sale_and_a_batch_of_another_shop_do_not_exist(cast: Cast, alice: Client, charlie: Client) -> None:
    batch = post(cast.device, sale(cast.rice))
    pages = [reverse("web:sale", args=[recorded(batch).pk]), reverse("web:batch", args=[batch.receipt])]
    for page in pages:
        assert alice.get(page).status_code == 200
        assert charlie.get(page).status_code == 404
        assert charlie.get(page, {"boutique": cast.shop.code}).status_code == 404


@pytest.mark.parametrize("sale_id", [0, 10**30])
def test_a_sale_that_is_not_there_is_a_404_in_french(sale_id: int, alice: Client) -> None:
    answer = alice.get(f"/commercant/ventes/{sale_id}/")
    assert answer.status_code == 404
    assert "Page introuvable" in answer.content.decode()


def test_a_receipt_that_is_not_there_is_a_404(alice: Client) -> None:
    assert alice.get(reverse("web:batch", args=[uuid.uuid4()])).status_code == 404


@pytest.mark.parametrize("name", SHOP_PAGES)
def test_another_shop_cannot_be_chosen(name: str, cast: Cast, alice: Client, charlie: Client) -> None:
    page = reverse(f"web:{name}")
    assert alice.get(page, {"boutique": "BTQ-009"}).status_code == 200
    assert charlie.get(page, {"boutique": "BTQ-009"}).status_code == 404
    assert charlie.get(page, {"boutique": "BTQ-000"}).status_code == 404
    assert "Autre Boutique" in seen(charlie.get(page))


@pytest.mark.parametrize("name", SHOP_PAGES)
def test_the_pages_of_one_shop_show_nothing_of_another(name: str, cast: Cast, charlie: Client) -> None:
    post(cast.device, sale(cast.rice, numero_facture="SECRET-1"))
    post(cast.device, sale(cast.rice, numero_facture="SECRET-2", quantity=999))
    words = seen(charlie.get(reverse(f"web:{name}")))
    for secret in ("SECRET", "Terminal MAUI", "Ma Boutique", "25 000"):
        assert secret not in words


def test_a_till_of_another_shop_is_not_offered(cast: Cast, alice: Client) -> None:
    post(cast.device, sale(cast.rice, numero_facture="FAC-A"))
    assert "FAC-A" in seen(alice.get("/commercant/ventes/", {"caisse": cast.terminal.pk}))
    answer = alice.get("/commercant/ventes/", {"caisse": cast.other_terminal.pk})
    assert "Sélectionnez un choix valide" in seen(answer)
    assert "FAC-A" not in seen(answer)


class TestTwoShops:
    """Dora belongs to both shops."""

    @pytest.fixture
    def dora(self, cast: Cast) -> Client:
        client = Client()
        client.force_login(make_user("dora", cast.shop, cast.other_shop))
        return client

    def test_the_choice_is_remembered(self, cast: Cast, dora: Client) -> None:
        assert "Changer" not in seen(dora.get("/commercant/ventes/"))
        dora.get("/commercant/dashboard/", {"boutique": "BTQ-009"})
        assert 'value="BTQ-009"' in dora.get("/commercant/ventes/").content.decode()
        dora.get("/commercant/dashboard/", {"boutique": "BTQ-777"})
        assert 'value="BTQ-777"' in dora.get("/commercant/ventes/").content.decode()

    def test_links_name_the_shop_so_that_two_tabs_do_not_mix(self, dora: Client) -> None:
        body = dora.get("/commercant/dashboard/", {"boutique": "BTQ-777"}).content.decode()
        assert "/commercant/ventes/?boutique=BTQ-777" in body

    def test_a_sale_of_the_persons_other_shop_redirects_there(self, cast: Cast, dora: Client) -> None:
        page = reverse("web:sale", args=[recorded(post(cast.device, sale(cast.rice))).pk])
        dora.get("/commercant/dashboard/", {"boutique": "BTQ-777"})
        answer = dora.get(page)
        assert answer["Location"] == f"{page}?boutique=BTQ-009"
        assert "Riz 25 kg" in seen(dora.get(answer["Location"]))

    def test_a_membership_that_ended_ends_at_once(self, cast: Cast, dora: Client) -> None:
        dora.get("/commercant/dashboard/", {"boutique": "BTQ-009"})
        Membership.objects.filter(user__username="dora", shop=cast.shop).delete()
        assert "Autre Boutique" in seen(dora.get("/commercant/dashboard/"))
        assert dora.get("/commercant/dashboard/", {"boutique": "BTQ-009"}).status_code == 404


def test_a_viewer_sees_the_same_pages(cast: Cast, client: Client) -> None:
    client.force_login(cast.victor)
    assert Membership.objects.get(user=cast.victor).role == Role.VIEWER
    for name in SHOP_PAGES:
        assert "Ma Boutique" in seen(client.get(reverse(f"web:{name}")))


@pytest.mark.parametrize("page", ["/", "/connexion/", "/docs/", "/docs/erreurs", "/commercant/dashboard/", "/rien"])
def test_a_page_runs_no_script_but_our_files_and_no_foreign_style(page: str, alice: Client) -> None:
    answer = alice.get(page)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    body = re.sub(r'<script src="/static/[a-z0-9_/.-]+" defer></script>', "", answer.content.decode())
    for forbidden in ("<script", "style=", "<style", "http://", "https://", "javascript:"):
        assert forbidden not in body


def test_a_page_of_a_shop_stays_in_no_cache(alice: Client) -> None:
    assert "no-store" in alice.get("/commercant/dashboard/")["Cache-Control"]


def test_the_style_sheet_and_the_page_are_light(cast: Cast, alice: Client) -> None:
    page = alice.get("/commercant/dashboard/").content
    sheet = alice.get("/static/web/style.css")
    assert len(page) + len(b"".join(sheet.streaming_content)) < 100 * 1024


def test_pages_are_french_whatever_the_browser_prefers(alice: Client) -> None:
    page = alice.get("/commercant/dashboard/", headers={"Accept-Language": "en-US"})
    assert '<html lang="fr">' in page.content.decode()


def test_an_english_page_declares_english(alice: Client) -> None:
    alice.cookies["django_language"] = "en"
    assert '<html lang="en">' in alice.get("/commercant/dashboard/").content.decode()
    alice.cookies["django_language"] = "xx"
    assert '<html lang="fr">' in alice.get("/commercant/dashboard/").content.decode()
