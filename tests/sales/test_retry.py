"""Retries: a sale is decided again as its posting would, once, and nothing else changes."""

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any, NoReturn

import pytest
import redis
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

from backend.inventory.models import StockMovement
from backend.sales.errors import InternalFailure, sentence_of
from backend.sales.models import Batch, InvoiceSequence, Lane, OutcomeHistory, Sale, SaleOutcome
from backend.sales.posting import decision, failpoints, post_sale, sql
from backend.sales.posting.context import Inspection, PostingContext
from backend.sales.posting.document import Posting
from backend.sales.repair import retry
from backend.sales.repair.open_entries import open_entries
from backend.sales.repair.retry import Obstacle, RetryResult, retry_outcome
from backend.sales.tills.pauses import pause, resume
from backend.testing import Cast, make_device, make_terminal
from tests.invariants import check_invariants
from tests.plugin import Rig
from tests.tills import BASE, Till, line, sale, stock_of


def broken(*_: Any, **__: Any) -> NoReturn:
    raise RuntimeError("a bug of ours")


def fail(till: Till, *sales: dict[str, Any], only: str = "") -> str:
    """Post these sales while a bug breaks them all, or the one numbered `only`; return their receipt."""
    record = decision.record

    def break_some(cursor: Any, of: Posting) -> Any:
        return record(cursor, of) if only and of.sale.number != only else broken()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decision, "record", break_some)
        receipt = till.hand_over(*sales)
        till.post_all()
    return receipt


def outcome_of(receipt: str, position: int = 1) -> SaleOutcome:
    return SaleOutcome.objects.get(batch__receipt=receipt, position=position)


def retry_at(receipt: str, position: int = 1, *, reason: str = "corrigé") -> RetryResult:
    batch = Batch.objects.get(receipt=receipt)
    return retry_outcome(batch_id=batch.pk, position=position, author="Alice", reason=reason)


