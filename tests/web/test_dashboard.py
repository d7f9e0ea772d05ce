"""The day's figures, and what is not in them yet."""

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from backend.inventory.models import ArticleUnit
from backend.sales.models import DayTotal, SaleOutcome
from backend.sales.repair.back_office import office_device
from backend.sales.tills.heartbeat import Held, ParsedHeartbeat, record_heartbeat
from backend.sales.tills.pauses import pause
from backend.shops.models import Device, DeviceState
from backend.testing import Cast, add_unit, make_article, make_device, make_terminal
from tests.shop_day import hand_over, post, recorded, sale
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

DASHBOARD = "/commercant/dashboard/"
# Three of them are the takings of days that are not kept: money, documents, and voids of the same day. One is what is
# still owed for the day's sales, which is never kept, since a later payment changes it.
QUERIES_MAX = 17
# In the day's first minutes, in a timezone that is a quarter of an hour off.
HOURS = [timedelta(minutes=minutes) for minutes in (1, 59, 60)]
PART = {"HTTP_HX_REQUEST": "true"}


def ago(days: int) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def day_ago(cast: Cast, days: int) -> date:
    return ago(days).astimezone(ZoneInfo(cast.shop.timezone)).date()


def of_day(day: date) -> str:
    return f"{DASHBOARD}?jour={day.isoformat()}"


def speak(device: Device, *, at: datetime | None = None) -> None:
    record_heartbeat(
        device=device, heartbeat=ParsedHeartbeat(None, Held(0, {}, None), None), now=at or datetime.now(UTC)
    )


def test_a_new_shop_sees_zero_and_its_tills(alice: Client) -> None:
    words = seen(alice.get(DASHBOARD))
    assert "En caisse 0 FC Vendu 0 FC Ventes 0 Encaissé 0 FC " in words
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
    assert "En caisse 108 500 FC 40,50 $US Vendu 137 000 FC et 30,50 $US Ventes 4" in words
    assert "Encaissé 108 500 FC et 40,50 $US Espèces" in words
    assert "Espèces 96 500 FC Carte 12 000 FC Espèces 30,50 $US Mobile money 10,00 $US" in words


def test_what_is_sold_on_credit_is_not_taken_in(cast: Cast, alice: Client) -> None:
    post(cast.device, sale(cast.rice, price=25000, paye=False), sale(cast.rice, price=10000))
    words = seen(alice.get(DASHBOARD))
    assert "En caisse 10 000 FC Vendu 35 000 FC Ventes 2" in words
    assert "Encaissé 10 000 FC Espèces 10 000 FC" in words
    assert "À crédit (1 vente) 25 000 FC" in words


def test_a_part_paid_at_once_is_taken_in_and_the_rest_is_credit(cast: Cast, alice: Client) -> None:
    part = [{"mode": "CASH", "montant": 5000}, {"mode": "CASH", "devise": "USD", "montant": 2, "taux": 2850}]
    post(cast.device, sale(cast.rice, price=25000, paye=False, paiements=part))
    words = seen(alice.get(DASHBOARD))
    assert "En caisse 5 000 FC 2,00 $US Vendu 25 000 FC Ventes 1" in words
    assert "Encaissé 5 000 FC et 2,00 $US" in words
    assert "À crédit (1 vente) 14 300 FC" in words


def test_today_is_the_shops_day(cast: Cast, alice: Client) -> None:
    # A timezone in which it is another day than in UTC at the time of this run.
    cast.shop.timezone = "Etc/GMT+12" if datetime.now(UTC).hour < 12 else "Etc/GMT-12"
    cast.shop.save(update_fields=["timezone"])
    shop_now = datetime.now(UTC).astimezone(ZoneInfo(cast.shop.timezone))
    midnight = shop_now.replace(hour=0, minute=0, second=0, microsecond=0)
    post(
        cast.device,
        sale(cast.rice, price=1000, date_vente=(midnight - timedelta(minutes=1)).isoformat()),
        sale(cast.rice, price=700, date_vente=midnight.astimezone(UTC).isoformat()),
    )
    assert "En caisse 700 FC Vendu 700 FC Ventes 1" in seen(alice.get(DASHBOARD))


