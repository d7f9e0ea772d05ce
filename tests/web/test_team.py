"""A shop's team: every member sees it, owners change it, and it always has an owner."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from backend.shops.models import Membership, Role
from backend.testing import Cast, make_user
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded
NEW = {"nom_utilisateur": "emile", "nom": "Émile Kabongo", "role": "manager"}


def member(cast: Cast, name: str) -> Membership:
    return Membership.objects.get(shop=cast.shop, user__username=name)


def page(name: str, *arguments: object) -> str:
    return reverse(f"web:{name}", args=arguments)


@pytest.fixture
def bob(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.bob)
    return client


def test_everybody_sees_the_team_and_only_owners_can_change_it(cast: Cast, alice: Client, bob: Client) -> None:
    assert "Ajouter une personne" in seen(alice.get(page("team")))
    words = seen(bob.get(page("team")))
    assert "victor" in words
    assert "Ajouter une personne" not in words
    assert bob.post(page("add_member"), NEW).status_code == 403
    assert bob.post(page("change_member", member(cast, "alice").pk), {"retirer": "1"}).status_code == 403
    assert bob.post(page("password_link", member(cast, "alice").pk)).status_code == 403
    assert Membership.objects.filter(shop=cast.shop).count() == 3


def test_a_new_member_sets_a_password_by_a_link_and_signs_in(cast: Cast, alice: Client) -> None:
    words = seen(alice.post(page("add_member"), NEW))
    link = re.search(r"http://testserver(/mot-de-passe/\S+)", words)[1]
    client = Client()
    form = client.get(link, follow=True)
    fields = {"new_password1": "un-autre-mot-2024", "new_password2": "un-autre-mot-2024"}
    client.post(form.redirect_chain[-1][0], fields)
    client.post("/connexion/", {"username": "emile", "password": "un-autre-mot-2024"})
    assert "Ma Boutique" in seen(client.get("/commercant/dashboard/"))
    assert member(cast, "emile").role == Role.MANAGER


def test_a_name_that_is_taken_is_refused(cast: Cast, alice: Client) -> None:
    assert "déjà pris" in seen(alice.post(page("add_member"), NEW | {"nom_utilisateur": "charlie"}))
    assert not Membership.objects.filter(shop=cast.shop, user=cast.charlie).exists()


def test_a_person_with_an_account_is_added_by_name(cast: Cast, alice: Client) -> None:
    known = NEW | {"nom_utilisateur": "charlie", "existe": "on"}
    assert "charlie fait partie" in seen(alice.post(page("add_member"), known, follow=True))
    assert "déjà partie" in seen(alice.post(page("add_member"), known))
    assert "Personne n'a de compte" in seen(alice.post(page("add_member"), known | {"nom_utilisateur": "zoe"}))


def test_an_owner_cannot_set_the_password_of_another_shops_member(cast: Cast, alice: Client) -> None:
    alice.post(page("add_member"), NEW | {"nom_utilisateur": "charlie", "existe": "on"})
    answer = alice.post(page("password_link", member(cast, "charlie").pk), follow=True)
    assert "travaille aussi pour une autre boutique" in seen(answer)
    assert "Un lien pour bob" in seen(alice.post(page("password_link", member(cast, "bob").pk)))


def test_an_owner_cannot_set_the_password_of_staff(cast: Cast, alice: Client) -> None:
    get_user_model().objects.filter(username="bob").update(is_staff=True)
    assert "elle seule" in seen(alice.post(page("password_link", member(cast, "bob").pk), follow=True))


def test_a_role_is_changed_and_a_membership_ended(cast: Cast, alice: Client, bob: Client) -> None:
    alice.post(page("change_member", member(cast, "bob").pk), {"role": "viewer"})
    assert member(cast, "bob").role == Role.VIEWER
    alice.post(page("change_member", member(cast, "bob").pk), {"retirer": "1"})
    assert "n'est rattaché à aucune boutique" in seen(bob.get("/commercant/dashboard/"))
    alice.post(page("change_member", member(cast, "victor").pk), {"role": "roi"})
    assert member(cast, "victor").role == Role.VIEWER


@pytest.mark.parametrize("change", [{"retirer": "1"}, {"role": "manager"}])
def test_the_last_owner_stays(change: dict[str, str], cast: Cast, alice: Client) -> None:
    answer = alice.post(page("change_member", member(cast, "alice").pk), change, follow=True)
    assert "garde au moins un propriétaire" in seen(answer)
    make_user("dora", cast.shop)
    alice.post(page("change_member", member(cast, "alice").pk), change)
    assert not Membership.objects.filter(shop=cast.shop, user=cast.alice, role=Role.OWNER).exists()


def test_a_member_of_another_shop_does_not_exist(cast: Cast, alice: Client) -> None:
    foreign = Membership.objects.get(user=cast.charlie)
    assert alice.post(page("change_member", foreign.pk), {"retirer": "1"}).status_code == 404
    assert alice.post(page("password_link", foreign.pk)).status_code == 404
    assert Membership.objects.filter(pk=foreign.pk).exists()
