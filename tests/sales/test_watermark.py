"""Until when a shop's figures are complete, and which tills are named when that is unknown."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from backend.sales.models import Batch, Heartbeat
from backend.sales.posting.runner import post_slice
from backend.sales.repair.back_office import office_device
from backend.sales.tills.heartbeat import Held, ParsedHeartbeat, record_heartbeat
from backend.sales.tills.status import load_till_statuses
from backend.sales.tills.watermark import TillCompleteness, Watermark, watermark_of_tills
from backend.shops.models import Device, DeviceState, Shop, Terminal, TerminalState
from backend.testing import Cast, make_article, make_device, make_shop, make_terminal
from tests import shop_day
from tests.tills import Till, line, sale

pytestmark = [pytest.mark.embedded, pytest.mark.usefixtures("db")]

NOON = datetime(2024, 11, 4, 12, tzinfo=UTC)
QUERIES_MAX = 3


def watermark_of(shop: Shop) -> Watermark:
    """Read it as the dashboard does."""
    return watermark_of_tills(load_till_statuses(Terminal.objects.filter(shop=shop)))


def at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


def says(device: Device, minute: int, *, holds: int = 0, amount: int = 0) -> None:
    held = Held(holds, {"CDF": Decimal(amount)} if amount else {}, None)
    record_heartbeat(device=device, heartbeat=ParsedHeartbeat(None, held, None), now=at(minute))


def names(reports: object) -> list[str]:
    return [report.terminal_name for report in reports]


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.fixture
def one(shop: Shop) -> Device:
    return make_device(make_terminal(shop, name="Caisse 1"))


@pytest.fixture
def two(shop: Shop) -> Device:
    return make_device(make_terminal(shop, name="Caisse 2"))


def hand_over(device: Device, minute: int, count: int = 1) -> Till:
    """Let the device hand over sales that arrive at `minute` and wait."""
    till = Till(device)
    article = make_article(device.terminal.shop)
    receipt = till.hand_over(*[sale(f"FAC-{minute}-{each}", line(article)) for each in range(count)])
    Batch.objects.filter(receipt=receipt).update(received_at=at(minute))
    return till


def test_it_is_the_earliest_moment_at_which_the_open_tills_said_they_hold_nothing(
    shop: Shop, one: Device, two: Device
) -> None:
    says(one, 10)
    says(two, 5)
    assert watermark_of(shop).until == at(5)
    says(two, 30)
    assert watermark_of(shop).until == at(10)
    assert names(watermark_of(shop).with_completeness(TillCompleteness.COMPLETE)) == ["Caisse 1", "Caisse 2"]


def test_a_till_that_never_reported_is_named_and_no_time_is_given(shop: Shop, one: Device, two: Device) -> None:
    says(one, 10)
    hand_over(two, 3).post_all()
    watermark = watermark_of(shop)
    assert watermark.until is None
    assert [(report.terminal_name, report.said_at, report.last_sent_at) for report in watermark.silent] == [
        ("Caisse 2", None, at(3))
    ]
    says(two, 20)
    assert watermark_of(shop).until == at(10)


def test_a_till_whose_last_word_is_that_it_holds_sales_is_named_with_them(shop: Shop, one: Device, two: Device) -> None:
    says(one, 10)
    says(two, 5)
    says(two, 6, holds=12, amount=184000)
    watermark = watermark_of(shop)
    assert watermark.until is None
    [report] = watermark.holding
    assert (report.terminal_name, report.held_count, report.said_at) == ("Caisse 2", 12, at(6))
    assert [(one.amount, one.currency) for one in report.held_amounts] == [(Decimal(184000), "CDF")]
    says(two, 7)
    assert watermark_of(shop).until == at(7)


def test_what_had_arrived_and_waits_holds_the_time_back_to_the_word_before_it(shop: Shop, one: Device) -> None:
    says(one, 1)
    till = hand_over(one, 3, count=2)
    says(one, 5)
    assert watermark_of(shop).until == at(1)
    till.post_next()
    assert watermark_of(shop).until == at(1)
    till.post_next()
    assert watermark_of(shop).until == at(5)


def test_what_arrived_after_the_word_does_not_hold_it_back(shop: Shop, one: Device) -> None:
    says(one, 5)
    hand_over(one, 6)
    assert watermark_of(shop).until == at(5)


def test_a_till_that_never_held_nothing_before_what_waits_gives_no_time(shop: Shop, one: Device) -> None:
    says(one, 1, holds=2)
    till = hand_over(one, 3)
    says(one, 5)
    watermark = watermark_of(shop)
    assert (watermark.until, names(watermark.waiting)) == (None, ["Caisse 1"])
    till.post_all()
    assert watermark_of(shop).until == at(5)


def test_a_refused_sale_is_settled_and_holds_nothing_back(shop: Shop, one: Device) -> None:
    says(one, 1)
    till = Till(one)
    receipt = till.hand_over({"numero_facture": "X"})
    Batch.objects.filter(receipt=receipt).update(received_at=at(3))
    says(one, 5)
    assert watermark_of(shop).until == at(1)
    till.post_all()
    assert watermark_of(shop).until == at(5)


def test_a_closed_till_is_not_waited_for(shop: Shop, one: Device, two: Device) -> None:
    says(one, 10)
    assert watermark_of(shop).until is None
    Terminal.objects.filter(pk=two.terminal_id).update(state=TerminalState.DISABLED)
    assert watermark_of(shop).until == at(10)
    Terminal.objects.filter(pk=two.terminal_id).update(state=TerminalState.ACTIVE)
    Device.objects.filter(pk=two.pk).update(state=DeviceState.DISABLED)
    assert watermark_of(shop).until == at(10)


def test_a_replaced_device_counts_while_it_is_known_to_hold_sales(shop: Shop, one: Device) -> None:
    says(one, 1, holds=3)
    Device.objects.filter(pk=one.pk).update(state=DeviceState.REPLACED)
    says(make_device(one.terminal), 10)
    watermark = watermark_of(shop)
    assert watermark.until is None
    assert [(report.is_of_replaced_device, report.held_count) for report in watermark.holding] == [(True, 3)]
    says(one, 11)
    assert watermark_of(shop).until == at(10)


def test_a_replaced_device_that_said_nothing_or_held_nothing_is_not_waited_for(shop: Shop, one: Device) -> None:
    says(one, 1)
    mute = make_device(one.terminal)
    Device.objects.filter(pk__in=[one.pk, mute.pk]).update(state=DeviceState.REPLACED)
    says(make_device(one.terminal), 10)
    assert watermark_of(shop).until == at(10)


def test_the_old_devices_word_does_not_speak_for_the_new_one(shop: Shop, one: Device) -> None:
    says(one, 1)
    Device.objects.filter(pk=one.pk).update(state=DeviceState.REPLACED)
    make_device(one.terminal)
    watermark = watermark_of(shop)
    assert (watermark.until, names(watermark.silent)) == (None, ["Caisse 1"])


def test_a_shop_without_an_open_till_has_no_watermark(shop: Shop) -> None:
    assert watermark_of(shop) == Watermark(until=None, reports=())


def test_the_shops_own_pages_are_no_till_but_what_waits_of_them_is_not_complete(shop: Shop, one: Device) -> None:
    says(one, 10)
    written = shop_day.hand_over(office_device(shop), shop_day.sale(make_article(shop)))
    Batch.objects.filter(pk=written.pk).update(received_at=at(3))
    watermark = watermark_of(shop)
    assert (watermark.until, names(watermark.reports)) == (at(3), ["Caisse 1"])
    post_slice(written.terminal_id)
    assert watermark_of(shop).until == at(10)


@pytest.mark.parametrize("owed_minute", [3, 8])
def test_the_last_batch_is_the_last_also_where_its_answer_is_still_owed(
    shop: Shop, one: Device, owed_minute: int
) -> None:
    for minute in (3, 8):
        hand_over(one, minute).post_all()
    Batch.objects.filter(received_at=at(owed_minute)).update(join_key="0" * 64)
    assert [report.last_sent_at for report in watermark_of(shop).reports] == [at(8)]


def test_another_shops_tills_do_not_count(cast: Cast, shop: Shop, one: Device) -> None:
    says(one, 10)
    says(cast.other_device, 1, holds=5)
    hand_over(cast.other_device, 2)
    assert watermark_of(shop).until == at(10)
    assert names(watermark_of(cast.other_shop).holding) == [cast.other_terminal.name]


def test_it_asks_the_same_questions_however_many_tills_there_are(
    shop: Shop, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for each in range(8):
        device = make_device(make_terminal(shop))
        for minute in range(4):
            says(device, minute, holds=each % 2)
        hand_over(device, 2)
        says(device, 5)
    with django_assert_max_num_queries(QUERIES_MAX):
        watermark = watermark_of(shop)
    assert len(watermark.reports) == 8
    assert Heartbeat.objects.count() == 40