def test_refused_sales_are_shown_beside_the_takings(cast: Cast, alice: Client) -> None:
    post(
        cast.device,
        sale(cast.rice, price=25000),
        sale(cast.rice, quantity=500, price=60),
        sale(cast.rice, quantity=1000, price=10),
        sale(cast.other_article, price=5000),
    )
    words = seen(alice.get(DASHBOARD))
    assert "En caisse 25 000 FC Vendu 25 000 FC Ventes 1" in words
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


def test_waiting_sales_are_counted_with_their_age(cast: Cast, alice: Client) -> None:
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


def test_a_pause_is_shown(cast: Cast, alice: Client) -> None:
    assert "en pause" not in seen(alice.get(DASHBOARD))
    pause(terminal=cast.terminal, reason="inventaire")
    words = seen(alice.get(DASHBOARD))
    assert "L'enregistrement des ventes est en pause pour Terminal MAUI depuis aujourd'hui" in words
    assert ": inventaire." in words


@pytest.mark.parametrize("scope", ["shop", "terminal"])
def test_a_pause_of_another_shop_is_not_shown(scope: str, cast: Cast, alice: Client, charlie: Client) -> None:
    pause(**{scope: getattr(cast, f"other_{scope}")}, reason="secret")
    assert "en pause" in seen(charlie.get(DASHBOARD))
    assert "en pause" not in seen(alice.get(DASHBOARD))


def test_a_global_pause_is_shown_to_every_shop(alice: Client, charlie: Client) -> None:
    pause()
    assert "en pause" in seen(alice.get(DASHBOARD))
    assert "en pause" in seen(charlie.get(DASHBOARD))


