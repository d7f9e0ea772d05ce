"""`manage.py doctor` as people and scripts call it: exit codes, text, JSON, repairs, and what it never does."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from structlog.testing import capture_logs

from backend.db.database_url import SESSION_WAIT_TIMEOUT_S
from backend.db.dialect import is_sqlite
from backend.db.server_settings import read_variables
from backend.doctor import runner
from backend.doctor.registry import FINDINGS_MAX, Check, Finding, Repair, Scope
from backend.doctor.runner import LOOK_WAIT_TIMEOUT_S, REPAIRS_AT_ONCE, checks_for
from backend.sales.models import Batch, Pause
from backend.shops.models import Shop
from backend.testing import Cast
from tests.doctor.examination import only_these_tables_change
from tests.plugin import Rig
from tests.shop_day import fill, hand_over, post, sale
from tests.tills import Till

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.embedded


def run(*arguments: str) -> tuple[int, str]:
    """Return the exit code and what was printed."""
    out = io.StringIO()
    try:
        call_command("doctor", *arguments, stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def run_json(*arguments: str) -> tuple[int, dict]:
    code, text = run("--json", *arguments)
    return code, json.loads(text)


@pytest.fixture
def only_check(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Give the doctor a single check, made by the test."""

    def replace(look, **fields: object) -> None:
        one = Check(**{"name": "own", "promise": "P5", "title": "Le mien", "look": look, **fields})
        monkeypatch.setattr(runner, "CHECKS", [one])

    return replace


def test_a_shop_in_order_is_0(cast: Cast) -> None:
    post(cast.device, sale(cast.rice), sale(cast.oil))
    code, text = run()
    assert code == 0, text
    assert " 0 constat," in text


def test_a_day_with_something_of_everything_is_in_order(cast: Cast) -> None:
    fill(cast)
    code, text = run()
    assert code == 0, text


def test_a_finding_is_1_and_is_told_with_its_meaning(cast: Cast) -> None:
    Shop.objects.filter(pk=cast.shop.pk).update(timezone="Lune/Mer")
    code, text = run()
    assert code == 1
    assert "! Boutique BTQ-009 : fuseau horaire inconnu « Lune/Mer »." in text
    assert "Aucune vente de cette boutique ne peut être enregistrée" in text


