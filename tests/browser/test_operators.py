"""An operator in a browser: Flower behind its login, a stuck batch that is freed, and the administration."""

import base64
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django import Settings

from backend.localrun.processes import free_port, wait_until
from backend.localrun.stack import Stack
from backend.ops.models import DoctorRun, SweepTurn
from backend.ops.pages.links import flower_tasks_address
from backend.sales.dispatch import TASK
from backend.sales.models import Batch, OutcomeStatus, Pause, Sale, SaleOutcome
from backend.shops.models import RefusedCall
from backend.testing import PASSWORD, Cast, make_device, make_shop, make_terminal, make_user
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import look_at
from tests.shop_day import hand_over, post, sale

FLOWER_USER, FLOWER_PASSWORD = "fleur", "un-mot-de-passe-de-fleur"
PATIENCE_S = 60
TOUCH_PX = 44


@pytest.fixture
def oscar(cast: Cast) -> User:
    user = make_user("oscar")
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    return user


def make_late(batch: Batch, *, by: timedelta) -> Batch:
    then = datetime.now(UTC) - by
    Batch.objects.filter(pk=batch.pk).update(received_at=then, moved_at=then)
    return batch


def make_trouble(cast: Cast) -> int:
    """Give every operator's page much to show; return the till to look at."""
    now = datetime.now(UTC)
    long_name = make_shop(
        code="BTQ-LONGUE-2024-KINSHASA", name="Établissements Mbuyi et Fils, Matériaux de construction"
    )
    wide = make_terminal(long_name, name="Caisse du dépôt de la grande avenue")
    make_late(hand_over(cast.device, *(sale(cast.rice) for _ in range(3))), by=timedelta(hours=30))
    make_late(hand_over(cast.device, sale(cast.rice)), by=timedelta(minutes=12))
    make_late(hand_over(make_device(wide), sale(cast.rice)), by=timedelta(hours=3))
    make_late(hand_over(cast.other_device, sale(cast.other_article)), by=timedelta(minutes=4))
    Pause.objects.create(
        scope=f"shop:{long_name.pk}", shop=long_name, reason="Inventaire de fin d’année, jusqu’à lundi"
    )
    Pause.objects.create(scope=f"terminal:{cast.terminal.pk}", terminal=cast.terminal)
    post(cast.token_device, *(sale(cast.oil, price=75000) for _ in range(4)))
    outcomes = SaleOutcome.objects.filter(terminal=cast.token_device.terminal)
    outcomes.update(status=OutcomeStatus.FAILED, code="echec_interne", params={"reason": "ZeroDivisionError"})
    outcomes.filter(position=4).update(code="echec_processus", params={})
    for serial, code in (
        (cast.device.serial, "jeton_invalide"),
        ("S" * 60, "terminal_inconnu"),
        ("", "header_manquant"),
    ):
        RefusedCall.objects.create(
            serial=serial, call="POST ventes/sync", code=code, status=401, count=1234, first_at=now, last_at=now,
            detail="Ce jeton n'est pas celui de cet appareil", ip="2001:db8::1234:5678:9abc:def0", app_version="4.2.1",
        )  # fmt: skip
    for number in range(2):
        SweepTurn.objects.create(sweep=f"caisse-sweep-7c9d5b9c6f-x2v{number}k:1234", at=now - timedelta(minutes=number))
    checks = [
        {"name": f"check_{number}", "promise": "P5", "title": "Chaque mouvement commence où le précédent a fini",
         "finding_count": number, "note_count": 0, "repaired_count": 0,
         "sentences": [f"L’unité {one} de la boutique BTQ-009 : 3 au lieu de 7." for one in range(number)]}
        for number in range(4)
    ]  # fmt: skip
    for hours in (2, 26):
        DoctorRun.objects.create(at=now - timedelta(hours=hours), duration_s=14.2, finding_count=6, checks=checks)
    return cast.terminal.pk


def pages(terminal_id: int) -> list[str]:
    plain = [reverse(f"operations:{name}") for name in ("overview", "tills", "failed", "calls", "doctor")]
    searched = [
        f"{reverse('operations:calls')}?serie=0a1",
        f"{reverse('operations:tills')}?boutique=BTQ-LONGUE-2024-KINSHASA",
    ]
    return [*plain, *searched, reverse("operations:till", args=[terminal_id])]