def test_it_makes_seventeen_queries_at_most(
    cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """The worst case: yesterday not added up yet, tills that wait and report, one replaced, split sales, a pause."""
    for place in range(5):
        device = make_device(make_terminal(cast.shop))
        split = [{"mode": "CASH", "montant": 5}, {"mode": "CARTE", "montant": 5}]
        post(device, *(sale(cast.rice, price=10, paiements=split) for _ in range(5)), sale(cast.rice, quantity=999))
        post(device, sale(cast.rice, price=10, date_vente=ago(1).isoformat()))
        hand_over(device, sale(cast.rice))
        speak(device)
        Device.objects.filter(pk=device.pk).update(state=DeviceState.REPLACED if place == 1 else DeviceState.ACTIVE)
        low = make_article(cast.shop, stock=1)
        ArticleUnit.objects.filter(article=low).update(low_stock_threshold=5)
    pause(shop=cast.shop)
    with django_assert_max_num_queries(QUERIES_MAX):
        words = seen(alice.get(DASHBOARD))
    assert "En caisse 250 FC Vendu 250 FC Ventes 25" in words
    assert set(DayTotal.objects.exclude(added_up_at_marks=None).values_list("day", flat=True)) >= {day_ago(cast, 1)}


def test_days_that_are_kept_are_not_added_up_again(
    cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    post(cast.device, sale(cast.rice, price=10, date_vente=ago(1).isoformat()))
    first = seen(alice.get(DASHBOARD))
    with django_assert_max_num_queries(QUERIES_MAX - 2):
        assert seen(alice.get(DASHBOARD)) == first


def test_the_number_of_a_sale_is_not_needed_for_the_figures(cast: Cast, alice: Client) -> None:
    same = sale(cast.rice, price=1000)
    first = post(cast.device, same)
    post(cast.device, same)
    assert recorded(first).total == 1000
    assert "En caisse 1 000 FC Vendu 1 000 FC Ventes 1" in seen(alice.get(DASHBOARD))


def test_refunds_are_shown_apart_and_a_paid_credit_is_money_in(cast: Cast, alice: Client) -> None:
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
    today = alice.get(DASHBOARD).context["takings"]
    assert [(one.amount, one.currency) for one in today.cash_in] == [(Decimal(1200), "CDF")]
    assert [(one.amount, one.currency) for one in today.refunded] == [(Decimal(1000), "CDF")]
    assert [(one.amount, one.currency) for one in today.in_hand] == [(Decimal(200), "CDF")]
    words = seen(alice.get(DASHBOARD))
    assert "En caisse 200 FC Vendu 500 FC Ventes 1 Panier moyen 500 FC" in words
    assert "Encaissé 1 200 FC Rendu 1 000 FC Espèces 200 FC À crédit (1 vente) 300 FC" in words


def test_a_sale_that_is_voided_the_same_day_is_in_no_count_and_no_amount(cast: Cast, alice: Client) -> None:
    kept, gone = (sale(cast.rice, price=45000, paye=False) for _ in range(2))
    old = sale(cast.rice, price=700, date_vente=ago(1).isoformat())
    void = {"type": "annulation", "date_vente": datetime.now(UTC).isoformat()}
    voids = [
        void | {"numero_facture": f"AVO-{one['numero_facture']}", "origine": {"numero_facture": one["numero_facture"]}}
        for one in (gone, old)
    ]
    post(cast.device, kept, gone, old, *voids)
    words = seen(alice.get(DASHBOARD))
    assert "En caisse −700 FC Vendu 44 300 FC Ventes 1 Panier moyen 45 000 FC" in words
    assert "Rendu 700 FC Espèces −700 FC À crédit (1 vente) 45 000 FC" in words
    # Yesterday keeps what it sold: its sale was voided today.
    assert "En caisse 700 FC Vendu 700 FC Ventes 1" in seen(alice.get(of_day(day_ago(cast, 1))))


def test_the_average_basket_is_of_each_currency_paid_or_not(cast: Cast, alice: Client) -> None:
    assert "Panier moyen" not in seen(alice.get(DASHBOARD))
    post(
        cast.device,
        sale(cast.rice, price=1000),
        sale(cast.rice, price=500, paye=False),
        sale(cast.rice, price=501),
        sale(cast.rice, price="10.25", devise="USD"),
    )
    assert "Ventes 4 Panier moyen 667 FC et 10,25 $US" in seen(alice.get(DASHBOARD))


def test_thirty_days_are_drawn_with_what_came_in_on_each(cast: Cast, alice: Client) -> None:
    post(
        cast.device,
        sale(cast.rice, price=1000),
        sale(cast.rice, price=7000, date_vente=ago(2).isoformat()),
        sale(cast.rice, price=3, devise="USD", date_vente=ago(2).isoformat()),
        sale(cast.rice, price=9000, date_vente=ago(31).isoformat()),
    )
    words = seen(alice.get(DASHBOARD))
    assert "En caisse en 30 jours au plus 7 000 FC et 3,00 $US (" in words
    assert "9 000 FC" not in words[words.index("En caisse en 30 jours") :]
    assert words.count(" 0 FC") == 2 * 28  # of each other day, on its bar and in the table


def test_a_late_document_is_in_the_chart_of_a_day_that_was_kept(cast: Cast, alice: Client) -> None:
    post(cast.device, sale(cast.rice, price=1000, date_vente=ago(2).isoformat()))
    assert "au plus 1 000 FC" in seen(alice.get(DASHBOARD))
    assert DayTotal.objects.exclude(added_up_at_marks=None).count() == 29
    post(cast.device, sale(cast.rice, price=500, date_vente=ago(2).isoformat()))
    assert "au plus 1 500 FC" in seen(alice.get(DASHBOARD))


def test_late_arrivals_are_shown_by_day_with_a_link(cast: Cast, alice: Client) -> None:
    bought = sale(cast.rice, price=1000, date_vente=ago(1).isoformat())
    void = {"type": "annulation", "numero_facture": "AVO-1", "date_vente": ago(1).isoformat()}
    post(
        cast.device,
        bought,
        sale(cast.rice, price=4, devise="USD", date_vente=ago(1).isoformat()),
        {**void, "origine": {"numero_facture": bought["numero_facture"]}},
        sale(cast.rice, price=500, date_vente=ago(3).isoformat()),
        sale(cast.rice, price=1),
    )
    answer = alice.get(DASHBOARD)
    words = seen(answer)
    assert re.search(
        r"hier : \+2 ventes \(1 000 FC et 4,00 \$US\) et 1 autre document arrivées (ce matin|aujourd'hui)\.", words
    )
    assert words.index("hier : +2") < words.index("+1 vente (500 FC) arrivée ")
    assert f'href="{of_day(day_ago(cast, 1))}"' in answer.content.decode()
    # What arrived on another day than today is not shown.
    SaleOutcome.objects.update(at=ago(1))
    assert "arrivée" not in seen(alice.get(DASHBOARD))


def test_days_that_came_late_beyond_three_are_folded_away(cast: Cast, alice: Client) -> None:
    post(cast.device, *(sale(cast.rice, price=1, date_vente=ago(days).isoformat()) for days in range(1, 6)))
    words = seen(alice.get(DASHBOARD))
    assert words.count("+1 vente (1 FC) arrivée") == 5
    assert words.index("Et 2 jours plus anciens") > words.index("hier : +1")


def test_hours_are_the_shops_by_the_tills_clocks(cast: Cast, alice: Client) -> None:
    cast.shop.timezone = "Asia/Kathmandu"
    cast.shop.save(update_fields=["timezone"])
    today = datetime.combine(day_ago(cast, 0), time(), tzinfo=ZoneInfo(cast.shop.timezone))
    post(
        cast.device,
        *(sale(cast.rice, price=1, date_vente=(today + minutes).isoformat()) for minutes in HOURS),
        sale(cast.rice, price=1, date_vente="1999-01-01T10:00:00+00:00"),
    )
    words = seen(alice.get(DASHBOARD))
    assert "Ventes par heure au plus 2 (0 h)" in words
    assert "0 h 2 1 h 1 2 h 0 " in words
    assert "1 vente sans heure de ce jour n'y est pas." in words


def test_the_best_articles_are_listed_by_amount_in_each_currency(cast: Cast, alice: Client) -> None:
    carton = add_unit(cast.oil, level="CARTON", mark="CTN", stock=10)
    by_carton = {"unite_uuid": str(carton.uuid), "quantite": 1, "prix_unitaire": 90000}
    voided = sale(cast.rice, quantity=9, price=99999)
    void = {"type": "annulation", "numero_facture": "AVO-1", "origine": {"numero_facture": voided["numero_facture"]}}
    post(
        cast.device,
        sale(cast.rice, quantity="1.5", price=10000),
        sale(cast.oil, quantity=2, price=1000, lignes=[*sale(cast.oil, quantity=2, price=1000)["lignes"], by_carton]),
        sale(cast.rice, price=7, devise="USD"),
        voided,
        void,
        sale(cast.oil, price=500000, date_vente=ago(1).isoformat()),
    )
    answer = alice.get(DASHBOARD)
    assert (
        "Ce qui s'est le mieux vendu Huile 20 L 2 PCE, 1 CTN 92 000 FC Riz 25 kg 1,5 PCE 15 000 FC"
        " Riz 25 kg 1 PCE 7,00 $US"
    ) in seen(answer)
    assert f'href="/commercant/stock/{cast.oil.pk}/"' in answer.content.decode()


def test_low_stock_is_listed_lowest_first(cast: Cast, alice: Client) -> None:
    assert "Aucun article ne manque." in seen(alice.get(DASHBOARD))
    asleep = make_article(cast.shop, name="Vieux savon", is_active=False)
    for article, stock, threshold in (
        (cast.rice, 5, 5), (cast.oil, -2, None), (asleep, -9, 3), (cast.other_article, -7, 3),
        (make_article(cast.shop, name="Assez"), 6, 5),
    ):  # fmt: skip
        ArticleUnit.objects.filter(article=article).update(stock=stock, low_stock_threshold=threshold)
    words = seen(alice.get(DASHBOARD))
    assert "Bientôt épuisé Huile 20 L PCE −2 Négatif Riz 25 kg PCE 5 Bas Voir dans le stock" in words
    for name in ("Vieux savon", "Assez", cast.other_article.name):
        assert name not in words
    for _ in range(6):
        ArticleUnit.objects.filter(article=make_article(cast.shop)).update(stock=-1)
    assert "Voir tous ceux à réapprovisionner" in seen(alice.get(DASHBOARD))


def test_another_day_shows_its_own_figures_and_nothing_of_today(cast: Cast, alice: Client) -> None:
    post(
        cast.device,
        sale(cast.rice, price=1000),
        sale(cast.rice, quantity=999, price=1),
        sale(cast.rice, price=500, date_vente=ago(1).isoformat()),
        sale(cast.oil, quantity=777, price=1, numero_facture="OF-1"),
        sale(cast.oil, quantity=888, price=1, numero_facture="OF-2"),
    )
    # Refused sales count for the day on which they came.
    for days in (1, 2):
        SaleOutcome.objects.filter(number=f"OF-{days}").update(business_day=day_ago(cast, days))
    answer = alice.get(of_day(day_ago(cast, 1)))
    words = seen(answer)
    assert "hier" in words
    assert "En caisse 500 FC Vendu 500 FC Ventes 1" in words
    assert "dont 777 FC à corriger (1 vente)" in words
    assert "Jour suivant Aujourd'hui" in words
    for today_only in ("999 FC", "888 FC", "Bientôt épuisé", "Dernier envoi", "arrivée"):
        assert today_only not in words
    assert "hx-get" not in answer.content.decode()
    assert "dont 999 FC à corriger (1 vente)" in seen(alice.get(DASHBOARD))
    assert "Des jours précédents, il reste 1 665 FC à corriger (2 ventes)" in seen(alice.get(DASHBOARD))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("2999-01-01", "Ce jour n'est pas encore venu."),
        ("0001-01-01", "Ce jour est trop ancien."),
        ("hier", "Saisissez une date valide."),
    ],
)
def test_an_invalid_day_is_refused_and_today_is_shown(asked: str, message: str, alice: Client) -> None:
    words = seen(alice.get(DASHBOARD, {"jour": asked}))
    assert message in words
    assert "Encaissé 0 FC" in words
    assert not DayTotal.objects.filter(day__year__lt=2020).exists()


