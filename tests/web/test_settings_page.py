"""The shop's exchange rates of the day."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from backend.shops.exchange_rates import ExchangeRates, pair_of, rates_of_the_day, set_rate
from backend.shops.models import ExchangeRate
from backend.testing import Cast
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

PAGE = "/commercant/reglages/"


def test_a_manager_sets_the_rate_of_the_day(cast: Cast, bob: Client) -> None:
    assert "Aucun cours n'est encore fixé." in seen(bob.get(PAGE))
    words = seen(bob.post(PAGE, {"cours_USD": "2 850"}, follow=True))
    assert "Les cours du jour sont gardés." in words
    assert "1 $US = 2 850 FC depuis aujourd'hui, fixé par bob" in words
    assert rates_of_the_day(cast.shop).exchange(Decimal(10), source="USD", target="CDF") == 28500
    assert rates_of_the_day(cast.other_shop).exchange(Decimal(10), source="USD", target="CDF") is None


def test_the_newest_counts_and_the_older_ones_stay(cast: Cast, bob: Client) -> None:
    for typed in ("2850", "2850", "2 900,5"):
        bob.post(PAGE, {"cours_USD": typed})
    # The same form sent twice set it once.
    assert list(ExchangeRate.objects.order_by("pk").values_list("rate", flat=True)) == [2850, Decimal("2900.5")]
    assert 'value="2900,5"' in bob.get(PAGE).content.decode()
    assert "1 $US = 2 850 FC" in seen(bob.get(PAGE))
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ExchangeRate.objects.filter(shop=cast.shop).update(rate=1)


def test_yesterdays_rate_can_be_said_to_hold_today(cast: Cast, bob: Client) -> None:
    now = datetime.now(UTC)
    day = (now - timedelta(days=2)).date()
    old = {"shop": cast.shop, "base": "USD", "quote": "CDF", "rate": Decimal(2850), "created_at": now}
    ExchangeRate.objects.create(**old, since=day, author="alice")
    assert "fixé par alice" in seen(bob.get(PAGE))
    assert "depuis aujourd'hui, fixé par bob" in seen(bob.post(PAGE, {"cours_USD": "2850"}, follow=True))


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("0", "Écrivez un nombre plus grand que zéro."),
        ("-5", "Écrivez un nombre plus grand que zéro."),
        ("2.850", "est ambigu"),
        ("x", "n'est pas un nombre"),
        ("9999999999", "999 999 999 au plus."),
        ("0,123456789", "8 décimales au plus."),
    ],
)
def test_a_rate_that_is_none_is_refused(typed: str, words: str, cast: Cast, bob: Client) -> None:
    assert words in seen(bob.post(PAGE, {"cours_USD": typed}))
    assert ExchangeRate.objects.count() == 0


def test_a_viewer_has_no_settings(cast: Cast, victor: Client, bob: Client) -> None:
    assert (victor.get(PAGE).status_code, victor.post(PAGE, {"cours_USD": "5"}).status_code) == (403, 403)
    assert PAGE not in victor.get("/commercant/ventes/").content.decode()
    assert PAGE in bob.get("/commercant/ventes/").content.decode()
    assert ExchangeRate.objects.count() == 0


def test_a_shop_with_one_currency_has_no_rate_to_set(cast: Cast, bob: Client) -> None:
    type(cast.shop).objects.filter(pk=cast.shop.pk).update(currencies="CDF")
    assert "La boutique n'accepte que sa propre devise" in seen(bob.get(PAGE))
    assert bob.post(PAGE, {"cours_USD": "2850"}).status_code == 302
    assert ExchangeRate.objects.count() == 0


def test_a_rate_is_said_in_the_order_in_which_people_say_it() -> None:
    orders = {("CDF", "USD"): "USD", ("USD", "CDF"): "USD", ("CDF", "XAF"): "XAF", ("USD", "EUR"): "EUR"}
    assert {pair: pair_of(*pair).base for pair in orders} == orders


def test_amounts_are_exchanged_by_way_of_the_shops_own_currency() -> None:
    francs = ExchangeRates("CDF", {"USD": Decimal(2850), "EUR": Decimal(3135)})
    assert francs.exchange(Decimal(10), source="EUR", target="USD") == 11
    assert francs.exchange(Decimal(2850), source="CDF", target="USD") == 1
    assert francs.exchange(Decimal(1), source="XAF", target="USD") is None
    assert francs.exchange(Decimal(1), source="USD", target="XAF") is None
    dollars = ExchangeRates("USD", {"CDF": Decimal(2850), "EUR": Decimal("1.1")})
    assert dollars.exchange(Decimal(5700), source="CDF", target="USD") == 2
    assert dollars.exchange(Decimal(2), source="USD", target="CDF") == 5700
    assert dollars.exchange(Decimal(2), source="EUR", target="CDF") == 6270


def test_a_currency_that_is_no_longer_accepted_has_no_rate(cast: Cast) -> None:
    set_rate(shop=cast.shop, foreign="USD", rate=Decimal(2850), user=cast.alice)
    cast.shop.currencies = "CDF,EUR"
    assert rates_of_the_day(cast.shop).rates == {}
