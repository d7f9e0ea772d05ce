"""Signing in, the password, the language."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from backend.shops.models import SignInFailure
from backend.shops.sign_in import FAILURES_KEPT, FAILURES_OF_NAME_HERE_MAX
from backend.testing import PASSWORD, Cast
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded
NEW_PASSWORD = "un-autre-mot-de-passe-2024"


def sign_in(client: Client, password: str = PASSWORD, name: str = "alice", **headers: str) -> int:
    """Return 302 after a successful sign-in, 200 if the form is shown again."""
    return client.post("/connexion/", {"username": name, "password": password}, **headers).status_code


def test_after_many_wrong_passwords_even_the_right_one_is_refused(cast: Cast) -> None:
    client = Client()
    for _ in range(FAILURES_OF_NAME_HERE_MAX):
        assert sign_in(client, "faux") == 200
    answer = client.post("/connexion/", {"username": "alice", "password": PASSWORD})
    assert "Attendez un quart d'heure" in seen(answer)
    assert sign_in(client, name="bob") == 302


def test_a_stranger_at_another_address_does_not_lock_the_owner_out(cast: Cast) -> None:
    for _ in range(FAILURES_OF_NAME_HERE_MAX):
        sign_in(Client(REMOTE_ADDR="203.0.113.9"), "faux")
    assert sign_in(Client(REMOTE_ADDR="203.0.113.9")) == 200
    assert sign_in(Client(REMOTE_ADDR="198.51.100.7")) == 302


def test_after_a_quarter_of_an_hour_the_password_is_accepted_again(cast: Cast) -> None:
    for _ in range(FAILURES_OF_NAME_HERE_MAX):
        sign_in(Client(), "faux")
    SignInFailure.objects.update(at=timezone.now() - FAILURES_KEPT - timedelta(seconds=1))
    assert sign_in(Client()) == 302


def test_a_successful_sign_in_resets_the_count(cast: Cast) -> None:
    for _ in range(FAILURES_OF_NAME_HERE_MAX - 1):
        sign_in(Client(), "faux")
    assert sign_in(Client()) == 302
    assert not SignInFailure.objects.exists()


def test_a_new_password_ends_the_other_sessions(cast: Cast) -> None:
    here, elsewhere = Client(), Client()
    assert (sign_in(here), sign_in(elsewhere)) == (302, 302)
    fields = {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    answer = here.post("/compte/mot-de-passe/", fields, follow=True)
    assert "Votre mot de passe est changé" in seen(answer)
    assert here.get("/commercant/dashboard/").status_code == 200
    assert elsewhere.get("/commercant/dashboard/").status_code == 302
    assert (sign_in(Client()), sign_in(Client(), NEW_PASSWORD)) == (200, 302)


def test_a_common_password_is_refused(alice: Client) -> None:
    fields = {"old_password": PASSWORD, "new_password1": "password123", "new_password2": "password123"}
    assert "trop courant" in seen(alice.post("/compte/mot-de-passe/", fields))


def test_a_forgotten_password_is_set_by_a_link_good_once(cast: Cast) -> None:
    cast.alice.email = "alice@example.org"
    cast.alice.save(update_fields=["email"])
    client = Client()
    assert client.post("/mot-de-passe/oublie/", {"email": "alice@example.org"})["Location"] == "/mot-de-passe/envoye/"
    link = re.search(r"http://testserver(/\S+)", mail.outbox[0].body)[1]
    form = client.get(link, follow=True)
    fields = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    answer = client.post(form.redirect_chain[-1][0], fields, follow=True)
    assert "Le mot de passe est enregistré" in seen(answer)
    assert sign_in(Client(), NEW_PASSWORD) == 302
    assert "a déjà servi" in seen(Client().get(link, follow=True))


def test_an_unknown_address_gets_the_same_answer(cast: Cast) -> None:
    answer = Client().post("/mot-de-passe/oublie/", {"email": "personne@example.org"}, follow=True)
    assert "Lien envoyé" in seen(answer)
    assert mail.outbox == []


def test_a_person_chooses_english_and_comes_back_to_the_page(alice: Client) -> None:
    answer = alice.post("/langue/", {"language": "en", "next": "/commercant/ventes/"})
    assert answer["Location"] == "/commercant/ventes/"
    assert '<html lang="en">' in alice.get("/commercant/ventes/").content.decode()
    assert alice.post("/langue/", {"language": "en", "next": "https://example.org/"})["Location"] == "/"


def test_an_account_without_a_shop_sees_its_account(cast: Cast, client: Client) -> None:
    assert client.get("/compte/").status_code == 302
    client.force_login(cast.victor)
    assert "victor" in seen(client.get("/compte/"))
