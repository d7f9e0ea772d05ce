"""A till's day closed by a person on the shop's pages: what was counted in the drawer, compared as a till's word is."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec
from django.contrib.auth.models import User
from django.db import transaction

from backend.db.transients import retrying
from backend.sales.days.day_report import WireDay, read_day_report
from backend.sales.days.reconciliation import reconcile
from backend.sales.models import TillClosing
from backend.shops.models import Terminal
from backend.shops.terminals import shop_of

# Beside the words of the wire, in what is kept as said: who typed it in, and on which form.
TYPED_BY, FORM_KEY = "saisi_par", "formulaire"


def close_day_by_hand(*, terminal: Terminal, day: date, drawer: dict[str, Any], user: User, key: str) -> TillClosing:
    """Compare a drawer that a person counted with what is recorded of the till's day, and keep both.

    drawer: `caisse` in the words of the wire. key: one a form shown: the same form sent twice is one closing.
    Raises FieldInvalid with the path of what cannot be meant.
    """
    wire = msgspec.convert({"jour": day.isoformat(), "caisse": drawer}, WireDay)
    report = read_day_report(wire, shop=shop_of(terminal))
    author = user.get_full_name() or user.get_username()
    said = {**msgspec.to_builtins(wire), TYPED_BY: author, FORM_KEY: key}

    def close() -> TillClosing:
        own = {"shop_id": terminal.shop_id, "day": day, "terminal_id": terminal.pk}
        with transaction.atomic(durable=True):
            # Of one form sent twice at once, the second waits here and finds what the first kept.
            Terminal.objects.select_for_update().get(pk=terminal.pk)
            kept = TillClosing.objects.filter(**own, **{f"said__{FORM_KEY}": key}).first()
            if kept is not None:
                return kept
            answer = reconcile(terminal=terminal, device=None, report=report, said=said, now=datetime.now(UTC))
        return TillClosing.objects.get(pk=answer.rapprochement)

    return retrying(close, name="close_day_by_hand")
