"""Pauses: posting stopped and resumed, everywhere, for a shop or for a till. Tills hand over as before."""

from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from backend.sales.dispatch import ring_on_commit
from backend.sales.models import Batch, Pause
from backend.shops.models import Shop, Terminal


def pause(*, shop: Shop | None = None, terminal: Terminal | None = None, reason: str = "") -> Pause:
    """Stop posting before the next sale. A repeat keeps the first pause and its date."""
    defaults = {"shop": shop, "terminal": terminal, "reason": reason, "since": datetime.now(UTC)}
    return Pause.objects.get_or_create(scope=_scope(shop, terminal), defaults=defaults)[0]


def resume(*, shop: Shop | None = None, terminal: Terminal | None = None) -> bool:
    """Lift the pause of exactly this scope, ring for the tills that wait, and return whether there was a pause."""
    with transaction.atomic(durable=True):
        deleted, _ = Pause.objects.filter(scope=_scope(shop, terminal)).delete()
        waiting = Batch.objects.filter(settled_at=None)
        if shop:
            waiting = waiting.filter(shop_id=shop.pk)
        if terminal:
            waiting = waiting.filter(terminal_id=terminal.pk)
        for terminal_id in waiting.values_list("terminal_id", flat=True).distinct():
            ring_on_commit(terminal_id)
    return bool(deleted)


def pauses_of(*, shop_id: int | None, terminal_id: int | None = None) -> QuerySet[Pause]:
    """Return the pauses that stop all of this shop's sales or, with `terminal_id`, this till's."""
    on_terminal = Q(terminal=None) if terminal_id is None else Q(terminal=None) | Q(terminal_id=terminal_id)
    return Pause.objects.filter(Q(shop=None) | Q(shop_id=shop_id), on_terminal)


def is_paused() -> Exists:
    """Return a query's condition: a pause stops the batch of the outer query."""
    on_shop = Q(shop=None) | Q(shop_id=OuterRef("shop_id"))
    return Exists(Pause.objects.filter(on_shop, Q(terminal=None) | Q(terminal_id=OuterRef("terminal_id"))))


def _scope(shop: Shop | None, terminal: Terminal | None) -> str:
    if terminal:
        return f"terminal:{terminal.pk}"
    return f"shop:{shop.pk}" if shop else "all"
