"""Closings: a till's report compared with what is recorded, a day closed by hand, and a month closed."""

import html
import re
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from backend.sales.days.day_closing import close_day_by_hand
from backend.sales.days.day_report import WireDay, read_day_report
from backend.sales.days.reconciliation import reconcile
from backend.sales.models import Batch, InvoiceSequence, Sale, TillClosing
from backend.shops.models import Device, Terminal
from backend.testing import Cast
from backend.web.selectors import closings as selectors
from tests.shop_day import hand_over, post, sale
from tests.web.page_text import seen

LIST = "/commercant/cloture/"
NEW = "/commercant/cloture/nouvelle/"
LIST_QUERIES_MAX = 10
CLOSING_QUERIES_MAX = 10
KEY = "cle12345"
LAST_MONTH = timezone.now().replace(day=1) - timedelta(days=3)

embedded = pytest.mark.embedded


def noon(**ago: int) -> str:
    """Return the shop's noon of today, or of some days ago, as a till writes it, so that no test crosses midnight."""
    local = datetime.now(ZoneInfo("Africa/Kinshasa"))
    return (local.replace(hour=12) - timedelta(**ago)).isoformat()


def today() -> date:
    return date.fromisoformat(noon()[:10])


def sold(cast: Cast, number: str, **fields: Any) -> dict[str, Any]:
    return sale(cast.rice, **{"numero_facture": number, "date_vente": noon(), **fields})


def close(device: Device, *, days_ago: int = 0, **said: Any) -> TillClosing:
    """Send the till's end of day to the API."""
    day = (today() - timedelta(days=days_ago)).isoformat()
    wire = msgspec.convert({"jour": day, **said}, WireDay)
    shop = device.terminal.shop
    answer = reconcile(
        terminal=device.terminal,
        device=device,
        report=read_day_report(wire, shop=shop),
        said=msgspec.to_builtins(wire),
        now=datetime.now(UTC),
    )
    return TillClosing.objects.get(pk=answer.rapprochement)


def listing(**amounts: Any) -> list[dict[str, Any]]:
    return [{"numero_facture": number, "montant": str(amount)} for number, amount in amounts.items()]


def page_of(closing: TillClosing) -> str:
    return reverse("web:closing", args=[closing.pk])


def typed(cast: Cast, **fields: Any) -> dict[str, Any]:
    return {
        "caisse": cast.terminal.pk,
        "jour": today().isoformat(),
        "compte_CDF": "25000",
        "key": KEY,
        **fields,
    }


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


# What the tills said


@embedded
def test_an_empty_list_says_where_closings_come_from(alice: Client) -> None:
    assert "Aucune caisse n'a encore clôturé de journée." in seen(alice.get(LIST))


