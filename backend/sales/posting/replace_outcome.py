"""Replaces an outcome: the old one goes into the history, the batch's counters and version follow.

The caller holds the lane of the outcome's terminal.
"""

from dataclasses import dataclass
from datetime import datetime

from backend.inventory.models import AUTHOR_LENGTH_MAX, REASON_LENGTH_MAX
from backend.sales.errors import Phrase, said
from backend.sales.models import Batch, OutcomeHistory, OutcomeStatus, SaleOutcome
from backend.sales.posting.decision import Decision
from backend.sales.posting.document import plain
from backend.sales.posting.sql import BatchRow
from backend.sentences import FRENCH

_COUNTERS = ("created_count", "error_count", "duplicate_count", "version")


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an outcome is replaced, and by whom; without an author, the posting of another sale replaced it."""

    # What a person typed, or a phrase of ours.
    reason: str | Phrase
    author: str = ""


def read_batch(outcome: SaleOutcome) -> BatchRow:
    """Return the outcome's batch with its cursor at the outcome, as it was when that sale was posted."""
    columns = [name if name != "id" else "pk" for name in BatchRow._fields]
    row = BatchRow(*Batch.objects.values_list(*columns).get(pk=outcome.batch_id))
    return row._replace(next_position=outcome.position)


def replace_outcome(
    outcome: SaleOutcome, decision: Decision, *, batch: BatchRow, now: datetime, cause: Cause
) -> BatchRow:
    """Write the decision over the outcome and return its batch with new counters and the next version.

    The caller writes these counters (`write_counts`), because its row of the batch may be newer than the table's.
    """
    counted = _recount(batch, before=OutcomeStatus(outcome.status), after=decision.status)
    OutcomeHistory.objects.create(
        batch_id=outcome.batch_id,
        shop_id=outcome.shop_id,
        position=outcome.position,
        status=outcome.status,
        code=outcome.code,
        path=outcome.path,
        params=outcome.params,
        detail=outcome.detail,
        document_id=outcome.document_id,
        version=outcome.version,
        at=outcome.at,
        replaced_at=now,
        author=plain(cause.author, AUTHOR_LENGTH_MAX),
        reason=plain(said(cause.reason, FRENCH), REASON_LENGTH_MAX),
        reason_params=cause.reason if isinstance(cause.reason, dict) else None,
    )
    SaleOutcome.objects.filter(batch_id=outcome.batch_id, position=outcome.position).update(
        # A sale that was settled as failed without being read gets its number and fingerprint here.
        number=decision.number,
        fingerprint=decision.fingerprint,
        status=decision.status,
        code=decision.code,
        path=decision.path,
        params=decision.params,
        detail=decision.detail,
        document_id=decision.document_id,
        amount=decision.amount,
        currency=decision.currency,
        business_day=decision.day,
        version=counted.version,
        at=now,
        awaits=decision.awaits,
    )
    return counted


def write_counts(batch: BatchRow) -> None:
    """Write a batch's counters and version, and nothing of its cursor."""
    Batch.objects.filter(pk=batch.id).update(**{name: getattr(batch, name) for name in _COUNTERS})


def _recount(batch: BatchRow, *, before: OutcomeStatus, after: OutcomeStatus) -> BatchRow:
    gained = after.is_recorded - before.is_recorded
    return batch._replace(
        created_count=batch.created_count + gained,
        error_count=batch.error_count - gained,
        duplicate_count=batch.duplicate_count
        + (after == OutcomeStatus.DUPLICATE)
        - (before == OutcomeStatus.DUPLICATE),
        version=batch.version + 1,
    )
