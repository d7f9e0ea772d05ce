"""Traces one device from its calls to the shop's pages: each place where its sales have been lost before."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from backend.doctor.trace_device import Trace, trace_device
from backend.sales.days.day_totals import totals_of_days
from backend.sales.models import Batch, Heartbeat, Lane, Sale
from backend.sales.tills.pauses import pause
from backend.shops.models import AuthMode, Device, DeviceState, Shop, Terminal, TerminalState
from backend.testing import Cast, make_device, make_terminal
from backend.web.selectors.sale_search import SaleCriteria, find_sales
from tests.doctor.examination import only_these_tables_change
from tests.shop_day import hand_over, post, sale
from tests.tills import STATE, Till

pytestmark = pytest.mark.embedded


def said(trace: Trace, title: str) -> str:
    """Return all sentences of one step."""
    (step,) = [step for step in trace.steps if step.title == title]
    return " ".join(step.sentences)


def faults(trace: Trace) -> list[str]:
    return [step.title for step in trace.steps if step.is_fault]


# Scenario A: nothing arrives.


def test_a_serial_that_nobody_knows_is_followed_by_its_refused_calls(cast: Cast) -> None:
    stranger = Till(Device(serial="0a1badae951f8437"))
    for _ in range(3):
        stranger.send_sales(sale(cast.rice))
    trace = trace_device("0a1badae951f8437")
    assert "POST ventes/sync : 404 terminal_inconnu « Terminal non trouvé », 3 fois" in said(trace, "Appels refusés")
    assert trace.conclusion == (
        "Rien n'est arrivé de cet appareil : aucun appareil n'a le numéro de série « 0a1badae951f8437 » (le plus proche"
        " : 0a1badae951f8473), et ses 3 appels ont été refusés. Enrôlez-le, ou corrigez le numéro dans son application."
    )
    assert (trace.is_fault, trace.terminal) == (True, None)


def test_calls_without_any_serial_are_shown_where_a_serial_never_called(cast: Cast) -> None:
    assert "Vérifiez son adresse et son en-tête" in trace_device("jamais-vu").conclusion
    Till(cast.device).send_sales(sale(cast.rice), X_Device_Serial=None)
    assert "400 header_manquant" in said(trace_device("jamais-vu"), "Appels sans numéro de série")


def test_a_till_without_a_shop_is_the_reason(cast: Cast) -> None:
    device = make_device(make_terminal(None, name="Sans toit"), serial="sans-toit-01")
    Till(device).send_sales(sale(cast.rice))
    trace = trace_device("sans-toit-01")
    assert faults(trace) == ["Appels refusés", "Caisse et boutique", "Lots reçus"]
    assert "caisse « Sans toit »" in said(trace, "Caisse et boutique")
    assert "terminal_sans_boutique" in trace.conclusion
    Terminal.objects.filter(pk=device.terminal_id).update(shop=cast.shop)
    Till(device).hand_over(sale(cast.rice))
    assert trace_device("sans-toit-01").is_fault is False


def test_a_till_without_a_shop_that_never_called_is_the_reason_too(cast: Cast) -> None:
    make_device(make_terminal(None, name="Sans toit"), serial="sans-toit-01")
    assert "« Sans toit » (n°" in trace_device("sans-toit-01").conclusion
    assert "n'a pas de boutique" in trace_device("sans-toit-01").conclusion


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"state": DeviceState.DISABLED}, "cet appareil est désactivé"),
        ({"auth_mode": AuthMode.TOKEN}, "doit montrer un jeton et n'en a reçu aucun"),
        ({}, "il ne nous a jamais appelés"),
    ],
)
def test_why_a_known_device_sent_nothing_is_said(cast: Cast, fields: dict[str, str], reason: str) -> None:
    Device.objects.filter(pk=cast.device.pk).update(**fields)
    trace = trace_device(cast.device.serial)
    assert reason in trace.conclusion
    assert trace.is_fault


def test_a_disabled_till_is_the_reason(cast: Cast) -> None:
    Terminal.objects.filter(pk=cast.terminal.pk).update(state=TerminalState.DISABLED)
    assert "« Terminal MAUI » (n°" in trace_device(cast.device.serial).conclusion
    assert "est désactivée" in trace_device(cast.device.serial).conclusion


def test_a_device_that_calls_and_sends_nothing_is_said(cast: Cast) -> None:
    Till(cast.device).get(STATE)
    assert "n'a jamais envoyé de ventes" in trace_device(cast.device.serial).conclusion


# Scenario B: sales arrive and belong to no shop.


def test_sales_without_a_shop_are_said_to_be_on_no_page(cast: Cast) -> None:
    post(cast.device, sale(cast.rice), sale(cast.oil))
    assert trace_device(cast.device.serial).is_fault is False
    Sale.objects.filter(number=Sale.objects.first().number).update(shop_id=999_999)
    trace = trace_device(cast.device.serial)
    assert faults(trace) == ["Ce que montrent les pages"]
    assert trace.conclusion == (
        "2 ventes arrivées, 2 enregistrées, visibles dans la boutique BTQ-009, 1 sans boutique, donc sur aucune page."
    )
    assert "1 vente sous la boutique n° 999999 (inconnue), sur aucune page" in said(trace, "Ce que montrent les pages")


# Scenario C: sales arrive and are recorded; what do the pages show?


def test_twelve_sales_are_counted_as_the_pages_count_them(cast: Cast) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    post(cast.device, *(sale(cast.rice) for _ in range(9)), *(sale(cast.oil, date_vente=yesterday) for _ in range(3)))
    post(cast.token_device, sale(cast.rice))
    trace = trace_device(cast.device.serial)
    assert trace.conclusion == "12 ventes arrivées, 12 enregistrées, visibles dans la boutique BTQ-009."
    assert (faults(trace), trace.is_fault, trace.terminal) == ([], False, cast.terminal)
    shown = find_sales(shop=cast.shop, criteria=SaleCriteria(terminal_id=cast.terminal.pk), cursor=None)
    today = datetime.now(ZoneInfo(cast.shop.timezone)).date()
    pages = said(trace, "Ce que montrent les pages")
    assert len(shown.rows) == 12
    assert "Page Ventes de BTQ-009, cette caisse : 12 documents." in pages
    assert f"Aujourd'hui ({today}) : 9 documents ; tableau de bord : 9 ventes." in pages
    # The other till sold one.
    assert totals_of_days(shop=cast.shop, days=[today], now=datetime.now(UTC))[today].sale_count == 10


def test_what_waits_is_refused_or_stood_there_already_is_counted_apart(cast: Cast) -> None:
    good = sale(cast.rice)
    post(cast.device, good, sale(cast.rice, quantity=5000))
    post(cast.device, good)
    waiting = hand_over(cast.device, sale(cast.oil))
    trace = trace_device(cast.device.serial)
    assert trace.conclusion.startswith(
        "4 ventes arrivées, 1 enregistrée, 1 en attente, 1 « Déjà existante », 1 « Refusée »"
    )
    assert str(waiting.receipt) in said(trace, "Lots reçus")
    assert "1 vente à corriger" in said(trace, "Ce qui reste ouvert")


def test_a_last_call_that_was_refused_is_said_after_what_arrived(cast: Cast) -> None:
    till = Till(cast.device)
    till.settle(sale(cast.rice))
    assert trace_device(cast.device.serial).is_fault is False
    assert till.send(b"[").status_code == 400
    trace = trace_device(cast.device.serial)
    assert trace.conclusion.startswith("1 vente arrivée, 1 enregistrée, visible dans la boutique BTQ-009. Mais son")
    assert "json_invalide" in trace.conclusion
    assert trace.is_fault
    # It has sent since: the refusal is history.
    till.settle(sale(cast.rice))
    assert trace_device(cast.device.serial).is_fault is False


def test_outcomes_that_promise_what_is_not_there_are_a_fault(cast: Cast) -> None:
    post(cast.device, sale(cast.rice))
    Sale.objects.update(device_id=cast.token_device.pk)
    trace = trace_device(cast.device.serial)
    assert "1 disent être enregistrées, et la table des ventes en a 0" in said(trace, "Ce que ses ventes sont devenues")
    assert trace.is_fault


def test_signs_of_life_and_open_ends_are_told(cast: Cast) -> None:
    post(cast.device, sale(cast.rice))
    Device.objects.filter(pk=cast.device.pk).update(clock_skew_s=-900, app_version="3.1", last_ip="10.0.0.9")
    whose = {"shop": cast.shop, "terminal": cast.terminal, "device": cast.device}
    Heartbeat.objects.create(**whose, held_count=4, at=datetime.now(UTC))
    Lane.objects.filter(pk=cast.terminal.pk).update(sequence_seen=9, sequence_holes=[[4, 6], [8, 8]])
    pause(terminal=cast.terminal, reason="inventaire")
    make_device(cast.terminal, serial="second")
    trace = trace_device(cast.device.serial)
    life = said(trace, "Signes de vie")
    for words in ("-900 s", "Application 3.1", "(10.0.0.9)", "garder 4 ventes"):
        assert words in life
    assert faults(trace) == ["Signes de vie"]
    assert "4 à 6 et 8" in said(trace, "Ce qui reste ouvert")
    assert "inventaire" in said(trace, "Ce qui reste ouvert")
    assert "second (actif)" in said(trace, "Caisse et boutique")


def test_a_shop_with_an_unknown_time_zone_hides_nothing_else(cast: Cast) -> None:
    post(cast.device, sale(cast.rice))
    Shop.objects.filter(pk=cast.shop.pk).update(timezone="Lune/Mer")
    assert trace_device(cast.device.serial).conclusion.startswith("1 vente arrivée, 1 enregistrée, visible")


def test_tracing_changes_nothing(cast: Cast) -> None:
    Batch.objects.filter(pk=hand_over(cast.device, sale(cast.rice)).pk).update(
        received_at=datetime(2024, 11, 4, tzinfo=UTC)
    )
    with only_these_tables_change():
        trace_device(cast.device.serial)
        trace_device("jamais-vu")
