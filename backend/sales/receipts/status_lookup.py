"""What became of a till's numbers, when their receipts were lost."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from backend.sales.errors import action_for
from backend.sales.models import Batch, SaleOutcome
from backend.sales.receipts.receipt import GOOD, sales_of
from backend.sales.wire.split import peek

UNKNOWN = {"status": "unknown", "action": "renvoyer"}


def fates(*, terminal_id: int, shop_id: int, numbers: Iterable[str]) -> list[dict[str, Any]]:
    """Return what became of these numbers of a till in its shop: one entry for each content known under a number.

    What still waits is found in the bytes of the waiting batches, which a till has few of, and is looked for first: a
    sale that is posted meanwhile is then found among the outcomes, and never in neither. A number that nobody knows is
    `unknown`: the till may send it again.
    """
    wanted = list(dict.fromkeys(numbers))
    own = {"terminal_id": terminal_id, "shop_id": shop_id}
    pending = pending_named(own, {text for text in wanted if text})
    outcomes = _outcomes(own, [text for text in wanted if text])
    settled = {(outcome.batch.receipt, outcome.position) for outcome in outcomes}
    entries: dict[str, list[dict[str, Any]]] = {text: [] for text in wanted}
    for outcome in _by_content(outcomes):
        entries[outcome.number].append(_settled_entry(outcome))
    for text, receipt, position in pending:
        if (receipt, position) not in settled:
            entries[text].append(_entry(text, "pending", "attendre", receipt) | {"index": position})
    return [entry for text in wanted for entry in entries[text] or [{"numero_facture": text, **UNKNOWN}]]


def pending_named(own: dict[str, int], wanted: set[str]) -> list[tuple[str, UUID, int]]:
    """Return (number, receipt, position) of what waits under these numbers, from the bytes of the waiting batches."""
    found = []
    for batch in Batch.objects.filter(settled_at=None, **own).order_by("pk"):
        sales = sales_of(batch.pk)
        for position in range(batch.next_position, batch.sale_count + 1):
            text = peek(sales[position - 1])[0]
            if text in wanted:
                found.append((text, batch.receipt, position))
    return found


def _outcomes(own: dict[str, int], wanted: list[str]) -> list[SaleOutcome]:
    outcomes = SaleOutcome.objects.filter(**own, number__in=wanted)
    return list(outcomes.select_related("batch", "document").order_by("batch_id", "position"))


def _by_content(outcomes: list[SaleOutcome]) -> Iterable[SaleOutcome]:
    """Keep one outcome a content: the sale itself before a resend of it, of several refusals the last."""
    kept: dict[tuple[str, str], SaleOutcome] = {}
    for outcome in outcomes:
        key = (outcome.number, outcome.fingerprint)
        if key not in kept or kept[key].status not in GOOD:
            kept[key] = outcome
    return kept.values()


def _settled_entry(outcome: SaleOutcome) -> dict[str, Any]:
    action = action_for(status=outcome.status, code=outcome.code)
    entry = _entry(outcome.number, outcome.status, action, outcome.batch.receipt) | {"index": outcome.position}
    if outcome.document:
        entry |= {"id": outcome.document_id, "numero_enregistrement": outcome.document.registration_number}
    if outcome.code:
        entry |= {"code": outcome.code, "erreur": outcome.detail}
    return entry


def _entry(text: str, status: str, action: str, receipt: UUID) -> dict[str, Any]:
    return {"numero_facture": text, "status": status, "action": action, "recu": str(receipt)}
