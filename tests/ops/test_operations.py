"""The operations page: what it shows, and that each button does what it says, once, and reports the result."""

import html
import json
import re
import shlex
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings
from structlog.testing import capture_logs

from backend.demo.loader import OPERATOR, load_demo
from backend.ops.models import DoctorRun, SweepTurn
from backend.ops.pages import backlog, operations
from backend.sales import dispatch
from backend.sales.models import Batch, Lane, OutcomeHistory, OutcomeStatus, Pause, Sale, SaleOutcome
from backend.sales.posting import decision
from backend.sales.posting.crash_guard import STARTS_MAX
from backend.sales.posting.sweep import sweep_once
from backend.shops.devices import disable_device
from backend.shops.models import RefusedCall
from backend.shops.terminals import disable_till
from backend.testing import PASSWORD, Cast, make_device, make_terminal, make_user
from tests.shop_day import hand_over, post, sale
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

QUERIES_MAX = 22


@pytest.fixture
def cast(standing_cast: Cast, settings: Settings) -> Cast:
    # Only the database is asked, unless a test says otherwise.
    settings.BROKER_URL = ""
    return standing_cast


@pytest.fixture
def oscar(cast: Cast) -> Client:
    """Oscar looks after the installation, and belongs to no shop."""
    user = make_user("oscar")
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, name: str, query: str = "", **parts: object) -> str:
    answer = client.get(reverse(f"operations:{name}", kwargs=parts) + query)
    assert answer.status_code == 200
    return seen(answer)


def act(client: Client, name: str, form: dict[str, str] | None = None, **parts: object) -> str:
    """Send the form and return the text of the next page, or of the same page with the form's errors."""
    answer = client.post(reverse(f"operations:{name}", kwargs=parts), form or {}, follow=True)
    if answer.status_code == 400:
        answer.status_code = 200
    return seen(answer)


def make_late(batch: Batch, *, by: timedelta = timedelta(hours=1)) -> Batch:
    then = datetime.now(UTC) - by
    Batch.objects.filter(pk=batch.pk).update(received_at=then, moved_at=then)
    return batch


