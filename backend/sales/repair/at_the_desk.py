"""Documents that a person records and waits for: what is refused is told to that person, and to nobody else later.

A refusal stays stored like a till's. But who typed it has read it, so it is set aside at once: it is no entry at the
repair desk, where it would wait for somebody who has long typed it again.
"""

from typing import Any

from django.contrib.auth.models import User

from backend.sales.models import Batch, OutcomeStatus, Sale
from backend.sales.repair.back_office import office_device, record_from_page
from backend.sales.repair.desk import Desk
from backend.shops.models import Shop

REASON_LENGTH_MAX = 200


class RefusedAtOnce(Exception):
    """The document was refused. The message is the outcome's French sentence."""

    def __init__(self, sentence: str, *, code: str) -> None:
        super().__init__(sentence)
        self.code = code


def record_or_refuse(
    *, shop: Shop, user: User, document: dict[str, Any], key: str, ip: str | None = None
) -> Sale | None:
    """Record a document as record_from_page does and return it, or None while it waits (posting is paused or busy).

    The same form sent twice returns the same document, or is refused twice. Raises RefusedAtOnce, BatchRefused.
    """
    recording = record_from_page(shop=shop, user=user, document=document, key=key, ip=ip)
    outcome = recording.outcome
    if outcome is None or outcome.status in (OutcomeStatus.FAILED, OutcomeStatus.DEFERRED):
        return None
    if outcome.status == OutcomeStatus.SET_ASIDE:
        raise RefusedAtOnce(outcome.detail, code=outcome.code)
    if outcome.status in (OutcomeStatus.REJECTED, OutcomeStatus.CONFLICT):
        reason = f"Refusée à l'écran : {outcome.detail}"[:REASON_LENGTH_MAX]
        Desk(shop=shop, user=user).set_aside(outcome.batch_id, outcome.position, reason=reason)
        raise RefusedAtOnce(outcome.detail, code=outcome.code)
    return outcome.document


def was_handed_over(*, shop: Shop, key: str) -> bool:
    """Tell whether a form of this key has come before: what it asked for then is no rule for what is left now."""
    return Batch.objects.filter(terminal_id=office_device(shop).terminal_id, idempotency_key=key).exists()