@pytest.mark.parametrize("arguments", [("--shop", "BTQ-000"), ("--shop", "BTQ-009", "--terminal", "x")])
def test_wrong_arguments_are_2(cast: Cast, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as refused:
        run(*arguments)
    assert refused.value.returncode == 2


def test_one_shop_is_asked_about_alone(cast: Cast) -> None:
    Shop.objects.filter(pk=cast.shop.pk).update(timezone="Lune/Mer")
    assert run("--shop", "BTQ-777")[0] == 0
    code, report = run_json("--shop", "BTQ-009")
    assert code == 1
    assert report["scope"] == {"shop": "BTQ-009", "terminal": None}
    names = {check["name"] for check in report["checks"]}
    assert "shop_timezones" in names
    assert "sequence_uniqueness" not in names


def test_the_json_has_the_same_keys_whatever_is_found(cast: Cast) -> None:
    Shop.objects.filter(pk=cast.shop.pk).update(timezone="Lune/Mer")
    Pause.objects.create(scope="shop:999999", shop_id=999_999)
    _, report = run_json()
    assert set(report) == {"scope", "fix", "following", "checks"}
    keys = {"name", "promise", "title", "cost", "finding_count", "note_count", "repaired_count", "repaired", "failed"}
    for check in report["checks"]:
        assert set(check) == keys | {"findings"}
        for finding in check["findings"]:
            assert set(finding) == {"found", "means", "fix", "is_note"}
    by_name = {check["name"]: check for check in report["checks"]}
    assert by_name["orphan_pauses"]["findings"][0]["fix"] == "Supprimer cette pause."
    assert by_name["shop_timezones"]["findings"][0]["fix"] is None


def test_the_checks_run_in_the_order_of_the_promises() -> None:
    numbers = [int(check.promise.removeprefix("P") or 99) for check in checks_for(Scope())]
    assert numbers == sorted(numbers)
    names = [check.name for check in checks_for(Scope())]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("promise", [f"P{number}" for number in range(1, 13)])
def test_every_promise_has_a_check(promise: str) -> None:
    assert [check.name for check in checks_for(Scope()) if check.promise == promise]


def test_nothing_is_changed_without_fix(cast: Cast) -> None:
    late = hand_over(cast.device, sale(cast.rice))
    Batch.objects.filter(pk=late.pk).update(received_at=datetime.now(UTC) - timedelta(hours=1))
    Pause.objects.create(scope="shop:999999", shop_id=999_999)
    with only_these_tables_change("ops_doctorrun"):
        code, text = run()
    assert code == 1
    assert text.count("--fix : ") == 2


def test_fix_repairs_and_logs_who_did_what(cast: Cast) -> None:
    Pause.objects.create(scope="shop:999999", shop_id=999_999)
    with capture_logs() as logs, only_these_tables_change("sales_pause", "ops_doctorrun"):
        code, text = run("--fix")
    assert code == 0, text
    assert "réparé : Pause shop:999999" in text
    (logged,) = [entry for entry in logs if entry["event"] == "repaired"]
    assert (logged["check"], logged["before"], logged["after"]) == ("orphan_pauses", "shop:999999", None)
    assert "@" in logged["by"]
    assert run("--fix") == run()


def test_one_till_is_followed_and_then_examined(cast: Cast) -> None:
    post(cast.device, sale(cast.rice))
    code, text = run("--terminal", cast.device.serial)
    assert code == 0, text
    assert "Conclusion : 1 vente arrivée, 1 enregistrée, visible dans la boutique BTQ-009." in text
    assert "(long_pauses) : rien à signaler" in text
    _, report = run_json("--terminal", cast.device.serial)
    assert report["scope"] == {"shop": "BTQ-009", "terminal": cast.device.serial}
    assert set(report["following"]) == {"serial", "conclusion", "is_fault", "steps"}
    assert set(report["following"]["steps"][0]) == {"title", "is_fault", "sentences"}


def test_a_serial_that_nobody_knows_is_followed_too(cast: Cast) -> None:
    Till(cast.device).send_sales(sale(cast.rice), X_Device_Serial="inconnu-01")
    code, report = run_json("--terminal", "inconnu-01")
    assert code == 1
    assert "404 terminal_inconnu" in report["following"]["steps"][0]["sentences"][0]
    assert report["checks"] == []


def test_a_check_that_breaks_is_a_finding_and_the_others_run(
    cast: Cast, only_check: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_scope: Scope) -> Iterator[Finding]:
        yield Finding("d'abord ceci", "x")
        raise ZeroDivisionError("par zéro")

    only_check(broken)
    code, report = run_json()
    (check,) = report["checks"]
    assert code == 1
    assert [finding["found"] for finding in check["findings"]] == [
        "D'abord ceci.",
        "Le contrôle n'a pas pu aller au bout : ZeroDivisionError par zéro.",
    ]


def test_the_first_findings_are_shown_and_all_are_counted(cast: Cast, only_check: object) -> None:
    only_check(lambda _scope: (Finding(f"constat {number}", "x") for number in range(FINDINGS_MAX + 3)))
    _, text = run()
    assert text.count("   ! ") == FINDINGS_MAX
    assert "… et 3 de plus." in text


def test_a_note_alone_is_0(cast: Cast, only_check: object) -> None:
    only_check(lambda _scope: iter([Finding("à savoir", "x", is_note=True)]))
    code, text = run()
    assert (code, "· À savoir." in text) == (0, True)


def test_more_faults_than_are_kept_are_all_repaired(cast: Cast, only_check: object) -> None:
    broken = set(range(REPAIRS_AT_ONCE + 5))
    only_check(
        lambda _scope: (
            Finding(f"{one}", "x", Repair("Guérir.", lambda one=one: broken.remove(one))) for one in sorted(broken)
        )
    )
    code, report = run_json("--fix")
    assert (code, broken, report["checks"][0]["repaired_count"]) == (0, set(), REPAIRS_AT_ONCE + 5)


def test_a_repair_that_fails_is_told_and_the_next_is_tried(cast: Cast, only_check: object) -> None:
    broken = {"a", "b"}

    def repair(one: str) -> None:
        if one == "a":
            Pause.objects.create(scope="half-done")
            raise ValueError("impossible")
        broken.remove(one)

    only_check(
        lambda _scope: (
            Finding(f"faute {one}", "x", Repair("Guérir.", lambda one=one: repair(one))) for one in sorted(broken)
        )
    )
    code, report = run_json("--fix")
    (check,) = report["checks"]
    assert code == 1
    # Two passes: after the second, nothing has improved.
    assert check["failed"] == ["Faute a. (ValueError impossible)"] * 2
    assert check["repaired"] == ["Faute b."]
    assert [finding["found"] for finding in check["findings"]] == ["Faute a."]
    assert not Pause.objects.exists()


def test_a_repair_that_does_not_help_ends(cast: Cast, only_check: object) -> None:
    only_check(lambda _scope: iter([Finding("toujours là", "x", Repair("Guérir.", lambda: None))]))
    code, report = run_json("--fix")
    assert (code, report["checks"][0]["finding_count"]) == (1, 1)


def run_outside(database_url: str, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", "doctor", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url, "BROKER_URL": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_before_the_first_start_it_says_so_and_makes_no_file(tmp_path: Path) -> None:
    done = run_outside(f"sqlite:///{tmp_path}/caisse.sqlite3")
    assert (done.returncode, done.stderr) == (1, "")
    assert "encore vide" in done.stdout
    assert list(tmp_path.iterdir()) == []
    assert "encore vide" in json.loads(run_outside(f"sqlite:///{tmp_path}/caisse.sqlite3", "--json").stdout)["error"]


def test_a_database_that_is_away_is_one_sentence() -> None:
    pytest.importorskip("MySQLdb")
    done = run_outside("mysql://root@127.0.0.1:1/caisse")
    assert done.returncode == 1
    assert done.stdout.startswith("La base ne répond pas : ")
    assert done.stderr == ""


def test_an_argument_that_does_not_exist_is_2(tmp_path: Path) -> None:
    assert run_outside(f"sqlite:///{tmp_path}/caisse.sqlite3", "--autre").returncode == 2


def test_as_a_process_it_examines_what_is_really_committed(real_database: None, rig: Rig) -> None:
    cast = Cast()
    post(cast.device, sale(cast.rice))
    done = run_outside(rig.database_url)
    assert done.returncode == 0, done.stdout + done.stderr
    Pause.objects.create(scope="shop:999999", shop_id=999_999)
    assert run_outside(rig.database_url).returncode == 1
    done = run_outside(rig.database_url, "--fix")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "repaired" in done.stderr
    assert not Pause.objects.exists()


def test_it_looks_patiently_and_repairs_as_anybody(real_database: None, only_check: object) -> None:
    """Sums over years may take long, because they hold no lock. Repairs hold locks, and are cut after seconds."""
    if is_sqlite(connection):
        pytest.skip("SQLite cuts nobody")
    waits: list[int] = []

    def note() -> None:
        waits.append(int(read_variables(connection, "wait_timeout")["wait_timeout"]))

    def look(_scope: Scope) -> Iterator[Finding]:
        note()
        if len(waits) == 1:
            yield Finding("une faute", "x", Repair("Guérir.", note))

    only_check(look)
    usual = connection.settings_dict["OPTIONS"]["read_timeout"]
    assert run("--fix")[0] == 0
    assert waits == [LOOK_WAIT_TIMEOUT_S, SESSION_WAIT_TIMEOUT_S, LOOK_WAIT_TIMEOUT_S]
    assert connection.settings_dict["OPTIONS"]["read_timeout"] == usual
