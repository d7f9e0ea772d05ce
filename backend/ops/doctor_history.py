"""Keeps what each full examination found, for the operations page and the alerts."""

from collections.abc import Sequence
from datetime import UTC, datetime

import structlog
from django.db import Error, transaction

from backend.doctor.runner import Result
from backend.doctor.wording import sentence
from backend.ops.models import DoctorRun

log = structlog.get_logger("caisse.doctor")

RUNS_KEPT = 100
# Of each check. The page shows what is wrong; running the doctor again shows all of it.
SENTENCES_KEPT = 5
SENTENCE_LENGTH_MAX = 500


def keep_run(results: Sequence[Result], *, at: datetime) -> None:
    """Store a run that began `at`, and delete those before the last RUNS_KEPT. A failure to store it is only logged:
    the findings stay what they are."""
    run = DoctorRun(
        at=at,
        duration_s=(datetime.now(UTC) - at).total_seconds(),
        finding_count=sum(result.seen.finding_count for result in results),
        checks=[_kept(result) for result in results],
    )
    try:
        with transaction.atomic():
            run.save(force_insert=True)
            kept = DoctorRun.objects.order_by("-pk").values_list("pk", flat=True)[:RUNS_KEPT]
            DoctorRun.objects.filter(pk__lt=min(kept)).delete()
    except Error as error:
        log.warning("run_not_remembered", error=type(error).__name__)


def _kept(result: Result) -> dict[str, object]:
    seen, check = result.seen, result.check
    findings = [finding for finding in seen.findings if not finding.is_note]
    return {
        "name": check.name,
        "promise": check.promise,
        "title": check.title,
        "finding_count": seen.finding_count,
        "note_count": seen.note_count,
        "repaired_count": result.repaired_count,
        "sentences": [sentence(finding.found)[:SENTENCE_LENGTH_MAX] for finding in findings[:SENTENCES_KEPT]],
    }