@embedded
def test_closings_are_listed_by_day_and_till_with_their_result(
    cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    post(cast.device, sold(cast, "A"), sold(cast, "B"))
    close(cast.token_device, days_ago=1, totaux=[])
    drawer = {"caissier": "C2", "especes_comptees": [{"montant": "40000"}, {"devise": "USD", "montant": "5"}]}
    close(cast.device, ventes=listing(A=25000, C=1), caisse=drawer)
    with django_assert_max_num_queries(LIST_QUERIES_MAX):
        words = seen(alice.get(LIST))
    assert words.index("aujourd'hui Terminal MAUI C2") < words.index(f"hier {cast.token_device.terminal.name}")
    assert "Écart 2 ventes à voir · 10 000 FC en moins, 5,00 $US en trop" in words
    assert "Rien ne diffère" in words[words.index("hier ") :]
    assert "hier " not in seen(alice.get(LIST, {"caisse": cast.terminal.pk}))
    assert "Terminal MAUI C2" not in seen(alice.get(LIST, {"jour": (today() - timedelta(days=1)).isoformat()}))
    assert "Aucune clôture ne correspond" in seen(alice.get(LIST, {"jour": "2020-01-01"}))


@embedded
def test_its_pages_have_each_closing_once(cast: Cast, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "PAGE_CLOSINGS_MAX", 2)
    said = [close(cast.device, days_ago=ago, totaux=[]).pk for ago in (3, 0, 1, 0, 2)]
    found: list[int] = []
    address = LIST
    while address:
        body = alice.get(address).content.decode()
        found += [int(one) for one in re.findall(r'class="open" href="/commercant/cloture/(\d+)/', body)]
        following = re.search(r'rel="next" href="([^"]+)"', body)
        address = html.unescape(following[1]) if following else ""
    assert found == [said[3], said[1], said[2], said[4], said[0]]


@embedded
def test_a_closing_that_agrees_says_so(cast: Cast, alice: Client) -> None:
    post(cast.device, sold(cast, "A"))
    drawer = {"fond_ouverture": [{"montant": "5000"}], "especes_comptees": [{"montant": "30000"}]}
    closing = close(cast.device, ventes=listing(A=25000), caisse=drawer)
    words = seen(alice.get(page_of(closing)))
    assert "Tout est égal. Chaque vente que la caisse a nommée est enregistrée" in words
    assert "Fond au début 5 000 FC" in words
    assert "Différence juste" in words
    assert "Envoyée par l'appareil 0a1badae951f8473" in words


@embedded
def test_a_closing_names_and_links_what_differs(
    cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    post(
        cast.device,
        sold(cast, "EGAL"),
        sold(cast, "AUTRE"),
        sold(cast, "DE-TROP"),
        sold(cast, "REFUSEE", quantity=1000),
    )
    hand_over(cast.device, sold(cast, "ATTEND"))
    closing = close(
        cast.device,
        ventes=listing(EGAL=25000, AUTRE=24000, MANQUE=1000, ATTEND=25000) + listing(REFUSEE=1),
        totaux=[{"mode": "CASH", "montant": "70000"}],
        caisse={
            "caissier": "C2",
            "fond_ouverture": [{"montant": "20000"}],
            "sorties": [{"motif": "transport", "montant": "3000"}],
            "especes_comptees": [{"montant": "92000"}],
        },
    )
    with django_assert_max_num_queries(CLOSING_QUERIES_MAX):
        page = alice.get(page_of(closing))
    words = seen(page)
    for expected in (
        "Il y a un écart.",
        "Fond au début 20 000 FC Espèces encaissées, moins rendues +75 000 FC Sorties de la caisse −3 000 FC",
        "Attendu 92 000 FC Compté 92 000 FC Différence juste",
        "3 000 FC (transport)",
        "nous ne les avons pas reçues",
        "MANQUE",
        "AUTRE 24 000 FC 25 000 FC",
        "Reçues, pas encore enregistrées",
        "Espèces CDF 75 000 FC 70 000 FC 5 000 FC en moins",
        "Décider",
        "caissier C2",
    ):
        assert expected in words
    body = page.content.decode()
    for number in ("AUTRE", "DE-TROP"):
        assert f'href="{reverse("web:sale", args=[Sale.objects.get(number=number).pk])}">{number}</a>' in body
    assert "Enregistrée depuis" not in words


@embedded
def test_a_missing_sale_that_arrived_since_is_marked(cast: Cast, alice: Client) -> None:
    closing = close(cast.device, ventes=listing(A=25000, B=25000))
    post(cast.device, sold(cast, "A"))
    words = seen(alice.get(page_of(closing)))
    assert "A Enregistrée depuis" in words
    assert words.count("Enregistrée depuis") == 1


@embedded
@pytest.mark.parametrize("is_of_older_version", [False, True])
def test_a_currency_that_was_not_counted_is_said_as_such(is_of_older_version: bool, cast: Cast, alice: Client) -> None:
    post(cast.device, sold(cast, "A"), sold(cast, "B", price=10, devise="USD"))
    closing = close(cast.device, caisse={"especes_comptees": [{"montant": "25000"}]})
    if is_of_older_version:
        for line in closing.answered["caisse"]:
            line.pop("non_compte", None)
        closing.save(update_fields=["answered"])
    words = seen(alice.get(page_of(closing)))
    assert "Non compté" in words
    assert "Tout n'a pas été compté. Ce qui a été compté est juste." in words
    assert "Attendu 25 000 FC Compté 25 000 FC Différence juste" in words
    assert "Attendu 10,00 $US Compté non compté" in words
    assert "en moins" not in words
    assert "Non compté juste (CDF), non compté (USD)" in seen(alice.get(LIST))


@embedded
@pytest.mark.parametrize(
    "also", [{"especes_comptees": [{"montant": "24000"}]}, {"ventes": ["Z"]}, {"totaux": [{"montant": "1"}]}, "nombre"]
)
def test_a_gap_beside_what_was_not_counted_is_still_a_gap(also: Any, cast: Cast, alice: Client) -> None:
    post(cast.device, sold(cast, "A"), sold(cast, "B", price=10, devise="USD"))
    said: dict[str, Any] = {"caisse": {"especes_comptees": [{"montant": "25000"}]}}
    if also == "nombre":
        both = [{"montant": "25000", "nombre": 2}, {"montant": "10", "devise": "USD"}]
        said["totaux"] = both
    elif "ventes" in also:
        said["ventes"] = listing(A=25000, B=10, Z=1)
    elif "totaux" in also:
        said |= also
    else:
        said["caisse"] = also
    words = seen(alice.get(page_of(close(cast.device, **said))))
    assert "Il y a un écart." in words
    assert "Ce qui a été compté est juste." not in words


@embedded
def test_a_repeated_closing_names_the_later_one(cast: Cast, alice: Client) -> None:
    first, second = close(cast.device, totaux=[]), close(cast.device, totaux=[])
    other_cashier = close(cast.device, caisse={"caissier": "C2", "especes_comptees": []})
    words = seen(alice.get(page_of(first)))
    assert "clôturée de nouveau depuis" in words
    assert page_of(second) in alice.get(page_of(first)).content.decode()
    assert "clôturée de nouveau depuis" not in seen(alice.get(page_of(second)))
    assert "clôturée de nouveau depuis" not in seen(alice.get(page_of(other_cashier)))
    assert seen(alice.get(LIST)).count("Refaite depuis") == 1


@embedded
def test_a_long_list_is_cut_and_says_how_many_are_left(
    cast: Cast, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "NUMBERS_SHOWN_MAX", 2)
    closing = close(cast.device, ventes=listing(N1=1, N2=1, N3=1, N4=1))
    words = seen(alice.get(page_of(closing)))
    assert "N1 N2 et 2 autres" in words
    assert "N3" not in words


@embedded
def test_tills_that_sold_today_and_did_not_close_are_named(cast: Cast, alice: Client) -> None:
    assert "Pas encore clôturées" not in seen(alice.get(LIST))
    post(cast.device, sold(cast, "A"))
    post(cast.token_device, sold(cast, "B", date_vente=noon(days=1)))
    assert "Pas encore clôturées aujourd'hui : Terminal MAUI (compter Terminal MAUI)." in seen(alice.get(LIST))
    assert "compter" not in seen(client_of(cast.victor).get(LIST))
    close(cast.device, totaux=[])
    assert "Pas encore clôturées" not in seen(alice.get(LIST))


@embedded
def test_another_shops_closing_is_not_found(cast: Cast, alice: Client, charlie: Client) -> None:
    closing = close(cast.device, caisse={"especes_comptees": []})
    assert alice.get(page_of(closing)).status_code == 200
    assert charlie.get(page_of(closing)).status_code == 404
    assert charlie.get(page_of(TillClosing(pk=999999))).status_code == 404
    assert "MAUI" not in seen(charlie.get(LIST))
    assert alice.get(LIST, {"apres": "x"}).status_code == 404


# A day closed by hand


@embedded
def test_a_day_closed_by_hand_is_compared_like_a_tills_report(cast: Cast) -> None:
    post(cast.device, sold(cast, "A"), sold(cast, "B", caissier={"code": "C9"}))
    bob = client_of(cast.bob)
    words = seen(bob.get(NEW, {"caisse": cast.terminal.pk}))
    assert "Comptez le tiroir" in words
    fields = typed(
        cast,
        caissier="C9",
        compte_CDF="184 000,50",
        fond_CDF="160 000",
        sorties_CDF="1\N{NO-BREAK SPACE}000",
        compte_USD="5",
        motif="transport",
    )
    words = seen(bob.post(NEW, fields, follow=True))
    for expected in (
        "Voici le résultat.",
        "Saisie à la main par bob",
        "Attendu 184 000 FC Compté 184 000,50 FC Différence 0,50 FC en trop",
        "Différence 5,00 $US en trop",
        "1 000 FC (transport)",
        "caissier C9",
    ):
        assert expected in words
    closing = TillClosing.objects.get()
    assert (closing.device_id, closing.terminal_id, closing.cashier) == (None, cast.terminal.pk, "C9")
    # The till's own report of the same drawer gives the same.
    own = close(cast.device, caisse=closing.said["caisse"])
    assert own.answered["caisse"] == closing.answered["caisse"]
    assert "saisie par bob" in seen(bob.get(LIST))


@embedded
def test_the_form_sent_twice_is_one_closing(cast: Cast, alice: Client) -> None:
    pages = [alice.post(NEW, typed(cast)) for _ in range(2)]
    assert pages[0].headers["Location"] == pages[1].headers["Location"]
    alice.post(NEW, typed(cast, key="autrecle1"))
    assert TillClosing.objects.count() == 2


def test_the_form_sent_twice_at_once_is_one_closing(real_database: None) -> None:
    cast = Cast()
    start = threading.Barrier(4)
    found = []

    def send() -> None:
        start.wait()
        try:
            drawer = {"especes_comptees": [{"montant": "1"}]}
            closing = close_day_by_hand(terminal=cast.terminal, day=today(), drawer=drawer, user=cast.bob, key=KEY)
            found.append(closing.pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert TillClosing.objects.count() == 1
    assert found == [TillClosing.objects.get().pk] * 4


def refused(cast: Cast, client: Client, **fields: Any) -> HttpResponse:
    page = client.post(NEW, typed(cast, **fields))
    assert page.status_code == 200
    assert "errorlist" in page.content.decode()
    return page


@embedded
@pytest.mark.parametrize(
    "fields",
    [
        {"compte_CDF": ""},
        {"compte_CDF": "beaucoup"},
        {"compte_CDF": "-1"},
        {"compte_CDF": "1.005"},
        {"compte_CDF": "NaN"},
        {"compte_CDF": "1" * 20},
        {"fond_USD": "x"},
        {"jour": "demain"},
        {"jour": "0001-01-01"},
        {"jour": (timezone.now() + timedelta(days=3)).date().isoformat()},
        {"caissier": "x" * 121},
        {"motif": "x" * 301},
        {"key": "x"},
        {"caisse": "x"},
    ],
)
def test_a_wrong_value_is_refused_and_stays_in_the_form(fields: dict[str, str], cast: Cast, alice: Client) -> None:
    page = refused(cast, alice, **{"sorties_CDF": "777", **fields})
    assert 'value="777"' in page.content.decode()
    assert not TillClosing.objects.exists()
    assert alice.post(NEW, typed(cast)).status_code == 302


@embedded
def test_another_shops_till_cannot_be_closed(cast: Cast, alice: Client, charlie: Client) -> None:
    refused(cast, alice, caisse=cast.other_terminal.pk)
    refused(cast, charlie)
    assert not TillClosing.objects.exists()
    body = alice.get(NEW).content.decode()
    assert "Terminal MAUI" in body
    assert f'value="{cast.other_terminal.pk}"' not in body


@embedded
def test_a_viewer_closes_nothing(cast: Cast) -> None:
    victor = client_of(cast.victor)
    assert "Clôturer une journée" not in seen(victor.get(LIST))
    assert victor.get(NEW).status_code == 403
    assert victor.post(NEW, typed(cast)).status_code == 403
    assert not TillClosing.objects.exists()
    assert client_of(cast.bob).post(NEW, typed(cast)).status_code == 302


@embedded
def test_a_shop_without_a_till_cannot_close_a_day(cast: Cast, alice: Client) -> None:
    Terminal.objects.filter(shop=cast.shop).update(shop=cast.other_shop)
    words = seen(alice.get(NEW))
    assert "Cette boutique n'a pas encore de caisse." in words
    assert "Comparer et garder" not in words


# A month


def month_page(month: datetime | date) -> str:
    return reverse("web:close_month", args=[month.year, month.month])


@pytest.fixture
def last_month(cast: Cast) -> InvoiceSequence:
    made = {"date_vente": LAST_MONTH.isoformat()}
    batch = hand_over(
        cast.device, sold(cast, "A", **made), sold(cast, "B", **made), sold(cast, "C", quantity=999, **made)
    )
    Batch.objects.filter(pk=batch.pk).update(received_at=LAST_MONTH)
    post(cast.device, sold(cast, "D"))
    return InvoiceSequence.objects.get(year=LAST_MONTH.year, month=LAST_MONTH.month)


@embedded
def test_an_owner_is_told_what_closing_a_month_means_and_closes_it(
    cast: Cast, alice: Client, last_month: InvoiceSequence
) -> None:
    assert "est fini, et son registre est encore ouvert. Clôturer le mois" in seen(alice.get(LIST))
    words = seen(alice.get(month_page(LAST_MONTH)))
    for expected in (
        "Le registre de ce mois a 2 documents.",
        "plus aucun numéro ne sera donné dans ce mois",
        "Un mois clôturé ne se rouvre pas.",
        "1 vente de ce mois est à corriger : décidée après la clôture",
    ):
        assert expected in words
    last_month.refresh_from_db()
    assert last_month.closed_at is None
    words = seen(alice.post(month_page(LAST_MONTH), follow=True))
    assert "Mois clôturé : son registre a 2 documents et n'en prendra plus." in words
    assert "par alice" in words
    last_month.refresh_from_db()
    assert last_month.closed_by == "alice"
    assert "registre est encore ouvert" not in seen(alice.get(LIST))


@embedded
def test_a_month_is_closed_once(cast: Cast, alice: Client, last_month: InvoiceSequence) -> None:
    alice.post(month_page(LAST_MONTH))
    first = InvoiceSequence.objects.get(pk=last_month.pk).closed_at
    assert "Ce mois était déjà clôturé par alice." in seen(alice.post(month_page(LAST_MONTH), follow=True))
    assert InvoiceSequence.objects.get(pk=last_month.pk).closed_at == first
    words = seen(alice.get(month_page(LAST_MONTH)))
    assert "Ce mois est déjà clôturé" in words
    assert "Ne pas clôturer" not in words


@embedded
def test_a_month_that_is_not_over_is_not_closed(cast: Cast, alice: Client) -> None:
    post(cast.device, sold(cast, "A"))
    words = seen(alice.get(month_page(today())))
    assert "Ce mois n'est pas encore fini." in words
    assert "Ne pas clôturer" not in words
    assert "pas encore fini : il ne peut pas être clôturé" in seen(alice.post(month_page(today()), follow=True))
    assert InvoiceSequence.objects.get().closed_at is None


@embedded
@pytest.mark.parametrize("path", ["2024-0", "2024-13", "0-1", "99999-1", "1999-12"])
def test_an_impossible_month_is_not_found(path: str, cast: Cast, alice: Client) -> None:
    address = f"/commercant/cloture/mois/{path}/"
    assert alice.get(address).status_code == 404
    assert alice.post(address).status_code == 404


@embedded
def test_only_the_owner_closes_a_month(cast: Cast, alice: Client, last_month: InvoiceSequence) -> None:
    for user in (cast.bob, cast.victor):
        client = client_of(user)
        assert "registre est encore ouvert" not in seen(client.get(LIST))
        assert client.get(month_page(LAST_MONTH)).status_code == 403
        assert client.post(month_page(LAST_MONTH)).status_code == 403
    assert client_of(cast.charlie).post(month_page(LAST_MONTH)).status_code == 302
    last_month.refresh_from_db()
    assert last_month.closed_at is None
    alice.post(month_page(LAST_MONTH))
    last_month.refresh_from_db()
    assert last_month.closed_at is not None
