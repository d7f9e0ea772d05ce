"""The gauges that are read from the database, one by one."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import ProgrammingError, connection

from backend.ops import gauges
from backend.ops.gauges import CLOCKS_SHOWN_MAX, GAUGES, Sample, read_desk, read_state
from backend.ops.models import DoctorRun, SweepTurn
from backend.ops.sweeps import TurnNotes
from backend.sales.models import Batch, Lane
from backend.sales.tills.pauses import pause
from backend.shops.models import Device
from backend.testing import Cast, make_article, make_device, make_terminal
from tests.tills import Till, line, sale

pytestmark = [pytest.mark.embedded, pytest.mark.usefixtures("db")]


def figures(samples: list[Sample] | None) -> dict[str, float]:
    assert samples is not None
    return {" ".join((sample.name.removeprefix("caisse_"), *sample.labels)): sample.value for sample in samples}


def test_an_empty_system_says_nothing_that_nobody_knows() -> None:
    found = figures(read_state())
    assert not {name for name in found if name.startswith(("doctor", "sweep"))}
    assert found["migrations_pending"] == found["sales_waiting no"] == found["oldest_waiting_sale_age_seconds no"] == 0
    assert figures(read_desk()) == {
        "desk_entries_open rejected": 0, "desk_entries_open conflict": 0, "desk_entries_open failed": 0,
    }  # fmt: skip


def test_what_waits_is_told_apart_by_whether_it_is_paused() -> None:
    cast = Cast()
    rice = line(cast.rice)
    for till, batches in ((Till(cast.device), 2), (Till(cast.other_device), 1)):
        for number in range(batches):
            till.hand_over(sale(f"FAC-{number}-1", rice), sale(f"FAC-{number}-2", rice))
    Till(cast.device).post_next()
    Batch.objects.filter(terminal=cast.other_terminal).update(received_at=datetime.now(UTC) - timedelta(hours=1))
    pause(shop=cast.other_shop)
    pause(terminal=cast.token_device.terminal)
    found = figures(read_state())
    assert [found[f"{what}_waiting no"] for what in ("sales", "batches", "terminals")] == [3, 2, 1]
    assert [found[f"{what}_waiting yes"] for what in ("sales", "batches", "terminals")] == [2, 1, 1]
    assert 3600 <= found["oldest_waiting_sale_age_seconds yes"] < 3700
    assert found["oldest_waiting_sale_age_seconds no"] < 100
    assert [found[f"pauses {scope}"] for scope in ("all", "shop", "terminal")] == [0, 1, 1]


def test_the_desk_is_counted_by_its_one_rule_in_every_shop() -> None:
    cast = Cast()
    scarce = make_article(cast.shop, stock=1)
    till, other = Till(cast.device), Till(cast.other_device)
    short = sale("FAC-1", line(scarce, quantity=5))
    till.settle(short, short, sale("FAC-2", line(cast.rice)), sale("FAC-2", line(cast.oil)))
    other.settle(sale("FAC-1", line(cast.rice)))
    assert figures(read_desk()) == {
        "desk_entries_open rejected": 2, "desk_entries_open conflict": 1, "desk_entries_open failed": 0,
    }  # fmt: skip


def test_the_desk_reads_no_shop_where_nothing_was_refused(django_assert_num_queries: object) -> None:
    Cast()
    with django_assert_num_queries(1):
        read_desk()


def test_the_worst_clocks_are_told_and_all_are_counted() -> None:
    cast = Cast()
    for number in range(CLOCKS_SHOWN_MAX + 5):
        skew_s = (1000 + number) * (-1) ** number
        device = make_device(make_terminal(cast.shop, name="Caisse"))
        Device.objects.filter(pk=device.pk).update(clock_skew_s=skew_s)
    Device.objects.filter(pk=cast.device.pk).update(clock_skew_s=299)
    samples = read_state()
    assert figures(samples)["tills_clock_wrong"] == CLOCKS_SHOWN_MAX + 5
    told = [sample for sample in samples if sample.name == "caisse_till_clock_skew_seconds"]
    assert len({sample.labels for sample in told}) == len(told) == CLOCKS_SHOWN_MAX
    assert min(abs(sample.value) for sample in told) == 1005
    assert {sample.labels[0] for sample in told} == {"BTQ-009"}


def test_lanes_sweeps_and_the_doctor_are_read() -> None:
    cast = Cast()
    Till(cast.device).settle({"numero_facture": "AVO-1", "type": "annulation", "origine": {"numero_facture": "FAC-9"}})
    Lane.objects.update(starts=5)
    now = datetime.now(UTC)
    DoctorRun.objects.create(at=now - timedelta(days=2), duration_s=1, finding_count=7)
    DoctorRun.objects.create(at=now - timedelta(days=1), duration_s=1, finding_count=3)
    SweepTurn.objects.create(sweep="far-away:1", at=now - timedelta(seconds=40))
    found = figures(read_state())
    assert found["documents_waiting"] == 1
    assert found["lane_starts_max"] == 5
    assert found["doctor_findings"] == 3
    assert found["doctor_last_run_age_seconds"] == pytest.approx(86400, abs=60)
    assert found["sweep_last_turn_age_seconds"] == pytest.approx(40, abs=30)


def test_a_sweep_notes_its_turns_and_forgets_those_of_long_ago() -> None:
    SweepTurn.objects.create(sweep="gone:1", at=datetime.now(UTC) - timedelta(days=2))
    notes = TurnNotes()
    notes.note()
    (turn,) = SweepTurn.objects.all()
    SweepTurn.objects.update(at=turn.at - timedelta(seconds=20))
    notes.note()
    assert SweepTurn.objects.get().at < turn.at, "noted again within a moment"
    TurnNotes().note()
    assert SweepTurn.objects.get().at > turn.at


def test_a_sweep_goes_on_when_its_turn_cannot_be_noted() -> None:
    def refuse(*_: object) -> None:
        raise ProgrammingError(1146, "Table 'ops_sweepturn' doesn't exist")

    with connection.execute_wrapper(refuse):
        TurnNotes().note()


def test_a_migration_that_is_not_applied_is_counted_and_hides_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'ops'")
        gone = cursor.rowcount
    monkeypatch.setattr(gauges, "_migrations", gauges._Migrations())
    found = figures(read_state())
    assert found["migrations_pending"] == gone
    assert "sales_waiting no" in found


def test_every_gauge_of_the_state_is_declared() -> None:
    assert {sample.name for sample in (*read_state(), *read_desk())} <= set(GAUGES)
