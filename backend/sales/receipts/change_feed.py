"""The change feed of a till's sales: every outcome that was written or replaced since a cursor."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from msgspec import UNSET

from backend.db.change_cursors import ChangeCursor
from backend.db.keyset import beyond, walk_index
from backend.sales.errors import action_for, sentence_of
from backend.sales.models import Batch, SaleOutcome
from backend.sales.receipts.answers import NO_NUMBER, SortChange
from backend.sentences import FRENCH

CHANGES_PAGE_MAX = 500
# Of a cursor: (batch, position).
KEY_LENGTH = 2


@dataclass(frozen=True, slots=True)
class OutcomePage:
    """Entries as the wire has them, and where to go on. `is_last`: nothing else has changed for now."""

    entries: list[SortChange]
    cursor: ChangeCursor
    is_last: bool


def read_changes(*, terminal_id: int, shop_id: int, since: ChangeCursor | None, now: datetime) -> OutcomePage:
    """Return a till's outcomes in its shop, written since a cursor, oldest first; without one, from its first sale.

    From its first sale, and not from now, because a till that lost its cursor may have lost its answers too. Never
    misses an outcome, may repeat one (docs/decisions). `now` is taken before the call.
    """
    cursor = ChangeCursor.begin(since, now=now, key_length=KEY_LENGTH)
    batch_id, position = cursor.key
    later = SaleOutcome.objects.filter(beyond({"at": cursor.at, "batch_id": batch_id, "position": position}))
    walk = walk_index(later, of="terminal_id", owner_id=terminal_id, by=("at", "batch_id", "position"))
    found = list(walk[: CHANGES_PAGE_MAX + 1])
    page = found[:CHANGES_PAGE_MAX]
    if page:
        at, *key = page[-1]
        cursor = cursor.move_to(at, tuple(key))
    is_last = len(found) <= CHANGES_PAGE_MAX
    outcomes = _read([(batch_id, position) for _, batch_id, position in page])
    own = [outcome for outcome in outcomes if outcome.shop_id == shop_id]
    return OutcomePage(_entries(own), cursor.finish() if is_last else cursor, is_last)


def _read(keys: list[tuple[int, int]]) -> list[SaleOutcome]:
    """Return these outcomes in this order. A query for pairs would read three times as many rows."""
    positions: dict[int, list[int]] = defaultdict(list)
    for batch_id, position in keys:
        positions[batch_id].append(position)
    wanted = Q()
    for batch_id, batch_positions in positions.items():
        wanted |= Q(batch_id=batch_id, position__in=batch_positions)
    found = {outcome.pk: outcome for outcome in SaleOutcome.objects.filter(wanted)} if keys else {}
    return [found[key] for key in keys]


def _entries(outcomes: list[SaleOutcome]) -> list[SortChange]:
    wanted = {outcome.batch_id for outcome in outcomes}
    receipts = dict(Batch.objects.filter(pk__in=wanted).values_list("pk", "receipt"))
    return [_entry(outcome, receipts[outcome.batch_id]) for outcome in outcomes]


def _entry(outcome: SaleOutcome, receipt: UUID) -> SortChange:
    return SortChange(
        recu=receipt,
        index=outcome.position,
        numero_facture=outcome.number or NO_NUMBER,
        status=outcome.status,
        action=action_for(status=outcome.status, code=outcome.code),
        id=outcome.document_id or UNSET,
        code=outcome.code or UNSET,
        erreur=sentence_of(outcome, FRENCH) if outcome.code else UNSET,
    )