@pytest.fixture
def failed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sales of Alice's shop that failed because of a bug, which is fixed by now."""

    def break_down(*_arguments: object, **_options: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(decision, "record", break_down)
        post(cast.device, sale(cast.rice, numero_facture="F-1"), sale(cast.rice, numero_facture="F-2"))
    assert set(SaleOutcome.objects.values_list("status", flat=True)) == {OutcomeStatus.FAILED}


def test_at_a_glance_one_sees_what_waits_who_works_and_what_the_doctor_found(cast: Cast, oscar: Client) -> None:
    quiet = page(oscar, "overview")
    assert "Rien n’attend" in quiet
    assert "Sans courtier" in quiet
    assert "Aucune ronde (manage.py sweep) n’a encore fait de tour." in quiet
    assert "Jamais passé" in quiet
    make_late(hand_over(cast.device, sale(cast.rice), sale(cast.rice)))
    SweepTurn.objects.create(sweep="machine-a:71", at=datetime.now(UTC) - timedelta(minutes=5))
    check = {"name": "own", "promise": "P5", "title": "Le stock", "finding_count": 2, "note_count": 0,
             "repaired_count": 0, "sentences": ["Il manque 3 sacs."]}  # fmt: skip
    DoctorRun.objects.create(at=datetime.now(UTC) - timedelta(hours=3), duration_s=4, finding_count=2, checks=[check])
    busy = page(oscar, "overview")
    for words in ("Des ventes attendent trop longtemps.", "il y a 60 min", "machine-a:71 il y a 5 min", "À l’arrêt",
                  "2 constats", "Terminal MAUI BTQ-009", "à la vente 1 sur 2"):  # fmt: skip
        assert words in busy, words
    assert "Il manque 3 sacs." in page(oscar, "doctor")
    SweepTurn.objects.update(at=datetime.now(UTC))
    assert "En marche" in page(oscar, "overview")


def test_what_is_paused_is_counted_apart_and_is_no_alarm(cast: Cast, oscar: Client) -> None:
    make_late(hand_over(cast.device, sale(cast.rice)))
    Pause.objects.create(scope=f"shop:{cast.shop.pk}", shop=cast.shop, reason="inventaire")
    words = page(oscar, "overview")
    assert "+ 1 en pause" in words
    assert "trop longtemps" not in words
    assert "boutique en pause : inventaire" in words


def test_why_a_till_stands_still_is_said(cast: Cast, oscar: Client) -> None:
    batch = make_late(hand_over(cast.device, sale(cast.rice)))
    terminal = cast.device.terminal

    def why() -> str:
        return page(oscar, "till", terminal_id=terminal.pk)

    assert "aucune ronde n’a sonné pour elle" in why()
    Lane.objects.filter(pk=terminal.pk).update(rung_at=datetime.now(UTC) - timedelta(minutes=4))
    assert "sonnée il y a 4 min, et plus depuis" in why()
    Lane.objects.filter(pk=terminal.pk).update(starts=3, starts_batch=batch.pk, starts_position=1)
    assert "la vente 1 a interrompu 3 fois qui voulait l’enregistrer" in why()
    disable_till(terminal)
    assert "ce qu’elle a remis avant est enregistré quand même" in why()


def test_the_backlog_is_told_by_shop_and_by_till_a_page_at_a_time(
    cast: Cast, oscar: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "PAGE_TILLS_MAX", 2)
    for minutes, device in enumerate((cast.other_device, cast.device, cast.complete_device), start=1):
        article = cast.other_article if device is cast.other_device else cast.rice
        make_late(hand_over(device, sale(article)), by=timedelta(minutes=10 * minutes))
    words = page(oscar, "tills")
    assert words.index("Ma Boutique") < words.index("Autre Boutique")
    rows = re.findall(r"à la vente", words)
    assert len(rows) == 2
    assert page(oscar, "tills", "?page=2").count("à la vente") == 1
    own = page(oscar, "tills", "?boutique=BTQ-777")
    assert ("Autre Boutique" in own, "Terminal MAUI" in own) == (True, False)
    assert oscar.get(reverse("operations:tills") + "?boutique=BTQ-000").status_code == 404


def test_flower_is_linked_by_receipt_where_the_settings_say_where_it_is(
    cast: Cast, oscar: Client, settings: Settings
) -> None:
    batch = hand_over(cast.device, sale(cast.rice))
    address = reverse("operations:till", args=[cast.device.terminal_id])
    assert "Flower" not in oscar.get(address).content.decode()
    settings.FLOWER_URL = "https://caisses.example/flower"
    source = oscar.get(address).content.decode()
    assert f"https://caisses.example/flower/tasks?name={dispatch.TASK}%20kwargs%3A{batch.receipt}" in source


def test_post_now_records_what_waits_with_nobody_else_at_work(cast: Cast, oscar: Client) -> None:
    hand_over(cast.device, sale(cast.rice), sale(cast.rice))
    with capture_logs() as logs:
        words = act(oscar, "post_till", terminal_id=cast.device.terminal_id)
    assert "2 ventes ont reçu leur sort. Plus rien n’attend à cette caisse." in words
    assert Sale.objects.count() == 2
    (logged,) = [entry for entry in logs if entry["event"] == "operator_posted"]
    assert (logged["by"], logged["terminal"], logged["posted"]) == ("oscar", cast.device.terminal_id, 2)
    assert "Rien n’attend à cette caisse." in act(oscar, "post_till", terminal_id=cast.device.terminal_id)
    assert Sale.objects.count() == 2


def test_post_now_is_bounded_and_says_that_more_is_left(
    cast: Cast, oscar: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "SLICE_S", 0)
    monkeypatch.setattr(operations, "POST_S_MAX", 0.000001)
    hand_over(cast.device, sale(cast.rice), sale(cast.rice), sale(cast.rice))
    words = act(oscar, "post_till", terminal_id=cast.device.terminal_id)
    assert Sale.objects.count() < 3
    assert "Il en reste" in words


def test_post_now_respects_a_pause_and_leaves_a_sale_that_kills_to_the_workers(cast: Cast, oscar: Client) -> None:
    batch = hand_over(cast.device, sale(cast.rice))
    terminal_id = cast.device.terminal_id
    paused = Pause.objects.create(scope="all", reason="nuit")
    assert "levez la pause d’abord" in act(oscar, "post_till", terminal_id=terminal_id)
    paused.delete()
    Lane.objects.filter(pk=terminal_id).update(starts=STARTS_MAX, starts_batch=batch.pk, starts_position=1)
    assert "laissée aux ouvriers et aux rondes" in act(oscar, "post_till", terminal_id=terminal_id)
    assert not SaleOutcome.objects.exists()
    Lane.objects.filter(pk=terminal_id).update(starts=0)
    assert "1 vente a reçu son sort." in act(oscar, "post_till", terminal_id=terminal_id)


def test_ringing_rings_as_a_sweep_does_and_no_more_often(
    cast: Cast, oscar: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    rings: list[tuple[int, str]] = []
    is_heard = True

    def note(terminal_id: int, *, receipt: str = "", **_: object) -> bool:
        rings.append((terminal_id, receipt))
        return is_heard

    monkeypatch.setattr(dispatch, "ring", note)
    batch = make_late(hand_over(cast.device, sale(cast.rice)))
    terminal_id = cast.device.terminal_id
    assert "La sonnette est partie" in act(oscar, "ring_till", terminal_id=terminal_id)
    assert rings == [(terminal_id, str(batch.receipt))]
    assert "On vient de sonner pour cette caisse" in act(oscar, "ring_till", terminal_id=terminal_id)
    assert len(rings) == 1
    make_late(hand_over(cast.token_device, sale(cast.rice)))
    words = act(oscar, "ring_all")
    assert "On a sonné pour 1 caisse. Une autre l’a été il y a quelques secondes, ou avance." in words
    assert len(rings) == 2
    Lane.objects.update(rung_at=None)
    is_heard = False
    assert "Le courtier ne prend pas la sonnette" in act(oscar, "ring_all")
    assert len(rings) == 3


def test_a_sweep_says_too_whose_work_it_rings_for(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    rings: list[tuple[int, str]] = []

    def note(terminal_id: int, *, receipt: str = "", **_: object) -> bool:
        rings.append((terminal_id, receipt))
        return True

    monkeypatch.setattr(dispatch, "ring", note)
    oldest = make_late(hand_over(cast.device, sale(cast.rice)))
    hand_over(cast.device, sale(cast.rice))
    sweep_once()
    assert rings == [(cast.device.terminal_id, str(oldest.receipt))]


def test_pausing_wants_a_reason_says_so_and_is_lifted_again(cast: Cast, oscar: Client) -> None:
    refused = oscar.post(reverse("operations:pause"), {"portee": "boutique", "boutique": "BTQ-009"})
    assert refused.status_code == 400
    everywhere = {"portee": "partout", "boutique": "BTQ-009", "motif": "x"}
    assert "Laissez ce champ vide" in act(oscar, "pause", everywhere)
    assert "Aucune boutique n’a ce code." in act(oscar, "pause", {"portee": "boutique", "boutique": "", "motif": "x"})
    assert not Pause.objects.exists()
    with capture_logs() as logs:
        words = act(oscar, "pause", {"portee": "boutique", "boutique": "BTQ-009", "motif": "inventaire"})
        assert "En pause. Les caisses peuvent continuer d’envoyer" in words
        act(oscar, "pause_till", {"motif": "tiroir"}, terminal_id=cast.device.terminal_id)
        act(oscar, "pause", {"portee": "partout", "motif": "nuit"})
    scopes = {"all", f"shop:{cast.shop.pk}", f"terminal:{cast.device.terminal_id}"}
    assert set(Pause.objects.values_list("scope", flat=True)) == scopes
    paused = [(entry["by"], entry["scope"]) for entry in logs if entry["event"] == "operator_paused"]
    assert set(paused) == {("oscar", scope) for scope in scopes}
    for scope in scopes:
        assert "La pause est levée" in act(oscar, "resume", {"pause": scope})
        assert "déjà levée" in act(oscar, "resume", {"pause": scope})
    assert not Pause.objects.exists()


def test_a_pause_of_what_is_gone_can_be_lifted(cast: Cast, oscar: Client) -> None:
    Pause.objects.create(scope="shop:999999", shop_id=999_999)
    assert "shop:999999" in page(oscar, "overview")
    assert "La pause est levée" in act(oscar, "resume", {"pause": "shop:999999"})


@pytest.mark.usefixtures("failed")
def test_failed_sales_are_grouped_and_taken_up_again_by_the_person(cast: Cast, oscar: Client) -> None:
    assert "Des ventes sont en échec de notre côté." in page(oscar, "overview")
    words = page(oscar, "failed")
    assert "2 ventes" in words
    assert "ZeroDivisionError" in words
    outcome = SaleOutcome.objects.first()
    form = {"boutique": cast.shop.code, "code": outcome.code, "params": json.dumps(outcome.params)}
    with capture_logs() as logs:
        told = act(oscar, "retry", form)
    assert "2 ventes essayées encore : 2 enregistrées." in told
    assert Sale.objects.count() == 2
    assert set(OutcomeHistory.objects.values_list("author", flat=True)) == {"oscar"}
    (logged,) = [entry for entry in logs if entry["event"] == "operator_retried"]
    assert (logged["by"], logged["tried"], logged["ends"]) == ("oscar", 2, {"created": 2})
    assert "Il n’y a plus de vente en échec ici." in act(oscar, "retry", form)
    assert "Aucune vente n’est en échec." in page(oscar, "failed")


@pytest.mark.usefixtures("failed")
def test_taking_up_again_is_bounded_and_tells_what_is_left(
    cast: Cast, oscar: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "RETRIES_MAX", 1)
    outcome = SaleOutcome.objects.first()
    form = {"boutique": cast.shop.code, "code": outcome.code, "params": json.dumps(outcome.params)}
    Pause.objects.create(scope="all")
    assert "1 n’ont pas pu l’être" in act(oscar, "retry", form)
    Pause.objects.all().delete()
    assert "1 vente essayée encore : 1 enregistrées. Il en reste 1 en échec." in act(oscar, "retry", form)


@pytest.mark.usefixtures("failed")
def test_a_command_to_copy_takes_a_shop_code_as_one_word(cast: Cast, oscar: Client) -> None:
    SaleOutcome.objects.update(code="echec_processus", params={})
    cast.shop.code = "-x $(id) 'q'"
    cast.shop.save(update_fields=["code"])
    shown = html.unescape(page(oscar, "failed"))
    command = shown[shown.index("manage.py retry") :].partition("</code>")[0]
    assert shlex.split(command)[4] == f"--shop={cast.shop.code}"


@pytest.mark.usefixtures("failed")
@pytest.mark.parametrize(
    ("code", "params"), [("echec_processus", {}), ("echec_interne", None)], ids=["killed", "older version's"]
)
def test_a_sale_that_killed_its_process_is_not_tried_in_one_that_serves(
    cast: Cast, oscar: Client, code: str, params: dict | None
) -> None:
    """What a worker of the version before wrote during an upgrade may be of either kind."""
    SaleOutcome.objects.update(code=code, params=params)
    assert "manage.py retry --status failed --shop=BTQ-009 --code=" in page(oscar, "failed")
    form = {"boutique": cast.shop.code, "code": code, "params": "" if params is None else json.dumps(params)}
    assert oscar.post(reverse("operations:retry"), form).status_code == 404
    assert not Sale.objects.exists()


def test_refused_calls_are_found_by_the_beginning_of_a_serial(cast: Cast, oscar: Client) -> None:
    now = datetime.now(UTC)
    for serial, code in ((cast.device.serial, "jeton_invalide"), ("jamais-vu-07", "terminal_inconnu")):
        RefusedCall.objects.create(
            serial=serial, call="POST ventes/sync", code=code, status=401, first_at=now, last_at=now
        )
    every = page(oscar, "calls")
    assert cast.device.serial in every
    assert "jamais-vu-07 inconnu" in every
    found = page(oscar, "calls", "?serie=0a1bad")
    assert "Terminal MAUI" in found
    assert "jamais-vu-07" not in found
    quiet = page(oscar, "calls", f"?serie={cast.token_device.serial}")
    assert "l’appel n’est pas arrivé jusqu’ici" in quiet
    assert "Aucun appareil n’est inscrit" in page(oscar, "calls", "?serie=jamais")


def test_no_page_shows_a_token_or_what_was_sold(cast: Cast, oscar: Client) -> None:
    hand_over(cast.device, sale(cast.rice, client={"nom": "Maman Chantal"}))
    disable_device(cast.token_device)
    terminal_id = cast.device.terminal_id
    for name, parts in (("overview", {}), ("tills", {}), ("till", {"terminal_id": terminal_id}), ("failed", {})):
        source = oscar.get(reverse(f"operations:{name}", kwargs=parts)).content.decode()
        assert "Chantal" not in source
        assert cast.token_device.token_hash not in source


def test_a_page_asks_as_much_for_fifty_tills_as_for_one(cast: Cast, oscar: Client) -> None:
    counts = {}
    for tills in (1, 20):
        for _ in range(tills):
            hand_over(make_device(make_terminal(cast.shop)), sale(cast.rice))
        for name in ("overview", "tills", "failed", "calls"):
            with CaptureQueriesContext(connection) as asked:
                page(oscar, name)
            counts.setdefault(name, []).append(len(asked))
    assert all(one == many for one, many in counts.values()), counts
    assert max(many for _, many in counts.values()) <= QUERIES_MAX, counts


def test_who_has_staff_rights_and_no_shop_is_led_here_from_the_sign_in(cast: Cast, oscar: Client) -> None:
    oscar.logout()
    answer = oscar.post(reverse("web:sign_in"), {"username": "oscar", "password": PASSWORD})
    assert answer["Location"] == "/exploitation/"


def test_the_demonstration_has_an_operator(db: None) -> None:
    load_demo(password=PASSWORD, token="x" * 43)
    client = Client()
    signed_in = client.post(reverse("web:sign_in"), {"username": OPERATOR, "password": PASSWORD})
    assert signed_in["Location"] == "/exploitation/"
    for address in ("/exploitation/", "/admin/", reverse("admin:sales_sale_changelist")):
        assert client.get(address).status_code == 200
    assert not get_user_model().objects.get(username="demo").is_staff


def test_an_act_from_another_site_is_refused(cast: Cast, oscar: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies[django_settings.SESSION_COOKIE_NAME] = oscar.cookies[django_settings.SESSION_COOKIE_NAME].value
    assert strict.post(reverse("operations:pause"), {"portee": "partout", "motif": "x"}).status_code == 403
    assert not Pause.objects.exists()
    answer = oscar.post(reverse("operations:ring_all"), {"next": "https://ailleurs.example/"})
    assert answer["Location"] == "/exploitation/"