def status_of(url: str, login: str | None = None) -> int:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url)
    if login:
        request.add_header("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}")
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_flower_opens_to_its_login_alone_and_names_the_work_by_its_receipt(
    stack: Stack, browser: Browser, settings: Settings
) -> None:
    cast = Cast()
    flower = stack.add_flower(port=free_port(), user=FLOWER_USER, password=FLOWER_PASSWORD)
    worker = stack.add_worker(pool="solo", concurrency=1)
    for service in (flower, worker):
        service.start()
    for service in (flower, worker):
        service.wait_ready()
    for path in ("/", "/tasks", "/workers", "/broker", "/api/workers", "/api/tasks"):
        for login in (None, f"{FLOWER_USER}:faux", f"autre:{FLOWER_PASSWORD}"):
            assert status_of(flower.url + path, login) == 401, (path, login)
    settings.FLOWER_URL = flower.url
    batch = hand_over(cast.device, sale(cast.rice, client={"nom": "Maman Chantal"}))
    context = browser.new_context(http_credentials={"username": FLOWER_USER, "password": FLOWER_PASSWORD})
    page = context.new_page()
    row = page.get_by_role("row").filter(has_text=TASK).first

    def says_that_it_is_done() -> bool:
        """Flower's page does not change by itself: it is loaded again until the worker's events have come."""
        page.goto(flower_tasks_address(batch.receipt), wait_until="networkidle")
        return row.is_visible() and "SUCCESS" in row.inner_text()

    assert wait_until(says_that_it_is_done, timeout_s=PATIENCE_S)
    expect(row).to_contain_text(str(batch.receipt))
    expect(row).to_contain_text(f"caisse {cast.device.terminal_id}")
    assert "Chantal" not in page.content()
    page.goto(flower_tasks_address("00000000-0000-4000-8000-000000000000"))
    expect(page.get_by_text("No tasks match your search.")).to_be_visible(timeout=PATIENCE_S * 1000)
    context.close()


def test_a_stuck_batch_is_freed_from_the_page(cast: Cast, oscar: User, visit: Visit) -> None:
    make_late(hand_over(cast.device, sale(cast.rice), sale(cast.rice)), by=timedelta(hours=2))
    page = visit.page
    visit.sign_in("oscar")
    expect(page.get_by_role("heading", name="Exploitation", level=1)).to_be_visible()
    assert "Des ventes attendent trop longtemps." in visit.words()
    page.get_by_role("link", name="Terminal MAUI").click()
    page.get_by_role("button", name="Enregistrer maintenant").click()
    expect(page.get_by_role("status")).to_contain_text(
        "2 ventes ont reçu leur sort. Plus rien n’attend à cette caisse."
    )
    assert visit.overflow_px() == 0
    assert Sale.objects.count() == 2


def test_a_pause_is_made_shown_and_lifted_from_the_page(cast: Cast, oscar: User, visit: Visit) -> None:
    hand_over(cast.device, sale(cast.rice))
    page = visit.page
    visit.sign_in("oscar")
    page.get_by_text("Mettre l’enregistrement en pause").click()
    page.get_by_label("Code de la boutique").fill("BTQ-009")
    page.get_by_label("Motif").fill("Inventaire")
    page.get_by_role("button", name="Mettre en pause").click()
    expect(page.get_by_role("status")).to_contain_text("En pause.")
    page.get_by_role("link", name="Terminal MAUI").click()
    page.get_by_role("button", name="Enregistrer maintenant").click()
    expect(page.get_by_role("status")).to_contain_text("levez la pause d’abord")
    assert not Sale.objects.exists()
    page.get_by_role("button", name="Reprendre").click()
    expect(page.get_by_role("status")).to_contain_text("La pause est levée")
    page.get_by_role("button", name="Enregistrer maintenant").click()
    expect(page.get_by_role("status")).to_contain_text("1 vente a reçu son sort.")
    assert Sale.objects.count() == 1


def test_no_page_of_an_operator_has_a_serious_fault(cast: Cast, oscar: User, desk_visit: Visit) -> None:
    terminal_id = make_trouble(cast)
    desk_visit.sign_in("oscar")
    expect(desk_visit.page.get_by_role("heading", level=1)).to_be_visible()
    faults = {}
    for path in pages(terminal_id):
        faults |= look_at(desk_visit, path)
        for control in desk_visit.page.locator("main button:visible, main input:visible, main select:visible").all():
            if control.bounding_box()["height"] < TOUCH_PX:
                faults[path, "touch", control.inner_text()] = control.bounding_box()["height"]
    assert faults == {}


def test_the_administration_works_under_the_pages_policy(cast: Cast, oscar: User, desk_visit: Visit) -> None:
    page = desk_visit.page
    desk_visit.open("/admin/")
    page.get_by_label("Nom d’utilisateur").fill("oscar")
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.get_by_role("link", name="Boutiques", exact=True).click()
    page.get_by_role("link", name="BTQ-009").click()
    page.locator("#id_nif").fill("A1234567")
    page.locator("input[name=_save]").click()
    expect(page.locator(".messagelist")).to_be_visible()
    cast.shop.refresh_from_db()
    assert cast.shop.nif == "A1234567"
    # A window of Django's own script, to choose a row of another list.
    desk_visit.open("/admin/shops/membership/add/")
    with page.expect_popup() as opened:
        page.locator("#lookup_id_user").click()
    opened.value.get_by_role("link", name="victor").click()
    expect(page.locator("#id_user")).to_have_value(str(cast.victor.pk))
    desk_visit.open(reverse("admin:sales_batch_changelist"))
    expect(page.locator("#searchbar")).to_be_visible()
