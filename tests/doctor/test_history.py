"""What `manage.py doctor` stores of its runs, and that a failure to store it does not change its report."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError

from backend.doctor import runner
from backend.doctor.registry import Check, Finding
from backend.ops import doctor_history
from backend.ops.doctor_history import RUNS_KEPT, SENTENCES_KEPT
from backend.ops.models import DoctorRun
from backend.testing import Cast

pytestmark = pytest.mark.embedded


def run(*arguments: str) -> int:
    try:
        call_command("doctor", *arguments)
    except SystemExit as end:
        return end.code
    return 0


@pytest.fixture
def findings(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Finding]]:
    """The findings of the doctor's only check."""
    found: list[Finding] = []
    check = Check(name="own", promise="P5", title="Le mien", look=lambda _scope: iter(found))
    monkeypatch.setattr(runner, "CHECKS", [check])
    return found


def test_an_examination_of_everything_is_kept_with_its_first_sentences(cast: Cast, findings: list[Finding]) -> None:
    findings += [Finding(f"le lot {number} manque", "x") for number in range(SENTENCES_KEPT + 2)]
    findings.insert(0, Finding("bon à savoir", "x", is_note=True))
    assert run() == 1
    kept = DoctorRun.objects.get()
    assert (kept.finding_count, kept.duration_s >= 0) == (SENTENCES_KEPT + 2, True)
    (check,) = kept.checks
    assert (check["name"], check["promise"], check["title"]) == ("own", "P5", "Le mien")
    assert (check["finding_count"], check["note_count"]) == (SENTENCES_KEPT + 2, 1)
    assert check["sentences"] == [f"Le lot {number} manque." for number in range(SENTENCES_KEPT)]


def test_one_that_finds_nothing_is_kept_too_and_one_of_a_shop_or_a_till_is_not(
    cast: Cast, findings: list[Finding]
) -> None:
    assert run("--json") == 0
    assert run("--shop", cast.shop.code) == 0
    run("--terminal", cast.device.serial)
    assert [kept.finding_count for kept in DoctorRun.objects.all()] == [0]


def test_the_last_runs_are_kept_and_those_before_forgotten(cast: Cast, findings: list[Finding]) -> None:
    before = datetime.now(UTC) - timedelta(days=1)
    old = [DoctorRun(at=before, duration_s=1, finding_count=7) for _ in range(RUNS_KEPT + 3)]
    DoctorRun.objects.bulk_create(old)
    assert run() == 0
    counts = list(DoctorRun.objects.order_by("-pk").values_list("finding_count", flat=True))
    assert counts == [0, *[7] * (RUNS_KEPT - 1)]


def test_what_cannot_be_kept_changes_nothing_of_what_it_says(
    cast: Cast, findings: list[Finding], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise DatabaseError("read only")

    monkeypatch.setattr(doctor_history.DoctorRun, "save", refuse)
    assert run() == 0
    findings.append(Finding("le lot 7 manque", "x"))
    assert run() == 1
    assert not DoctorRun.objects.exists()
