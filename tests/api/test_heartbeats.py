"""`POST etat`: what a till reports to hold, its clock and its sequence; and the answer."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from backend.ops.housekeeping import HEARTBEATS_KEPT, forget_old_heartbeats
from backend.sales.models import Heartbeat
from backend.testing import Cast, make_device
from tests.tills import STATE, Till, line, sale

pytestmark = pytest.mark.embedded

QUERIES_MAX = 16


def beat(till: Till, **report: Any) -> dict[str, Any]:
    answer = till.call("POST", STATE, json.dumps(report).encode())
    assert answer.status_code == 200, answer.content
    return answer.json()


def refused(till: Till, **report: Any) -> str:
    answer = till.call("POST", STATE, json.dumps(report).encode())
    assert (answer.status_code, answer.json().get("code")) == (400, "parametre_invalide"), answer.content
    return answer.json()["detail"]


def holding(count: int, *amounts: tuple[str, str]) -> dict[str, Any]:
    return {"nombre": count, "montants": [{"devise": currency, "montant": amount} for currency, amount in amounts]}


def in_the_shop(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def test_a_heartbeat_is_stored_with_all_its_fields(cast: Cast, till: Till) -> None:
    before = datetime.now(UTC)
    beat(
        till,
        heure=in_the_shop(before - timedelta(minutes=3)),
        a_envoyer=holding(12, ("CDF", "184000.00"), ("USD", "10.5"), ("CDF", "1"))
        | {"plus_ancienne": "2024-11-04T15:10:00+01:00"},
        sequence=1857,
    )
    kept = Heartbeat.objects.get()
    assert (kept.shop_id, kept.terminal_id, kept.device_id) == (cast.shop.pk, cast.terminal.pk, cast.device.pk)
    assert (kept.held_count, kept.sequence) == (12, 1857)
    assert kept.held_amounts == [
        {"currency": "CDF", "amount": "184001.00"},
        {"currency": "USD", "amount": "10.50"},
    ]
    assert kept.oldest_held_at == datetime(2024, 11, 4, 14, 10, tzinfo=UTC)
    assert kept.till_clock_at == before - timedelta(minutes=3)
    assert kept.clock_skew_s == pytest.approx(-180, abs=60)
    assert before <= kept.at <= datetime.now(UTC)


def test_the_skew_is_the_tills_clock_less_ours_and_stays_with_the_device(cast: Cast, till: Till) -> None:
    ahead = beat(till, heure=in_the_shop(datetime.now(UTC) + timedelta(hours=2)))
    assert ahead["ecart_horloge_s"] == pytest.approx(7200, abs=60)
    behind = beat(till, heure=in_the_shop(datetime.now(UTC) - timedelta(seconds=600)))
    assert behind["ecart_horloge_s"] == pytest.approx(-600, abs=60)

    # A missing field changes nothing.
    assert beat(till, sequence=1)["ecart_horloge_s"] == behind["ecart_horloge_s"]
    assert till.get(STATE).json()["ecart_horloge_s"] == behind["ecart_horloge_s"]
    cast.device.refresh_from_db()
    assert cast.device.clock_skew_s == behind["ecart_horloge_s"]


def test_a_clock_without_offset_shows_the_shops_local_time(cast: Cast, till: Till) -> None:
    cast.shop.timezone = "Asia/Tokyo"
    cast.shop.save(update_fields=["timezone"])
    in_tokyo = (datetime.now(UTC) + timedelta(hours=9)).replace(tzinfo=None)
    assert beat(till, heure=in_tokyo.isoformat())["ecart_horloge_s"] == pytest.approx(0, abs=60)


@pytest.mark.parametrize(
    ("clock", "sign"),
    [
        ("1970-01-01T00:00:05+01:00", -1),
        ("1970-01-01T00:00:05", -1),
        ("0001-01-01T00:00:00+14:00", -1),
        ("0001-01-01T00:00:00", -1),
        ("9999-12-31T23:59:59-12:00", 1),
    ],
)
def test_an_impossible_clock_is_shown_by_its_skew_and_not_refused(
    cast: Cast, till: Till, clock: str, sign: int
) -> None:
    answer = beat(till, heure=clock, a_envoyer={"nombre": 1, "plus_ancienne": clock})
    assert answer["ecart_horloge_s"] * sign > 40 * 365 * 24 * 3600
    kept = Heartbeat.objects.get()
    assert (kept.till_clock_at, kept.oldest_held_at, kept.held_count) == (None, None, 1)


@pytest.mark.parametrize(
    ("report", "path"),
    [
        ({"heure": "hier"}, "heure"),
        ({"heure": "2024-11-04"}, "heure"),
        ({"heure": ""}, "heure"),
        ({"heure": 12}, "heure"),
        ({"heure": "2024-11-04T18:00:00+01:00" + " " * 64 + "x"}, "heure"),
        ({"sequence": -1}, "sequence"),
        ({"sequence": 2**63}, "sequence"),
        ({"sequence": "12"}, "sequence"),
        ({"a_envoyer": 12}, "a_envoyer"),
        ({"a_envoyer": {}}, "a_envoyer.nombre"),
        ({"a_envoyer": {"nombre": -1}}, "a_envoyer.nombre"),
        ({"a_envoyer": {"nombre": 1_000_001}}, "a_envoyer.nombre"),
        ({"a_envoyer": {"nombre": 1.5}}, "a_envoyer.nombre"),
        ({"a_envoyer": {"nombre": 0, "montants": [{"devise": "CDF", "montant": 5}]}}, "a_envoyer.nombre"),
        ({"a_envoyer": {"nombre": 1, "plus_ancienne": "?"}}, "a_envoyer.plus_ancienne"),
        ({"a_envoyer": holding(1, ("CDF", "NaN"))}, "a_envoyer.montants[0].montant"),
        ({"a_envoyer": holding(1, ("CDF", "1"), ("CDF", "-1"))}, "a_envoyer.montants[1].montant"),
        ({"a_envoyer": holding(1, ("CDF", "1e400"))}, "a_envoyer.montants[0].montant"),
        ({"a_envoyer": holding(1, ("francs", "1"))}, "a_envoyer.montants[0].devise"),
        ({"a_envoyer": holding(1, *[("CDF", "1")] * 101)}, "a_envoyer.montants"),
    ],
)
def test_a_wrong_field_is_refused_with_its_path_and_nothing_is_stored(
    cast: Cast, till: Till, report: dict[str, Any], path: str
) -> None:
    sentence = refused(till, **{"heure": in_the_shop(datetime.now(UTC)), **report})
    assert f"{path} " in sentence
    assert not Heartbeat.objects.exists()
    cast.device.refresh_from_db()
    assert cast.device.clock_skew_s is None
    beat(till, heure=in_the_shop(datetime.now(UTC)), a_envoyer=holding(0))
    assert Heartbeat.objects.get().held_count == 0


@pytest.mark.parametrize("body", [b"", b"{", b'{"heure": "\xff"}', b'{"x": ' + b"[" * 100_000])
def test_a_body_that_is_no_json_is_refused(till: Till, body: bytes) -> None:
    answer = till.call("POST", STATE, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "json_invalide")


def test_the_answer_is_that_of_the_get(cast: Cast, till: Till) -> None:
    till.settle(sale("A", line(cast.rice, quantity=1000), sequence=7), sale("B", line(cast.rice), sequence=10))
    till.hand_over(sale("C", line(cast.rice)))
    posted, read = beat(till), till.get(STATE).json()
    assert posted | {"heure": ""} == read | {"heure": ""}
    assert posted["heure"] < read["heure"]
    assert (posted["en_attente"], posted["a_corriger"]) == ({"lots": 1, "ventes": 1}, 1)


def test_a_till_that_does_not_say_what_it_holds_has_no_held_count(till: Till) -> None:
    beat(till, heure=in_the_shop(datetime.now(UTC)), sequence=5)
    assert not Heartbeat.objects.exists()
    beat(till, a_envoyer=None)
    assert not Heartbeat.objects.exists()


def test_a_busy_till_has_one_row_a_minute_and_its_last_report(cast: Cast, till: Till) -> None:
    for count in (3, 2, 1):
        beat(till, a_envoyer=holding(count))
    minutes = {kept.at.replace(second=0, microsecond=0) for kept in Heartbeat.objects.all()}
    assert Heartbeat.objects.count() == len(minutes) <= 2
    assert Heartbeat.objects.order_by("-at").first().held_count == 1

    Heartbeat.objects.update(at=datetime.now(UTC) - timedelta(minutes=1))
    before = Heartbeat.objects.count()
    beat(till, a_envoyer=holding(0))
    beat(Till(make_device(cast.terminal)), a_envoyer=holding(7))
    assert Heartbeat.objects.count() == before + 2


def test_old_heartbeats_are_deleted_except_each_tills_last(cast: Cast, till: Till, token_till: Till) -> None:
    long_ago = datetime.now(UTC) - HEARTBEATS_KEPT - timedelta(days=2)

    def age(of: Till, *days: int) -> None:
        for at in days:
            beat(of, a_envoyer=holding(at))
            newest = Heartbeat.objects.filter(terminal_id=of.device.terminal_id).order_by("-at").first()
            Heartbeat.objects.filter(pk=newest.pk).update(at=long_ago + timedelta(days=at))

    age(till, 0, 1, 5)
    age(token_till, 0, 1)
    assert forget_old_heartbeats() == 3
    left = {kept.terminal_id: kept.held_count for kept in Heartbeat.objects.all()}
    assert left == {till.device.terminal_id: 5, token_till.device.terminal_id: 1}


def test_a_counter_beyond_what_arrived_and_what_is_held_shows_what_is_missing_at_the_end(
    cast: Cast, till: Till
) -> None:
    till.settle(sale("A", line(cast.rice), sequence=10))
    assert beat(till, sequence=15, a_envoyer=holding(5))["trous"] == []
    assert beat(till, sequence=15, a_envoyer=holding(2))["trous"] == [{"de": 11, "a": 13}]
    assert till.get(STATE).json()["trous"] == [{"de": 11, "a": 13}]

    # Handed over and not posted yet: their sequence numbers have not been read.
    late = [sale(f"L{at}", line(cast.rice), sequence=at) for at in (11, 12, 13)]
    till.hand_over(*late)
    assert till.get(STATE).json()["trous"] == []
    till.post_all()
    assert till.get(STATE).json()["trous"] == []


def test_a_gap_at_the_end_stays_the_same_gap_once_later_sales_arrive(cast: Cast, till: Till) -> None:
    till.settle(sale("A", line(cast.rice), sequence=10))
    beat(till, sequence=15, a_envoyer=holding(2))
    till.settle(sale("N", line(cast.rice), sequence=14), sale("O", line(cast.rice), sequence=15))
    assert till.get(STATE).json()["trous"] == [{"de": 11, "a": 13}]


def test_a_till_whose_sales_have_no_sequence_has_no_gap(cast: Cast, till: Till) -> None:
    assert beat(till, sequence=1857, a_envoyer=holding(0))["trous"] == []
    till.settle(sale("A", line(cast.rice)))
    assert beat(till, sequence=1857, a_envoyer=holding(0))["trous"] == []


def test_one_shops_tills_show_nothing_of_anothers(cast: Cast, till: Till, charlies_till: Till) -> None:
    charlies_till.settle(sale("A", line(cast.other_article), sequence=1))
    beat(charlies_till, sequence=9, a_envoyer=holding(0), heure=in_the_shop(datetime.now(UTC)))
    assert till.get(STATE).json()["trous"] == []
    assert till.get(STATE).json()["ecart_horloge_s"] is None
    assert charlies_till.get(STATE).json()["trous"] == [{"de": 2, "a": 9}]


def test_its_queries_do_not_grow_with_the_heartbeats(
    cast: Cast, till: Till, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for at in range(5):
        till.settle(sale(f"A{at}", line(cast.rice), sequence=at * 10))
        beat(till, sequence=at * 10 + 5, a_envoyer=holding(1))
        Heartbeat.objects.update(at=datetime.now(UTC) - timedelta(minutes=2 + at))
    with django_assert_max_num_queries(QUERIES_MAX):
        beat(till, sequence=100, a_envoyer=holding(1), heure=in_the_shop(datetime.now(UTC)))


def test_a_till_that_holds_more_than_it_has_counted_is_accepted(till: Till) -> None:
    report = {"a_envoyer": {"nombre": 26395}, "sequence": 3363}
    assert till.call("POST", STATE, json.dumps(report).encode()).json()["trous"] == []
