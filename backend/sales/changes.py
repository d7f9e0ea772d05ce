"""What became of a till's sales since a cursor: every outcome, and every one that was written over since."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from backend.config.cursors import ChangeCursor
from backend.sales.errors import action_for
from backend.sales.models import Batch, SaleOutcome
from backend.sales.receipts import NO_NUMBER

CHANGES_PAGE_MAX = 500
# Of a cursor: (batch, position).
KEY_LENGTH = 2


@dataclass(frozen=True, slots=True)
class OutcomePage:
    """Entries as the wire has them, and where to go on. `is_last`: nothing else has changed for now."""

    entries: list[dict[str, Any]]
    cursor: ChangeCursor
    is_last: bool


def read_changes(*, terminal_id: int, shop_id: int, since: ChangeCursor | None, now: datetime) -> OutcomePage:
    """Return a till's outcomes in its shop, written since a cursor, oldest first; without one, from its first sale.

    From the first, and not from now: a till that lost its cursor may have lost its sales' answers too. Never misses an
    outcome, may repeat one (docs/decisions). `now` is taken before the call.
    """
    cursor = ChangeCursor.begin(since, now=now, key_length=KEY_LENGTH)
    found = list(_after(cursor, terminal_id, shop_id)[: CHANGES_PAGE_MAX + 1])
    page = found[:CHANGES_PAGE_MAX]
    if page:
        cursor = cursor.move_to(page[-1].at, (page[-1].batch_id, page[-1].position))
    is_last = len(found) <= CHANGES_PAGE_MAX
    return OutcomePage(_entries(page), cursor.finish() if is_last else cursor, is_last)


def _after(cursor: ChangeCursor, terminal_id: int, shop_id: int) -> QuerySet[SaleOutcome]:
    """Return the outcomes after the cursor in the order (at, batch, position), which is that of the index."""
    batch_id, position = cursor.key
    outcomes = SaleOutcome.objects.filter(
        Q(at__gt=cursor.at)
        | Q(at=cursor.at, batch_id__gt=batch_id)
        | Q(at=cursor.at, batch_id=batch_id, position__gt=position),
        terminal_id=terminal_id,
        shop_id=shop_id,
    )
    return outcomes.order_by("at", "batch_id", "position")


def _entries(outcomes: list[SaleOutcome]) -> list[dict[str, Any]]:
    wanted = {outcome.batch_id for outcome in outcomes}
    receipts = dict(Batch.objects.filter(pk__in=wanted).values_list("pk", "receipt"))
    return [_entry(outcome, str(receipts[outcome.batch_id])) for outcome in outcomes]


def _entry(outcome: SaleOutcome, receipt: str) -> dict[str, Any]:
    entry = {
        "recu": receipt,
        "index": outcome.position,
        "numero_facture": outcome.number or NO_NUMBER,
        "status": outcome.status,
        "action": action_for(status=outcome.status, code=outcome.code),
    }
    if outcome.document_id:
        entry["id"] = outcome.document_id
    if outcome.code:
        entry |= {"code": outcome.code, "erreur": outcome.detail}
    return entry
