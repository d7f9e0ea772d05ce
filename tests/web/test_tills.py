"""The pages of a shop's tills and devices, and of enrolment codes."""

import html
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from backend.sales.repair.back_office import office_device
from backend.sales.tills.heartbeat import Held, ParsedHeartbeat, record_heartbeat
from backend.sales.tills.pauses import pause
from backend.shops.devices import accepts_token
from backend.shops.enrolment import Applicant, Enrolled, create_enrolment_code, enrol_device
from backend.shops.models import AuthMode, Device, DeviceState, EnrolmentCode, RefusedCall, Terminal, TerminalState
from backend.testing import Cast, make_terminal
from tests.shop_day import hand_over, post, sale
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

LIST = "/commercant/caisses/"
NEW = "/commercant/caisses/nouvelle/"
LIST_QUERIES_MAX = 20
TILL_QUERIES_MAX = 26


def page_of(terminal: Terminal) -> str:
    return reverse("web:till", args=[terminal.pk])


def ask_code(client: Client, terminal: Terminal, *, replaces: Device | None = None, **fields: str) -> HttpResponse:
    chosen = {"appareil": replaces.pk} if replaces else {}
    return client.post(reverse("web:enrolment_code", args=[terminal.pk]), {**chosen, **fields})


def shown_code(response: HttpResponse) -> str:
    return re.search(r'class="shown-code">([0-9A-Z]{4} [0-9A-Z]{4})<', response.content.decode())[1]


def enrol(code: str, serial: str) -> Enrolled:
    return enrol_device(code=code, applicant=Applicant(serial))


def set_till(client: Client, terminal: Terminal, state: str) -> HttpResponse:
    return client.post(reverse("web:till_state", args=[terminal.pk]), {"etat": state})


def set_device(client: Client, device: Device, state: str, *, terminal: Terminal | None = None) -> HttpResponse:
    path = reverse("web:device_state", args=[(terminal or device.terminal).pk, device.pk])
    return client.post(path, {"etat": state})


@pytest.fixture
def free(cast: Cast) -> Terminal:
    """A till of Alice's that no device holds."""
    return make_terminal(cast.shop, name="Caisse libre")


@pytest.fixture
def bob(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.bob)
    return client


@pytest.fixture
def victor(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.victor)
    return client


# What is known of the tills