def turn(attempt: RetryResult) -> tuple[str, str]:
    return attempt.before.status, attempt.after.status


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("retry", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.embedded
def test_a_failed_sale_is_recorded_as_if_nothing_had_happened(cast: Cast, till: Till) -> None:
    receipt = fail(till, sale("FAC-1", line(cast.rice, quantity=2)), sale("FAC-2", line(cast.rice)), only="FAC-1")
    before = till.receipt(receipt)
    etag = till.get(f"/api/v2/simple/ventes/recus/{receipt}")["ETag"]
    old = outcome_of(receipt)

    attempt = retry_at(receipt)

    assert (turn(attempt), attempt.obstacle, attempt.has_changed) == (("failed", "created"), None, True)
    after = till.receipt(receipt)
    assert [(one["numero_facture"], one["status"]) for one in after["details"]["creees"]] == [
        ("FAC-1", "created"), ("FAC-2", "created"),
    ]  # fmt: skip
    assert (after["version"], after["success"]) == (before["version"] + 1, True)
    assert (after["ventes_creees"], after["ventes_erreurs"]) == (2, 0)
    assert till.get(f"/api/v2/simple/ventes/recus/{receipt}", If_None_Match=etag).status_code == 200
    assert [one["index"] for one in till.receipt(receipt, f"?depuis={before['version']}")["details"]["creees"]] == [1]
    kept = OutcomeHistory.objects.get()
    assert (kept.status, kept.code, kept.at, kept.author, kept.reason) == (
        "failed", "echec_interne", old.at, "Alice", "corrigé",
    )  # fmt: skip
    new = outcome_of(receipt)
    assert new.at > old.at
    assert (new.document.number, new.amount, str(new.document.total)) == ("FAC-1", 50000, "50000.00")
    assert stock_of(cast.rice) == 97
    check_invariants()


@pytest.mark.embedded
def test_a_second_try_finds_nothing_left_to_do(cast: Cast, till: Till) -> None:
    receipt = fail(till, sale("FAC-1", line(cast.rice)))
    retry_at(receipt)
    again = retry_at(receipt)
    assert (turn(again), again.obstacle, again.was_prevented) == (("created", "created"), Obstacle.DONE, False)
    assert (Sale.objects.count(), OutcomeHistory.objects.count(), stock_of(cast.rice)) == (1, 1, 99)
    check_invariants()


@pytest.mark.embedded
def test_the_till_finds_it_in_its_change_feed(cast: Cast, till: Till) -> None:
    receipt = fail(till, sale("FAC-1", line(cast.rice)))
    changes = f"{BASE}ventes/changements"
    cursor = till.get(changes).json()["curseur"]
    retry_at(receipt)
    told = till.get(f"{changes}?depuis={cursor}").json()["ventes"]
    assert [(one["recu"], one["index"], one["status"], one["action"]) for one in told] == [
        (receipt, 1, "created", "purger"),
    ]


@pytest.mark.embedded
def test_the_same_outcome_writes_nothing(cast: Cast, till: Till) -> None:
    receipt = till.hand_over(
        sale("FAC-1", line(cast.rice)), sale("FAC-1", line(cast.oil)), sale("FAC-2", line(cast.rice, quantity=500))
    )
    till.post_all()
    before = till.receipt(receipt)
    assert till.outcomes() == ["created", "conflict", "rejected"]
    for position in (2, 3):
        attempt = retry_at(receipt, position)
        assert (attempt.obstacle, attempt.has_changed) == (None, False)
    assert till.receipt(receipt) == before
    assert not OutcomeHistory.objects.exists()


@pytest.mark.embedded
def test_a_refused_sale_whose_reason_is_gone_is_recorded(cast: Cast, till: Till) -> None:
    receipt = till.hand_over(sale("FAC-1", line(cast.rice, quantity=500)))
    till.post_all()
    till.settle_one(sale("FAC-2", line(cast.rice)))
    assert turn(retry_at(receipt)) == ("rejected", "rejected")
    assert sentence_of(outcome_of(receipt), "fr").endswith("(demandé 500, disponible 99)")
    assert sentence_of(OutcomeHistory.objects.get(), "fr").endswith("(demandé 500, disponible 100)")
    cast.shop.stock_policy = "accept"
    cast.shop.save(update_fields=["stock_policy"])
    assert turn(retry_at(receipt)) == ("rejected", "created")
    assert stock_of(cast.rice) == -401
    check_invariants()


@pytest.mark.embedded
def test_a_sale_set_aside_and_a_duplicate_are_left_alone(cast: Cast, till: Till) -> None:
    receipt = till.hand_over(
        sale("FAC-1", line(cast.rice)), sale("FAC-1", line(cast.rice)), sale("FAC-2", line(cast.oil))
    )
    till.post_all()
    SaleOutcome.objects.filter(position=3).update(status="set_aside", code="ecartee", document=None)
    for position in (1, 2, 3):
        assert retry_at(receipt, position).obstacle is Obstacle.DONE
    assert till.outcomes() == ["created", "duplicate", "set_aside"]


@pytest.mark.embedded
def test_a_sale_that_a_resend_has_recorded_becomes_its_duplicate(cast: Cast, till: Till) -> None:
    receipt = fail(till, sale("FAC-1", line(cast.rice)))
    resent = till.settle_one(sale("FAC-1", line(cast.rice)))
    assert turn(retry_at(receipt)) == ("failed", "duplicate")
    (entry,) = till.receipt(receipt)["details"]["erreurs"]
    assert (entry["action"], entry["id"]) == ("purger", resent["id"])
    assert till.receipt(receipt)["statistiques"] == {"total_envoyees": 1, "reussies": 0, "erreurs": 1, "doublons": 1}
    assert (Sale.objects.count(), stock_of(cast.rice)) == (1, 99)
    check_invariants()


@pytest.mark.embedded
def test_a_sale_whose_number_other_content_took_meanwhile_is_a_conflict(cast: Cast, till: Till) -> None:
    receipt = fail(till, sale("FAC-1", line(cast.rice)))
    till.settle_one(sale("FAC-1", line(cast.oil)))
    assert turn(retry_at(receipt)) == ("failed", "conflict")
    assert open_entries(shop_id=cast.shop.pk).count() == 1
    assert stock_of(cast.rice) == 100
    check_invariants()


VOID = {"type": "annulation", "numero_facture": "AVO-1", "origine": {"numero_facture": "FAC-1"}}


@pytest.mark.embedded
def test_a_follower_that_waits_for_the_sale_is_woken_by_its_retry(cast: Cast, till: Till) -> None:
    waiting = fail(till, VOID)
    receipt = fail(till, sale("FAC-1", line(cast.rice)), {**VOID, "numero_facture": "AVO-2"})
    # The voids failed too: now they become what they would have been, deferred documents.
    assert till.outcomes() == ["failed"] * 3
    assert turn(retry_at(waiting))[1] == "deferred"
    assert turn(retry_at(receipt, 2)) == ("failed", "deferred")
    assert Lane.objects.get(pk=cast.terminal.pk).waiting_documents == 2
    assert turn(retry_at(receipt)) == ("failed", "created")
    assert till.outcomes() == ["voided", "created", "rejected"]
    assert Lane.objects.get(pk=cast.terminal.pk).waiting_documents == 0
    settled = till.receipt(receipt)
    assert (settled["ventes_creees"], settled["ventes_erreurs"], settled["version"]) == (1, 1, 5)
    assert stock_of(cast.rice) == 100
    check_invariants()


@pytest.mark.embedded
def test_a_follower_whose_posting_raises_does_not_keep_its_origin_from_being_recorded(cast: Cast, till: Till) -> None:
    till.settle(VOID)
    receipt = fail(till, sale("FAC-1", line(cast.rice)))
    with pytest.MonkeyPatch.context() as patch:
        record = decision.record
        patch.setattr(
            decision, "record", lambda cursor, of: broken() if of.sale.number == "AVO-1" else record(cursor, of)
        )
        assert turn(retry_at(receipt)) == ("failed", "created")
    assert till.outcomes() == ["deferred", "created"]
    assert Lane.objects.get(pk=cast.terminal.pk).waiting_documents == 1
    run("--status", "deferred")
    assert till.outcomes() == ["voided", "created"]
    assert Lane.objects.get(pk=cast.terminal.pk).waiting_documents == 0
    check_invariants()


@pytest.mark.embedded
def test_a_bug_that_is_still_there_leaves_everything_as_it_was(cast: Cast, till: Till) -> None:
    receipt = fail(till, sale("FAC-1", line(cast.rice)))
    before = till.receipt(receipt)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(failpoints, "_verb", "raise")
        patch.setattr(failpoints, "_point", "numbered")
        attempt = retry_at(receipt)
    assert (turn(attempt), attempt.obstacle, attempt.was_prevented) == (("failed", "failed"), Obstacle.BROKEN, True)
    assert till.receipt(receipt) == before
    assert (Sale.objects.count(), StockMovement.objects.filter(type="VENTE").count(), stock_of(cast.rice)) == (
        0,
        0,
        100,
    )
    assert turn(retry_at(receipt)) == ("failed", "created")
    check_invariants()


@pytest.mark.embedded
def test_a_transient_error_is_tried_again(cast: Cast, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = fail(till, sale("FAC-1", line(cast.rice)))
    for name, value in (("_verb", "wear"), ("_point", "numbered"), ("_times_left", 3)):
        monkeypatch.setattr(failpoints, name, value)
    assert turn(retry_at(receipt)) == ("failed", "created")
    assert (Sale.objects.count(), OutcomeHistory.objects.count(), stock_of(cast.rice)) == (1, 1, 99)
    check_invariants()


@pytest.mark.embedded
def test_a_sale_that_failed_unread_gets_its_number_and_fingerprint(cast: Cast, till: Till) -> None:
    receipt = till.hand_over(sale("FAC-1", line(cast.rice)))
    post_sale.settle_as_failed(PostingContext(cast.terminal.pk), InternalFailure("mort"), inspection=Inspection.NONE)
    assert outcome_of(receipt).number == ""
    assert turn(retry_at(receipt)) == ("failed", "created")
    assert [one["status"] for one in till.look_up_statuses("FAC-1")] == ["created"]
    assert open_entries(shop_id=cast.shop.pk).count() == 0
    check_invariants()


@pytest.mark.embedded
@pytest.mark.parametrize(("is_closed", "day"), [(False, "2024-10-31"), (True, "2024-11-20")])
def test_the_day_is_that_of_the_batchs_arrival(cast: Cast, till: Till, is_closed: bool, day: str) -> None:
    arrived = datetime(2024, 11, 20, 12, tzinfo=UTC)
    receipt = till.hand_over(sale("FAC-1", line(cast.rice), date_vente="2024-10-31T10:00:00+01:00"))
    Batch.objects.update(received_at=arrived)
    post_sale.settle_as_failed(PostingContext(cast.terminal.pk), InternalFailure("bug"))
    if is_closed:
        InvoiceSequence.objects.create(shop=cast.shop, year=2024, month=10, closed_at=arrived)
    assert turn(retry_at(receipt)) == ("failed", "created")
    document = Sale.objects.get()
    assert (str(document.business_day), document.warnings) == (day, ["mois_clos"] if is_closed else [])
    assert document.registration_number == f"FAC-BTQ-009-{day[:7].replace('-', '')}-000001"
    check_invariants()


@pytest.mark.embedded
def test_a_pause_stops_a_retry_too(cast: Cast, till: Till) -> None:
    receipt = fail(till, sale("FAC-1", line(cast.rice)))
    pause(terminal=cast.terminal, reason="inventaire")
    attempt = retry_at(receipt)
    assert (turn(attempt), attempt.obstacle, attempt.was_prevented) == (("failed", "failed"), Obstacle.PAUSED, True)
    resume(terminal=cast.terminal)
    assert turn(retry_at(receipt)) == ("failed", "created")


@pytest.mark.embedded
def test_a_sale_of_a_batch_that_is_still_being_posted_may_be_tried(cast: Cast, till: Till) -> None:
    receipt = till.hand_over(*(sale(f"FAC-{at}", line(cast.rice)) for at in range(3)))
    post_sale.settle_as_failed(PostingContext(cast.terminal.pk), InternalFailure("bug"))
    assert turn(retry_at(receipt)) == ("failed", "created")
    assert till.receipt(receipt)["statut"] == "en_cours"
    till.post_all()
    assert till.outcomes() == ["created"] * 3
    assert till.receipt(receipt)["version"] == 4
    check_invariants()


# The command.


@pytest.fixture
def morning(cast: Cast, till: Till) -> list[Till]:
    """Two tills of Alice's and Charlie's one, all of whose sales a bug broke; Alice's have one refusal each."""
    tills = [till, Till(make_device(make_terminal(cast.shop, name="Caisse 2"))), Till(cast.other_device)]
    for one, article in zip(tills, (cast.rice, cast.oil, cast.other_article), strict=True):
        fail(one, sale("FAC-1", line(article)), sale("FAC-2", line(article)))
        one.settle(sale("FAC-3", line(article, quantity=500)))
    return tills


@pytest.mark.embedded
def test_the_command_tries_all_that_failed_and_nothing_else(cast: Cast, morning: list[Till]) -> None:
    said = run("--status", "failed")
    assert said.splitlines()[-2:] == ["failed → created: 6", "6 in all."]
    for till in morning:
        assert till.outcomes() == ["created", "created", "rejected"]
    kept = OutcomeHistory.objects.values_list("author", "reason").distinct()
    assert list(kept) == [("Exploitation", "Reprise après une erreur de notre côté")]
    assert run("--status", "failed").splitlines() == ["0 in all."]
    check_invariants()


@pytest.mark.embedded
def test_a_dry_run_says_what_would_be_tried_and_tries_nothing(cast: Cast, morning: list[Till]) -> None:
    said = run("--status", "failed", "--dry-run").splitlines()
    assert said[:3] == [
        "BTQ-009\tTerminal MAUI\techec_interne\t2",
        f"BTQ-777\t{cast.other_terminal.name}\techec_interne\t2",
        "BTQ-009\tCaisse 2\techec_interne\t2",
    ]
    assert [text.split("\t")[1] for text in said[3:9]] == ["FAC-1", "FAC-2"] * 3
    assert said[-1] == "6 would be tried."
    assert len(said) == 3 + 6 + 1
    assert not Sale.objects.exists()
    assert not OutcomeHistory.objects.exists()


@pytest.mark.embedded
def test_the_command_tries_only_what_its_options_name(cast: Cast, morning: list[Till]) -> None:
    def would(*arguments: str) -> str:
        return run("--dry-run", *arguments).splitlines()[-1]

    failed = ("--status", "failed")
    first = SaleOutcome.objects.filter(status="failed", terminal=cast.terminal).order_by("position").first()
    later = (first.at + timedelta(hours=1)).isoformat()
    for arguments, count in (
        ((*failed, "--shop", "BTQ-009"), 4),
        ((*failed, "--terminal", morning[1].device.serial), 2),
        ((*failed, "--shop", "BTQ-777", "--terminal", morning[1].device.serial), 0),
        ((*failed, "--code", "echec_interne"), 6),
        ((*failed, "--code", "stock_insuffisant"), 0),
        (("--status", "rejected", "--code", "stock_insuffisant"), 3),
        ((*failed, "--since", first.at.isoformat()), 6),
        ((*failed, "--since", f"{first.at:%Y-%m-%d}"), 6),
        ((*failed, "--since", later), 0),
        ((*failed, "--limit", "5"), 5),
        ((*failed, "--skip", f"{first.batch.receipt}:1"), 5),
    ):
        assert would(*arguments) == f"{count} would be tried.", arguments


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--shop", "BTQ-000"), "No shop has the code BTQ-000"),
        (("--terminal", "rien"), "No device has the serial rien"),
        (("--since", "hier"), "hier is not an ISO date or time"),
    ],
)
def test_the_command_names_an_unknown_argument(cast: Cast, arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        run("--status", "failed", *arguments)


@pytest.mark.embedded
def test_the_order_of_each_till_is_kept(cast: Cast, till: Till) -> None:
    """A void that failed together with its sale finds it: the sale came first and is tried first."""
    fail(till, sale("FAC-1", line(cast.rice)), VOID)
    fail(till, sale("FAC-2", line(cast.rice)))
    run("--status", "failed")
    assert list(Sale.objects.order_by("register_number").values_list("number", flat=True)) == [
        "FAC-1",
        "AVO-1",
        "FAC-2",
    ]
    assert till.outcomes() == ["created", "voided", "created"]


@pytest.mark.embedded
def test_a_sale_that_raises_stops_no_other_and_is_reported(cast: Cast, morning: list[Till]) -> None:
    record = decision.record
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            decision,
            "record",
            lambda cursor, of: (
                broken() if (of.sale.number, of.shop.code) == ("FAC-1", "BTQ-777") else record(cursor, of)
            ),
        )
        with pytest.raises(CommandError, match="1 could not be tried"):
            run("--status", "failed")
    assert [till.outcomes() for till in morning] == [
        ["created", "created", "rejected"], ["created", "created", "rejected"], ["failed", "created", "rejected"],
    ]  # fmt: skip
    check_invariants()


