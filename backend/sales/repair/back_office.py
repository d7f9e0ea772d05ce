"""Documents that people record on the shop's pages: batches of the shop's own "till", through intake and posting.

Nothing here writes a document. It is handed over as a till would do it, so that every promise holds for it too. A
refusal is stored like a till's, and set aside at once: the person who typed the document has read why, and by the time
somebody sees it at the repair desk it has been typed again.
"""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from backend.sales.errors import KeyReused, Reason, phrase_of
from backend.sales.intake import Caller, receive_batch
from backend.sales.models import Batch, OutcomeStatus, Sale, SaleOutcome
from backend.sales.posting.runner import post_slice
from backend.sales.receipts.receipt import sales_of
from backend.sales.repair.retry import set_outcome_aside
from backend.shops.devices import OFFICE_SERIAL_PREFIX, register_device
from backend.shops.models import Device, Shop, Terminal

OFFICE_NAME = "Bureau"
# How long a page waits for its document: another process may hold the lane, or posting may be paused.
POSTED_S_MAX = 10
LOOK_AGAIN_S = 0.05


@dataclass(frozen=True, slots=True)
class Recording:
    """A document that a person recorded, and its outcome: None while it still waits."""

    batch: Batch
    outcome: SaleOutcome | None


class RefusedAtOnce(Exception):
    """The document was refused: `outcome` says why."""

    def __init__(self, outcome: SaleOutcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


def record_from_page(*, shop: Shop, user: User, document: dict[str, Any], key: str, ip: str | None = None) -> Recording:
    """Hand a document over as on the wire, post it, and return its outcome.

    document: one sale, annulation, retour or paiement, without number, date and cashier, which are added here.
    key: 8 to 64 letters and digits, one for each form that is shown; the same form sent twice is one document.
    A refusal is an outcome like a till's. Raises KeyReused if the key came before with another document.
    """
    device = office_device(shop)
    sent = json.loads(json.dumps(document, default=_plain))
    batch = _handed_over(device, sent, key) or _hand_over(device, sent, shop=shop, user=user, key=key, ip=ip)
    deadline = time.monotonic() + POSTED_S_MAX
    while batch.settled_at is None and time.monotonic() < deadline:
        post_slice(device.terminal_id)
        batch.refresh_from_db()
        if batch.settled_at is None:
            time.sleep(LOOK_AGAIN_S)
    return Recording(batch, SaleOutcome.objects.filter(batch=batch, position=1).select_related("document").first())


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
        raise RefusedAtOnce(outcome)
    if outcome.status in (OutcomeStatus.REJECTED, OutcomeStatus.CONFLICT):
        reason = Reason.REFUSED_ON_SCREEN(detail=phrase_of(outcome))
        set_outcome_aside(
            batch_id=outcome.batch_id, position=outcome.position, author=user.get_username(), reason=reason
        )
        raise RefusedAtOnce(outcome)
    return outcome.document


def was_handed_over(*, shop: Shop, key: str) -> bool:
    """Tell whether a form with this key came before: it must then not be checked against what is left now."""
    return Batch.objects.filter(terminal_id=office_device(shop).terminal_id, idempotency_key=key).exists()


def office_device(shop: Shop) -> Device:
    """Return the device of the shop's pages; make it if needed. It has no token, so no API call can come from it."""
    serial = f"{OFFICE_SERIAL_PREFIX}{shop.pk}"
    devices = Device.objects.select_related("terminal__shop")
    found = devices.filter(serial=serial).first()
    if found is None:
        try:
            with transaction.atomic():
                terminal = Terminal.objects.create(shop=shop, name=OFFICE_NAME, is_office=True)
                register_device(terminal=terminal, serial=serial)
        except IntegrityError:
            pass  # another person's first document made it at the same moment
        found = devices.get(serial=serial)
    return found


def _handed_over(device: Device, sent: dict[str, Any], key: str) -> Batch | None:
    """Return the batch of the same form sent before, which keeps its date. Raises KeyReused for another document."""
    batch = Batch.objects.filter(terminal_id=device.terminal_id, idempotency_key=key).first()
    if batch is not None:
        first = json.loads(sales_of(batch.pk)[0])
        if any(first.get(name) != value for name, value in sent.items()):
            raise KeyReused
    return batch


def _hand_over(device: Device, sent: dict[str, Any], *, shop: Shop, user: User, key: str, ip: str | None) -> Batch:
    now = datetime.now(UTC).astimezone(ZoneInfo(shop.timezone))
    whole = {
        "numero_facture": f"BUR-{now:%Y%m%d}-{key[:8].upper()}",
        "date_vente": now.isoformat(timespec="seconds"),
        "caissier": {"code": user.get_username()[:40], "nom": user.get_full_name() or user.get_username()},
        **sent,
    }
    body = json.dumps([whole], ensure_ascii=False).encode()
    return receive_batch(caller=Caller(device, ip, app_version="pages"), body=body, key=key).batch


def _plain(value: object) -> str:
    """Return a Decimal as text: amounts and quantities are never sent as floats."""
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not for the wire")
