"""Looks up a till's sales by number, for a till that lost their receipts."""

from collections.abc import Iterable
from uuid import UUID

from msgspec import UNSET

from backend.sales.errors import action_for, sentence_of
from backend.sales.models import Batch, SaleOutcome
from backend.sales.receipts.answers import Sort, SortConnu, SortEnAttente, SortInconnu
from backend.sales.receipts.receipt import sales_of
from backend.sales.wire.split import peek
from backend.sentences import FRENCH


def look_up_statuses(*, terminal_id: int, shop_id: int, numbers: Iterable[str]) -> list[Sort]:
    """Return the statuses of these numbers of a till in its shop: one entry for each content under a number.

    Waiting sales are found in the bytes of the waiting batches, of which a till has few. They are read first: a sale
    that is posted meanwhile is then found among the outcomes, and never missed by both reads. A number without any
    sale is `unknown`: the till may send it again.
    """
    wanted = list(dict.fromkeys(numbers))
    own = {"terminal_id": terminal_id, "shop_id": shop_id}
    pending = pending_named(own, {text for text in wanted if text})
    outcomes = _outcomes(own, [text for text in wanted if text])
    settled = {(outcome.batch.receipt, outcome.position) for outcome in outcomes}
    entries: dict[str, list[Sort]] = {text: [] for text in wanted}
    for outcome in _by_content(outcomes):
        entries[outcome.number].append(_settled_entry(outcome))
    for text, receipt, position in pending:
        if (receipt, position) not in settled:
            entries[text].append(
                SortEnAttente(numero_facture=text, status="pending", action="attendre", recu=receipt, index=position)
            )
    return [entry for text in wanted for entry in entries[text] or [_unknown(text)]]


def pending_named(own: dict[str, int], wanted: set[str]) -> list[tuple[str, UUID, int]]:
    """Return (number, receipt, position) of each waiting sale with one of these numbers, from the batches' bytes."""
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
    """Keep one outcome for each content: the recorded sale rather than its resends, else the last outcome."""
    kept: dict[tuple[str, str], SaleOutcome] = {}
    for outcome in outcomes:
        key = (outcome.number, outcome.fingerprint)
        if key not in kept or not kept[key].is_recorded:
            kept[key] = outcome
    return kept.values()


def _settled_entry(outcome: SaleOutcome) -> SortConnu:
    document = outcome.document
    return SortConnu(
        numero_facture=outcome.number,
        status=outcome.status,
        action=action_for(status=outcome.status, code=outcome.code),
        recu=outcome.batch.receipt,
        index=outcome.position,
        id=document.pk if document else UNSET,
        numero_enregistrement=document.registration_number if document else UNSET,
        code=outcome.code or UNSET,
        erreur=sentence_of(outcome, FRENCH) if outcome.code else UNSET,
    )


def _unknown(text: str) -> SortInconnu:
    return SortInconnu(numero_facture=text, status="unknown", action="renvoyer")
