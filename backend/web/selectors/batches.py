"""The batches that the tills sent, with the outcome of each sale; and the entries that need a person."""

import hashlib
import uuid
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet

from backend.db.keyset import KeysetPage, read_page
from backend.sales.models import RECORDED, Batch, OutcomeStatus, Sale, SaleOutcome
from backend.sales.repair.open_entries import NEEDS_A_PERSON, open_entries
from backend.shops.models import Shop, Terminal

PAGE_BATCHES_MAX = 50
PAGE_OUTCOMES_MAX = 100
PAGE_ENTRIES_MAX = 100
STATE_LENGTH = 16

SETTLED_WELL = (*RECORDED, OutcomeStatus.DUPLICATE)


@dataclass(frozen=True)
class OutcomeRow:
    outcome: SaleOutcome
    # The document that later recorded the same content: this refusal needs nobody any more.
    passed_since: Sale | None


@dataclass(frozen=True)
class OutcomesPage:
    rows: list[OutcomeRow]
    # The position after which the next page begins; None on the last page.
    next_after: int | None


@dataclass(frozen=True)
class Entry:
    """One sale to correct, with the till and the batch it came from."""

    outcome: SaleOutcome
    terminal: Terminal
    batch: Batch


def batches_page(*, shop: Shop, terminal_id: int | None = None, cursor: str | None = None) -> KeysetPage[Batch]:
    """Return a page of the shop's batches, of one till if asked, newest first. Raises BadCursor."""
    batches = _with_replacement(Batch.objects.filter(shop=shop).select_related("terminal"))
    if terminal_id is not None:
        batches = batches.filter(terminal_id=terminal_id)
    return read_page(batches, by="received_at", cursor=cursor, size=PAGE_BATCHES_MAX)


def batch_of_shops(*, receipt: uuid.UUID, shop_ids: list[int]) -> Batch | None:
    """Return the batch with this receipt if it belongs to one of these shops, else None."""
    batches = _with_replacement(Batch.objects.filter(receipt=receipt, shop_id__in=shop_ids))
    return batches.select_related("shop", "terminal", "device").first()


def state_of(batches: list[Batch]) -> str:
    """Return a short fingerprint that changes whenever a page that shows these batches changes."""
    shown = ",".join(f"{batch.pk}.{batch.version}.{batch.next_position}" for batch in batches)
    return hashlib.sha256(shown.encode()).hexdigest()[:STATE_LENGTH]


def _with_replacement(batches: QuerySet[Batch]) -> QuerySet[Batch]:
    """Add `after_replacement`: whether the device that sent the batch had been replaced by then."""
    return batches.annotate(after_replacement=Q(device__replaced_at__lte=F("received_at")))


def outcomes_page(*, batch: Batch, problems_only: bool = False, after: int = 0) -> OutcomesPage:
    """Return the batch's outcomes after the position `after`, in the order the till sent them.

    Read after the batch: rows that a worker wrote in between are beyond the batch's cursor and are left out.
    """
    outcomes = SaleOutcome.objects.filter(batch_id=batch.pk, position__gt=after, position__lt=batch.next_position)
    if problems_only:
        outcomes = outcomes.exclude(status__in=SETTLED_WELL)
    found = list(outcomes.select_related("document").order_by("position")[: PAGE_OUTCOMES_MAX + 1])
    shown = found[:PAGE_OUTCOMES_MAX]
    passed = _passed_since(batch=batch, outcomes=shown)
    return OutcomesPage(
        rows=[OutcomeRow(outcome=o, passed_since=passed.get((o.number, o.fingerprint))) for o in shown],
        next_after=shown[-1].position if len(found) > PAGE_OUTCOMES_MAX else None,
    )


def _passed_since(*, batch: Batch, outcomes: list[SaleOutcome]) -> dict[tuple[str, str], Sale]:
    numbers = {o.number for o in outcomes if o.status in NEEDS_A_PERSON and o.number}
    if not numbers:
        return {}
    sales = Sale.objects.filter(terminal_id=batch.terminal_id, shop_id=batch.shop_id, number__in=numbers)
    problems = {(o.number, o.fingerprint) for o in outcomes if o.status in NEEDS_A_PERSON}
    return {(s.number, s.fingerprint): s for s in sales if (s.number, s.fingerprint) in problems}


def entries_to_correct(*, shop: Shop) -> list[Entry]:
    """Return the shop's open entries, newest first, at most PAGE_ENTRIES_MAX."""
    outcomes = list(open_entries(shop_id=shop.pk).order_by("-at")[:PAGE_ENTRIES_MAX])
    terminals = Terminal.objects.in_bulk({o.terminal_id for o in outcomes})
    batches = Batch.objects.in_bulk({o.batch_id for o in outcomes})
    return [Entry(outcome=o, terminal=terminals[o.terminal_id], batch=batches[o.batch_id]) for o in outcomes]
