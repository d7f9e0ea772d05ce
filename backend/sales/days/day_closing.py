"""A till's day closed by a person on the shop's pages: the counted drawer is reconciled like a till's own report."""

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

# Keys in TillClosing.said beside the wire's own: the person who typed it in, and the form's key.
TYPED_BY, FORM_KEY = "saisi_par", "formulaire"


def close_day_by_hand(*, terminal: Terminal, day: date, drawer: dict[str, Any], user: User, key: str) -> TillClosing:
    """Compare a drawer that a person counted with what is recorded for the till's day, and store both.

    drawer: `caisse` as on the wire. key: one for each form that is shown; the same form sent twice is one closing.
    Raises FieldInvalid with the path of a value that makes no sense.
    """
    wire = msgspec.convert({"jour": day.isoformat(), "caisse": drawer}, WireDay)
    report = read_day_report(wire, shop=shop_of(terminal))
    author = user.get_full_name() or user.get_username()
    said = {**msgspec.to_builtins(wire), TYPED_BY: author, FORM_KEY: key}

    def close() -> TillClosing:
        own = {"shop_id": terminal.shop_id, "day": day, "terminal_id": terminal.pk}
        with transaction.atomic(durable=True):
            # If one form is sent twice at once, the second call waits here and finds the first one's closing.
            Terminal.objects.select_for_update().get(pk=terminal.pk)
            kept = TillClosing.objects.filter(**own, **{f"said__{FORM_KEY}": key}).first()
            if kept is not None:
                return kept
            answer = reconcile(terminal=terminal, device=None, report=report, said=said, now=datetime.now(UTC))
        return TillClosing.objects.get(pk=answer.rapprochement)

    return retrying(close, name="close_day_by_hand")
