"""The day's figures, and what is not yet in them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from backend.sales.models import Sale
from backend.sales.pausing import pause
from backend.testing import Cast, make_device, make_terminal
from backend.web.selectors.dashboard import takings_of_day
from tests.shop_day import hand_over, post, recorded, sale
from tests.web.reading import seen

pytestmark = pytest.mark.embedded

DASHBOARD = "/commercant/dashboard/"
QUERIES_MAX = 25


def test_a_new_shop_sees_nought_and_its_tills(alice: Client) -> None:
    words = seen(alice.get(DASHBOARD))
    assert "Encaissé 0 FC Ventes 0" in words
    assert "Terminal MAUI N'a encore rien envoyé." in words
    assert "à corriger (" not in words
    assert "attend" not in words


def test_a_shop_without_a_till_is_told_what_to_do(cast: Cast, charlie: Client) -> None:
    cast.other_device.delete()
    cast.other_terminal.delete()
    assert "Cette boutique n'a pas encore de caisse. Ajouter une caisse" in seen(charlie.get(DASHBOARD))


def test_takings_are_what_came_in_by_currency_and_mode(cast: Cast, alice: Client) -> None:
    in_two_currencies = [
        {"mode": "CASH", "montant": 46500},
        {"mode": "MOBILE_MONEY", "devise": "USD", "montant": "10.00", "taux": 2850},
    ]
    post(
        cast.device,
        sale(cast.rice, quantity=2, price=25000),
        sale(cast.oil, price=75000, paiements=in_two_currencies),
        sale(cast.rice, price="30.50", devise="USD"),
        sale(cast.rice, price=12000, mode_paiement="CARTE"),
    )
    words = seen(alice.get(DASHBOARD))
    assert "Encaissé 108 500 FC 40,50 $US Ventes 4" in words
    assert "Espèces 96 500 FC Carte 12 000 FC Espèces 30,50 $US Mobile money 10,00 $US" in words


def test_what_is_sold_on_credit_is_not_taken_in(cast: Cast, alice: Client) -> None:
    post(cast.device, sale(cast.rice, price=25000, paye=False), sale(cast.rice, price=10000))
    words = seen(alice.get(DASHBOARD))
    assert "Encaissé 10 000 FC Ventes 2" in words
    assert "À crédit (1 vente) 25 000 FC" in words


def test_a_part_paid_at_once_is_taken_in_and_the_rest_is_credit(cast: Cast, alice: Client) -> None:
    part = [{"mode": "CASH", "montant": 5000}, {"mode": "CASH", "devise": "USD", "montant": 2, "taux": 2850}]
    post(cast.device, sale(cast.rice, price=25000, paye=False, paiements=part))
    words = seen(alice.get(DASHBOARD))
    assert "Encaissé 5 000 FC 2,00 $US Ventes 1" in words
    assert "À crédit (1 vente) 14 300 FC" in words


def test_today_is_the_shops_day(cast: Cast, alice: Client) -> None:
    # Wherever it is another day than in UTC, at the hour of this run.
    cast.shop.timezone = "Etc/GMT+12" if datetime.now(UTC).hour < 12 else "Etc/GMT-12"
    cast.shop.save(update_fields=["timezone"])
    shop_now = datetime.now(UTC).astimezone(ZoneInfo(cast.shop.timezone))
    midnight = shop_now.replace(hour=0, minute=0, second=0, microsecond=0)
    post(
        cast.device,
        sale(cast.rice, price=1000, date_vente=(midnight - timedelta(minutes=1)).isoformat()),
        sale(cast.rice, price=700, date_vente=midnight.astimezone(UTC).isoformat()),
    )
    assert "Encaissé 700 FC Ventes 1" in seen(alice.get(DASHBOARD))


def test_what_was_refused_is_said_beside_the_takings(cast: Cast, alice: Client) -> None:
    post(
        cast.device,
        sale(cast.rice, price=25000),
        sale(cast.rice, quantity=500, price=60),
        sale(cast.rice, quantity=1000, price=10),
        sale(cast.other_article, price=5000),
    )
    words = seen(alice.get(DASHBOARD))
    assert "Encaissé 25 000 FC Ventes 1" in words
    assert "dont 45 000 FC à corriger (3 ventes)" in words


def test_a_sale_that_nobody_can_read_is_counted_without_an_amount(cast: Cast, alice: Client) -> None:
    post(cast.device, sale(cast.rice, quantity="beaucoup"))
    assert "dont 1 vente à corriger, d'un montant inconnu" in seen(alice.get(DASHBOARD))
    post(cast.device, sale(cast.rice, quantity=1000, price=10))
    assert "dont 10 000 FC à corriger (2 ventes, dont 1 sans montant lisible)" in seen(alice.get(DASHBOARD))


def test_a_resend_counts_once_and_closes_when_it_goes_through(cast: Cast, alice: Client) -> None:
    too_much = sale(cast.rice, quantity=150, price=100)
    post(cast.device, too_much)
    post(cast.device, too_much)
    assert "dont 15 000 FC à corriger (1 vente)" in seen(alice.get(DASHBOARD))
    type(cast.rice.base_unit).objects.filter(pk=cast.rice.base_unit.pk).update(stock=1000)
    post(cast.device, too_much)
    words = seen(alice.get(DASHBOARD))
    assert "à corriger (" not in words
    assert "Encaissé 15 000 FC" in words


def test_what_waits_is_counted_with_its_age(cast: Cast, alice: Client) -> None:
    hand_over(cast.device, sale(cast.rice), sale(cast.rice))
    words = seen(alice.get(DASHBOARD))
    assert "2 ventes reçues attendent leur enregistrement, la plus ancienne reçue aujourd'hui" in words
    assert "Encaissé 0 FC" in words


def test_each_till_shows_its_last_batch(cast: Cast, alice: Client) -> None:
    post(cast.device, sale(cast.rice))
    post(cast.device, sale(cast.rice), sale(cast.rice), sale(cast.rice, quantity=999))
    words = seen(alice.get(DASHBOARD))
    assert "Terminal MAUI 1 problème Dernier envoi aujourd'hui" in words
    assert ", 3 ventes Vue" in words
    assert "Sans jeton reconnue à son seul numéro de série" in words


def test_a_pause_is_said(cast: Cast, alice: Client) -> None:
    assert "en pause" not in seen(alice.get(DASHBOARD))
    pause(terminal=cast.terminal, reason="inventaire")
    words = seen(alice.get(DASHBOARD))
    assert "L'enregistrement des ventes est en pause pour Terminal MAUI depuis aujourd'hui" in words
    assert ": inventaire." in words


@pytest.mark.parametrize("scope", ["shop", "terminal"])
def test_a_pause_of_another_shop_is_not_said(scope: str, cast: Cast, alice: Client, charlie: Client) -> None:
    pause(**{scope: getattr(cast, f"other_{scope}")}, reason="secret")
    assert "en pause" in seen(charlie.get(DASHBOARD))
    assert "en pause" not in seen(alice.get(DASHBOARD))


def test_a_pause_everywhere_is_said_to_all(alice: Client, charlie: Client) -> None:
    pause()
    assert "en pause" in seen(alice.get(DASHBOARD))
    assert "en pause" in seen(charlie.get(DASHBOARD))


def test_it_asks_the_same_questions_however_much_there_is(
    cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        device = make_device(make_terminal(cast.shop))
        post(device, *(sale(cast.rice, price=10) for _ in range(5)), sale(cast.rice, quantity=999))
        hand_over(device, sale(cast.rice))
    with django_assert_max_num_queries(QUERIES_MAX):
        alice.get(DASHBOARD)


def test_the_number_of_a_sale_is_not_needed_for_the_figures(cast: Cast, alice: Client) -> None:
    same = sale(cast.rice, price=1000)
    first = post(cast.device, same)
    post(cast.device, same)
    assert recorded(first).total == 1000
    assert "Encaissé 1 000 FC Ventes 1" in seen(alice.get(DASHBOARD))


def test_what_went_back_is_shown_apart_and_a_credit_that_is_paid_came_in(cast: Cast, alice: Client) -> None:
    bought, owed = sale(cast.rice, price=1000), sale(cast.rice, price=500, paye=False)
    post(
        cast.device,
        bought,
        owed,
        {"type": "annulation", "numero_facture": "AVO-1", "origine": {"numero_facture": bought["numero_facture"]}},
        {
            "type": "paiement",
            "numero_facture": "PAI-1",
            "origine": {"numero_facture": owed["numero_facture"]},
            "montant": 200,
        },
    )
    today = takings_of_day(shop=cast.shop, day=Sale.objects.get(number="PAI-1").business_day)
    assert [(one.amount, one.currency) for one in today.cash_in] == [(Decimal(1200), "CDF")]
    assert [(one.amount, one.currency) for one in today.refunded] == [(Decimal(1000), "CDF")]
    assert "Remboursé 1 000 FC" in seen(alice.get(DASHBOARD)).replace("\xa0", " ").replace("\u202f", " ")