# Two at once.


@pytest.fixture
def real_cast(real_database: None) -> Cast:
    return Cast()


def test_a_lane_that_stays_busy_is_reported_and_a_released_one_is_waited_for(
    real_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = Till(real_cast.device)
    receipt = fail(till, sale("FAC-1", line(real_cast.rice)))
    is_held, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                assert sql.claim_lane(cursor, terminal_id=real_cast.terminal.pk)
                is_held.set()
                may_go.wait(20)
        finally:
            connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    assert is_held.wait(10)
    with monkeypatch.context() as patch:
        patch.setattr(retry, "LANE_TRIES_MAX", 3)
        attempt = retry_at(receipt)
    assert (turn(attempt), attempt.obstacle, attempt.was_prevented) == (("failed", "failed"), Obstacle.BUSY, True)
    threading.Timer(0.3, may_go.set).start()
    assert turn(retry_at(receipt)) == ("failed", "created")
    holder.join()
    check_invariants()


def test_a_till_that_sends_again_while_its_sales_are_tried_again_has_each_recorded_once(real_cast: Cast) -> None:
    till = Till(real_cast.device)
    sales = [sale(f"FAC-{at}", line(real_cast.rice)) for at in range(40)]
    receipt = fail(till, *sales)
    begin = threading.Barrier(2)

    def resend() -> None:
        try:
            for at in range(39, 19, -1):
                if at == 38:
                    begin.wait(60)
                till.hand_over(sales[at])
                till.post_all()
        finally:
            connections.close_all()

    other = threading.Thread(target=resend)
    other.start()
    begin.wait(60)
    said = run("--status", "failed")
    other.join()
    till.post_all()
    outcomes = [outcome_of(receipt, at).status for at in range(1, 41)]
    # Sent again are the later half, one of them before anything was tried again: where the two meet is chance.
    assert set(outcomes[20:39]) <= {"created", "duplicate"}, said
    assert (outcomes[:20], outcomes[39]) == (["created"] * 20, "duplicate")
    assert (Sale.objects.count(), stock_of(real_cast.rice)) == (40, 60)
    check_invariants()


def test_two_retries_of_the_same_sales_record_each_once(real_cast: Cast) -> None:
    till = Till(real_cast.device)
    fail(till, *(sale(f"FAC-{at}", line(real_cast.rice)) for at in range(30)))

    def try_all() -> None:
        try:
            run("--status", "failed")
        finally:
            connections.close_all()

    others = [threading.Thread(target=try_all) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert till.outcomes() == ["created"] * 30
    assert (Sale.objects.count(), OutcomeHistory.objects.count(), stock_of(real_cast.rice)) == (30, 30, 70)
    check_invariants()


def test_a_sale_that_kills_the_command_stays_failed_and_can_be_left_out(
    real_cast: Cast, rig: Rig, tmp_path: Path
) -> None:
    till = Till(real_cast.device)
    receipt = fail(till, *(sale(f"FAC-{at}", line(real_cast.rice)) for at in (1, 2, 3)))

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", "retry", "--status", "failed", *arguments],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "DATABASE_URL": rig.database_url, "FAULT": "kill@numbered", "FAULT_NUMBER": "FAC-2"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    killed = command()
    assert killed.returncode == -signal.SIGKILL
    assert killed.stdout.splitlines()[-1].startswith(f"{receipt}:2\tFAC-2\t")
    assert till.outcomes() == ["created", "failed", "failed"]
    left_out = command("--skip", f"{receipt}:2")
    assert left_out.returncode == 0, left_out.stderr
    assert till.outcomes() == ["created", "failed", "created"]
    assert stock_of(real_cast.rice) == 98
    check_invariants()


def test_the_lane_is_rung_for_after_a_retry_kept_it_busy(real_cast: Cast, rig: Rig) -> None:
    till = Till(real_cast.device)
    receipt = fail(till, sale("FAC-1", line(real_cast.rice)), sale("FAC-2", line(real_cast.rice)))
    with redis.Redis.from_url(rig.broker_url) as broker:
        rings = broker.llen("sales")
        retry_at(receipt, 1)
        assert broker.llen("sales") == rings
        till.hand_over(sale("FAC-3", line(real_cast.rice)))
        rings = broker.llen("sales")
        # A worker that took the till's ring meanwhile has found the lane busy and gone away.
        retry_at(receipt, 2)
        assert broker.llen("sales") == rings + 1