def test_each_till_says_how_it_stands(
    cast: Cast, free: Terminal, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    now = datetime.now(UTC)
    post(cast.device, sale(cast.rice, sequence=10), sale(cast.rice, sequence=14), sale(cast.rice, quantity=999))
    held = Held(12, {"CDF": Decimal(184000)}, None)
    record_heartbeat(device=cast.device, heartbeat=ParsedHeartbeat(now + timedelta(minutes=12), held, None), now=now)
    Device.objects.filter(pk=cast.device.pk).update(last_seen_at=now)
    hand_over(cast.token_device, sale(cast.rice), sale(cast.rice))
    with django_assert_max_num_queries(LIST_QUERIES_MAX):
        words = seen(alice.get(LIST))
    first = words[words.index("Terminal MAUI") :]
    for expected in (
        f"Appareil {cast.device.serial}",
        "Vue aujourd'hui",
        "Dernier envoi aujourd'hui",
        "Garde encore 12 ventes (184 000 FC) dit aujourd'hui",
        "Horloge avance de 12 min",
        "Il manque les ventes n° 11 à 13",
        "À corriger 1 vente",
        "Sans jeton",
    ):
        assert expected in first
    assert "2 ventes reçues, pas encore enregistrées" in words
    assert "Caisse libre Sans appareil" in words


def test_a_till_without_a_report_is_not_shown_as_holding_nothing(cast: Cast, alice: Client) -> None:
    assert "Garde encore ne le dit pas" in seen(alice.get(page_of(cast.terminal)))
    record_heartbeat(
        device=cast.device, heartbeat=ParsedHeartbeat(None, Held(0, {}, None), None), now=datetime.now(UTC)
    )
    assert "Garde encore rien dit aujourd'hui" in seen(alice.get(page_of(cast.terminal)))


def test_the_page_of_a_till_shows_its_devices_and_what_was_refused_them(
    cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    now = datetime.now(UTC)
    refused_call = {
        "call": "POST ventes/sync",
        "code": "jeton_invalide",
        "status": 401,
        "first_at": now,
        "last_at": now,
    }
    RefusedCall.objects.create(serial=cast.device.serial, detail="Jeton invalide", count=17, **refused_call)
    RefusedCall.objects.create(serial=cast.other_device.serial, detail="Celui d'un autre", **refused_call)
    with django_assert_max_num_queries(TILL_QUERIES_MAX):
        words = seen(alice.get(page_of(cast.terminal)))
    assert f"{cast.device.serial} Tient la caisse" in words
    assert "Jeton invalide jeton_invalide (401) 17" in words
    assert "Celui d'un autre" not in words


def test_a_device_known_by_its_serial_alone_says_so_until_it_has_used_a_token(cast: Cast, alice: Client) -> None:
    words = seen(alice.get(page_of(cast.terminal)))
    assert "Reconnu à son seul numéro de série." in words
    assert "Donner un jeton à cet appareil" in words
    code = shown_code(ask_code(alice, cast.terminal, replaces=cast.device, meme="on"))
    token = enrol(code, cast.device.serial).token
    assert "il ne s'en est pas encore servi" in seen(alice.get(page_of(cast.terminal)))
    assert accepts_token(Device.objects.get(pk=cast.device.pk), token)
    words = seen(alice.get(page_of(cast.terminal)))
    assert "Reconnu à son seul numéro" not in words
    assert "Reconnu par jeton" in words
    assert Device.objects.get(pk=cast.device.pk).state == DeviceState.ACTIVE


def test_a_pause_is_shown_where_it_applies(cast: Cast, alice: Client) -> None:
    pause(terminal=cast.terminal, reason="inventaire")
    assert "En pause depuis aujourd'hui" in seen(alice.get(page_of(cast.terminal)))
    assert "inventaire" not in seen(alice.get(page_of(cast.token_device.terminal)))
    pause(shop=cast.shop, reason="travaux")
    assert "L'enregistrement des ventes est en pause depuis" in seen(alice.get(LIST))


def test_a_shop_without_tills_says_what_to_do(cast: Cast, alice: Client, victor: Client) -> None:
    Terminal.objects.filter(shop=cast.shop).update(shop=cast.other_shop)
    assert "Ajoutez-en une, puis faites un code" in seen(alice.get(LIST))
    assert "Demandez au gérant ou au propriétaire" in seen(victor.get(LIST))


def test_the_office_is_shown_apart_and_has_no_hardware(cast: Cast, alice: Client) -> None:
    office = office_device(cast.shop)
    body = alice.get(LIST).content.decode()
    assert body.index('id="office"') > body.index("Terminal MAUI")
    assert office.serial not in body
    page = alice.get(page_of(office.terminal))
    assert "il n'y a rien à inscrire ni à désactiver" in seen(page)
    assert office.serial not in page.content.decode()
    for answer in (
        ask_code(alice, office.terminal),
        ask_code(alice, office.terminal, replaces=office),
        set_till(alice, office.terminal, "disabled"),
        set_device(alice, office, "disabled"),
        alice.post(reverse("web:device_token", args=[office.terminal_id, office.pk])),
    ):
        assert answer.status_code == 302
    page = seen(alice.get(page_of(office.terminal)))
    assert page.count("Le bureau de la boutique n'est tenu par aucun appareil.") + page.count("plus de cette") == 5
    office.refresh_from_db()
    assert (office.state, office.terminal.state, office.next_token_hash) == ("active", "active", "")
    assert not EnrolmentCode.objects.exists()


# A code, shown once


def test_a_code_made_on_the_page_enrols_a_device(cast: Cast, free: Terminal, bob: Client) -> None:
    page = ask_code(bob, free)
    words = seen(page)
    code = shown_code(page)
    assert "Il sert une seule fois et vaut jusqu'à aujourd'hui" in words or "vaut jusqu'à" in words
    assert "http://127.0.0.1:8000" in words
    device = enrol(code, "serie-neuve").device
    assert device.terminal == free
    assert EnrolmentCode.objects.get().created_by == cast.bob
    words = seen(bob.get(page_of(free)))
    assert "serie-neuve Tient la caisse" in words


def test_a_code_is_in_no_cache_no_address_and_not_shown_again(free: Terminal, alice: Client) -> None:
    page = ask_code(alice, free)
    code = shown_code(page)
    assert "no-store" in page.headers["Cache-Control"]
    assert "Location" not in page.headers
    again = alice.get(reverse("web:enrolment_code", args=[free.pk]))
    assert (again.status_code, again.headers["Location"]) == (302, page_of(free))
    assert EnrolmentCode.objects.count() == 1
    words = seen(alice.get(page_of(free)))
    assert code not in words
    assert code.replace(" ", "") not in words
    assert "Un code fait pour cette caisse attend encore un appareil" in words
    assert all(code not in str(value) for value in alice.session.values())


def test_the_qr_code_contains_the_code_and_no_style(free: Terminal, alice: Client) -> None:
    body = ask_code(alice, free).content.decode()
    svg = re.search(r"<svg.*?</svg>", body, flags=re.DOTALL)[0]
    assert "style" not in svg
    assert 'fill="#fff"' in svg
    assert "viewBox" in svg


def test_a_second_click_shows_the_valid_code(free: Terminal, alice: Client) -> None:
    first, second = shown_code(ask_code(alice, free)), shown_code(ask_code(alice, free))
    with pytest.raises(Exception, match="n'est plus valable"):
        enrol(first, "serie-neuve")
    assert enrol(second, "serie-neuve").device.terminal == free


def test_a_device_is_replaced_by_a_code_that_names_it(cast: Cast, alice: Client) -> None:
    page = ask_code(alice, cast.terminal, replaces=cast.device)
    assert "laissez-le d'abord envoyer toutes ses ventes" in seen(page)
    enrol(shown_code(page), "serie-neuve")
    words = seen(alice.get(page_of(cast.terminal)))
    assert words.index("serie-neuve Tient la caisse") < words.index(f"{cast.device.serial} Remplacé")


def test_a_till_that_is_held_gives_no_code_without_a_device_to_replace(cast: Cast, alice: Client) -> None:
    assert ask_code(alice, cast.terminal).status_code == 302
    assert "Un appareil tient déjà cette caisse" in seen(alice.get(page_of(cast.terminal)))
    assert not EnrolmentCode.objects.exists()


def test_a_disabled_till_gives_no_code(free: Terminal, alice: Client) -> None:
    set_till(alice, free, "disabled")
    assert ask_code(alice, free).status_code == 302
    assert "réactivez-la avant d'y inscrire un appareil" in seen(alice.get(page_of(free)))
    assert not EnrolmentCode.objects.exists()
    set_till(alice, free, "active")
    assert ask_code(alice, free).status_code == 200


def test_a_token_is_shown_once_and_works(cast: Cast, alice: Client) -> None:
    path = reverse("web:device_token", args=[cast.terminal.pk, cast.device.pk])
    page = alice.post(path)
    token = html.unescape(re.search(r'class="shown-token">([^<]+)<', page.content.decode())[1])
    assert "no-store" in page.headers["Cache-Control"]
    assert alice.get(path).status_code == 302
    assert token not in alice.get(page_of(cast.terminal)).content.decode()
    assert accepts_token(Device.objects.get(pk=cast.device.pk), token)
    assert Device.objects.get(pk=cast.device.pk).auth_mode == AuthMode.TOKEN


# Tills and devices, on and off


def test_a_till_is_added_and_asks_for_its_device(cast: Cast, bob: Client) -> None:
    words = seen(bob.post(NEW, {"nom": " Comptoir "}, follow=True))
    assert "Caisse ajoutée." in words
    assert "Faire un code d'inscription" in words
    assert Terminal.objects.get(name="Comptoir").shop == cast.shop


def test_the_form_sent_twice_adds_one_till(cast: Cast, alice: Client) -> None:
    alice.post(NEW, {"nom": "Comptoir"})
    words = seen(alice.post(NEW, {"nom": "comptoir"}, follow=True))
    assert "porte déjà ce nom : la voici." in words
    assert Terminal.objects.filter(name__iexact="comptoir").count() == 1


def test_two_shops_may_each_have_a_till_of_one_name(cast: Cast, alice: Client, charlie: Client) -> None:
    alice.post(NEW, {"nom": "Comptoir"})
    assert "Caisse ajoutée." in seen(charlie.post(NEW, {"nom": "Comptoir"}, follow=True))


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_a_till_without_a_name_is_not_added(name: str, cast: Cast, alice: Client) -> None:
    count = Terminal.objects.count()
    page = alice.post(NEW, {"nom": name})
    assert "errorlist" in page.content.decode()
    assert Terminal.objects.count() == count


def test_a_till_is_disabled_and_enabled_again(cast: Cast, bob: Client) -> None:
    set_till(bob, cast.terminal, "disabled")
    set_till(bob, cast.terminal, "disabled")
    words = seen(bob.get(page_of(cast.terminal)))
    assert "Caisse désactivée : ses envois sont refusés à partir de maintenant." in words
    assert "Donner un jeton" not in words
    assert Terminal.objects.get(pk=cast.terminal.pk).state == TerminalState.DISABLED
    set_till(bob, cast.terminal, "active")
    assert "Caisse réactivée" in seen(bob.get(page_of(cast.terminal)))
    assert Terminal.objects.get(pk=cast.terminal.pk).state == TerminalState.ACTIVE


def test_a_device_is_disabled_and_enabled_again(cast: Cast, bob: Client) -> None:
    set_device(bob, cast.device, "disabled")
    words = seen(bob.get(page_of(cast.terminal)))
    assert "Appareil désactivé : ses envois sont refusés" in words
    assert "Aucun appareil ne tient cette caisse." in words
    set_device(bob, cast.device, "active")
    assert "Appareil réactivé : il peut de nouveau envoyer" in seen(bob.get(page_of(cast.terminal)))
    assert Device.objects.get(pk=cast.device.pk).state == DeviceState.ACTIVE


def test_a_device_whose_till_another_took_comes_back_as_replaced(cast: Cast, alice: Client) -> None:
    code = create_enrolment_code(terminal=cast.terminal, replaces=cast.device)
    enrol(code.text, "serie-neuve")
    set_device(alice, cast.device, "disabled")
    set_device(alice, cast.device, "active")
    assert "il reste un appareil remplacé" in seen(alice.get(page_of(cast.terminal)))
    assert Device.objects.get(pk=cast.device.pk).state == DeviceState.REPLACED


@pytest.mark.parametrize("state", ["", "replaced", "x"])
def test_an_invalid_state_is_refused(state: str, cast: Cast, alice: Client) -> None:
    assert set_device(alice, cast.device, state).status_code == 404
    assert set_till(alice, cast.terminal, state).status_code == 404
    assert Device.objects.get(pk=cast.device.pk).state == DeviceState.ACTIVE


def test_a_get_of_an_action_changes_nothing(cast: Cast, alice: Client) -> None:
    before = list(Device.objects.values_list("pk", "state", "next_token_hash"))
    for name, arguments in (
        ("enrolment_code", [cast.terminal.pk]),
        ("till_state", [cast.terminal.pk]),
        ("device_state", [cast.terminal.pk, cast.device.pk]),
        ("device_token", [cast.terminal.pk, cast.device.pk]),
    ):
        answer = alice.get(reverse(f"web:{name}", args=arguments), {"etat": "disabled"})
        assert (answer.status_code, answer.headers["Location"]) == (302, page_of(cast.terminal))
    assert list(Device.objects.values_list("pk", "state", "next_token_hash")) == before
    assert Terminal.objects.get(pk=cast.terminal.pk).state == TerminalState.ACTIVE
    assert not EnrolmentCode.objects.exists()


# Who may


def actions(cast: Cast) -> list[tuple[str, dict[str, object]]]:
    till, device = cast.terminal.pk, cast.device.pk
    return [
        (NEW, {"nom": "Comptoir"}),
        (reverse("web:enrolment_code", args=[till]), {"appareil": device}),
        (reverse("web:till_state", args=[till]), {"etat": "disabled"}),
        (reverse("web:device_state", args=[till, device]), {"etat": "disabled"}),
        (reverse("web:device_token", args=[till, device]), {}),
    ]


def test_a_viewer_sees_tills_and_changes_nothing(cast: Cast, victor: Client) -> None:
    words = seen(victor.get(page_of(cast.terminal)))
    for button in ("Remplacer", "Désactiver", "Donner un jeton", "Faire un jeton"):
        assert button not in words
    assert "Ajouter une caisse" not in seen(victor.get(LIST))
    for path, fields in actions(cast):
        assert victor.post(path, fields).status_code == 403
    assert Device.objects.get(pk=cast.device.pk).state == DeviceState.ACTIVE
    assert not EnrolmentCode.objects.exists()


def test_another_shops_till_is_not_found(cast: Cast, charlie: Client) -> None:
    assert "Terminal MAUI" not in seen(charlie.get(LIST))
    assert charlie.get(page_of(cast.terminal)).status_code == 404
    for path, fields in actions(cast)[1:]:
        assert charlie.post(path, fields).status_code == 404
    assert charlie.get(page_of(Terminal(pk=999999))).status_code == 404
    assert Terminal.objects.get(pk=cast.terminal.pk).state == TerminalState.ACTIVE


def test_another_tills_device_is_not_found(cast: Cast, free: Terminal, alice: Client) -> None:
    assert set_device(alice, cast.token_device, "disabled", terminal=cast.terminal).status_code == 404
    assert ask_code(alice, free, replaces=cast.device).status_code == 404
    assert ask_code(alice, free, appareil="x").status_code == 404
    assert ask_code(alice, cast.terminal, replaces=cast.other_device).status_code == 404
    assert alice.post(reverse("web:device_token", args=[free.pk, cast.device.pk])).status_code == 404
    assert not EnrolmentCode.objects.exists()