def test_only_the_figures_are_polled(
    cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    today = day_ago(cast, 0)
    assert f'hx-get="{of_day(today)}"' in alice.get(DASHBOARD).content.decode()
    post(cast.device, sale(cast.rice, price=1000))
    with django_assert_max_num_queries(QUERIES_MAX - 5):
        part = alice.get(of_day(today), **PART)
    assert "Encaissé 1 000 FC" in seen(part)
    assert "<h1" not in part.content.decode()
    assert part.content.decode().strip().endswith("</div>")


def test_a_page_left_open_over_midnight_is_loaded_anew(cast: Cast, alice: Client) -> None:
    answer = alice.get(of_day(day_ago(cast, 1)), **PART)
    assert (answer["HX-Refresh"], answer.content) == ("true", b"")


def test_nothing_of_another_shop_is_in_it(cast: Cast, alice: Client, charlie: Client) -> None:
    before = seen(charlie.get(DASHBOARD))
    cast.oil.name = "Huile secrète"
    cast.oil.save(update_fields=["name"])
    post(
        cast.device,
        sale(cast.oil, price=1234),
        sale(cast.oil, price=1234, date_vente=ago(1).isoformat()),
        sale(cast.oil, quantity=999),
    )
    hand_over(cast.device, sale(cast.oil))
    ArticleUnit.objects.filter(article=cast.oil).update(stock=-5)
    assert seen(charlie.get(DASHBOARD)) == before
    for mark in ("1 234 FC", "Huile secrète", "à corriger (", "attend son", "arrivée"):
        assert mark in seen(alice.get(DASHBOARD))


def test_sales_recorded_on_the_pages_count_and_the_office_is_no_till(cast: Cast, alice: Client) -> None:
    post(office_device(cast.shop), sale(cast.rice, price=1000))
    words = seen(alice.get(DASHBOARD))
    assert "En caisse 1 000 FC Vendu 1 000 FC Ventes 1" in words
    assert "Bureau" not in words
