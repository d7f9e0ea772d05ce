"""Documents that came before the sale they follow: kept as deferred, carried out in their origin's own transaction.

The origin's units are locked there already, and its row is new: nobody else can be waited for, and the order of locks
holds.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.backends.utils import CursorWrapper

from backend.sales import statements
from backend.sales.models import Batch, OutcomeHistory, OutcomeStatus, SaleOutcome
from backend.sales.slices import Slice
from backend.sales.statements import BatchRow
from backend.sales.verdicts import Verdict, decide

REASON = "La vente d'origine est arrivée"


@dataclass(frozen=True, slots=True)
class Counts:
    """A batch's counters and version, as a replaced outcome changes them."""

    created_count: int
    error_count: int
    duplicate_count: int
    version: int

    def replaced_by(self, verdict: Verdict) -> "Counts":
        """Return the counts once a deferred outcome, an error till now, has become `verdict`."""
        return Counts(
            created_count=self.created_count + verdict.is_recorded,
            error_count=self.error_count - verdict.is_recorded,
            duplicate_count=self.duplicate_count + (verdict.status == OutcomeStatus.DUPLICATE),
            version=self.version + 1,
        )


def wake_followers(
    cursor: CursorWrapper, *, work: Slice, number: str, moved: BatchRow, now: datetime
) -> tuple[BatchRow, list[Verdict]]:
    """Carry out what waits for the sale `number` of this terminal, in the order in which it came.

    Holds the lane, inside the posting of that sale. Returns the batch under work, which may be one of those whose
    outcomes changed, and the verdicts; the registration numbers are the caller's to give.
    """
    verdicts = []
    waiting = SaleOutcome.objects.filter(
        shop_id=moved.shop_id, status=OutcomeStatus.DEFERRED, terminal_id=work.terminal_id, awaits=number
    )
    for outcome in waiting.order_by("batch_id", "position"):
        batch = _batch_of(outcome)
        raw = work.read_sales(cursor, outcome.batch_id)[outcome.position - 1]
        verdict = decide(cursor, work=work, batch=batch, raw=raw, now=now)
        is_same = outcome.batch_id == moved.id
        before = moved if is_same else batch
        counts = Counts(before.created_count, before.error_count, before.duplicate_count, before.version)
        counts = counts.replaced_by(verdict)
        _replace(outcome, verdict, version=counts.version, now=now)
        changed = {name: getattr(counts, name) for name in Counts.__dataclass_fields__}
        if is_same:
            moved = moved._replace(**changed)
        else:
            Batch.objects.filter(pk=outcome.batch_id).update(**changed)
        verdicts.append(verdict)
    return moved, verdicts


def _batch_of(outcome: SaleOutcome) -> BatchRow:
    """Return the outcome's batch with its cursor at the outcome, as a posting sees it."""
    columns = [name if name != "id" else "pk" for name in statements.BatchRow._fields]
    row = BatchRow(*Batch.objects.values_list(*columns).get(pk=outcome.batch_id))
    return row._replace(next_position=outcome.position)


def _replace(outcome: SaleOutcome, verdict: Verdict, *, version: int, now: datetime) -> None:
    """Write the new outcome over the old, which goes into the history."""
    OutcomeHistory.objects.create(
        batch_id=outcome.batch_id,
        position=outcome.position,
        status=outcome.status,
        code=outcome.code,
        path=outcome.path,
        detail=outcome.detail,
        document_id=outcome.document_id,
        version=outcome.version,
        at=outcome.at,
        replaced_at=now,
        reason=REASON,
    )
    SaleOutcome.objects.filter(batch_id=outcome.batch_id, position=outcome.position).update(
        status=verdict.status,
        code=verdict.code,
        path=verdict.path,
        detail=verdict.detail,
        document_id=verdict.document_id,
        amount=verdict.amount,
        currency=verdict.currency,
        business_day=verdict.day,
        version=version,
        at=now,
        awaits=verdict.awaits,
    )
