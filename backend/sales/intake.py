"""Intake: a till's bytes become a durable batch with a receipt. Checks only that the bytes split into sales."""

import hashlib
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from backend.db import dialect
from backend.db.transients import retrying
from backend.sales.dispatch import ring, ring_on_commit
from backend.sales.errors import BatchEmpty, BatchTooLarge, KeyReused, TooManyWaiting
from backend.sales.models import Batch, BatchBody, Lane
from backend.sales.wire.split import cut
from backend.shops.models import AnswerMode, Device
from backend.shops.terminals import shop_id_of

log = structlog.get_logger("caisse.intake")

BATCH_SALES_MAX = 1000
BODY_BYTES_MAX = settings.BODY_BYTES_MAX
# How many different batches of one terminal may wait at a time. The same bytes again count once…
BATCHES_WAITING_MAX = 20
# …but only so often: a till that repeats itself while nothing is posted must not fill the disk.
COPIES_WAITING_MAX = 200
DEFLATE_LEVEL = 1


@dataclass(frozen=True, slots=True)
class Caller:
    """The device that hands a batch over, and what its request said of itself."""

    device: Device
    ip: str | None = None
    app_version: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The batch whose receipt the till keeps. `is_replay`: it was stored before, under this key or with these bytes."""

    batch: Batch
    is_replay: bool


def receive_batch(*, caller: Caller, body: bytes, key: str | None = None, now: datetime | None = None) -> Accepted:
    """Store `body` untouched and return the batch whose receipt the till keeps.

    body: a JSON array of 1..BATCH_SALES_MAX sales, UTF-8, at most BODY_BYTES_MAX once inflated.
    The same key with the same body returns the first batch; so do the same bytes from a device in answer mode
    `complete` that has not had its answer. Nothing is stored twice. When this returns, all is committed.
    now: when it arrived; only the demonstration gives it, to make a shop's past.
    Raises BatchUnreadable, NotAnArray, BatchEmpty, BatchTooLarge, KeyReused or TooManyWaiting; then nothing is stored.
    """
    if len(body) > BODY_BYTES_MAX:
        raise BatchTooLarge
    sale_count = len(cut(body))
    if sale_count == 0:
        raise BatchEmpty
    if sale_count > BATCH_SALES_MAX:
        raise BatchTooLarge
    sha256 = hashlib.sha256(body).hexdigest()
    is_owed = key is None and caller.device.answer_mode == AnswerMode.COMPLETE
    batch = Batch(
        terminal_id=caller.device.terminal_id,
        shop_id=shop_id_of(caller.device.terminal),
        device_id=caller.device.pk,
        sha256=sha256,
        idempotency_key=key,
        join_key=sha256 if is_owed else None,
        sale_count=sale_count,
        request_id=caller.request_id,
        app_version=caller.app_version,
        ip=caller.ip,
    )
    deflated = zlib.compress(body, DEFLATE_LEVEL)
    return retrying(lambda: _find_or_store(batch, deflated, now), name="intake")


def give_answer(batch: Batch) -> None:
    """Note that a device in answer mode `complete` has had its 201: the same bytes are a new batch from now on."""
    if batch.join_key is not None:
        retrying(lambda: Batch.objects.filter(pk=batch.pk).update(join_key=None), name="give_answer")


def _find_or_store(batch: Batch, deflated: bytes, now: datetime | None) -> Accepted:
    """Find the batch that was stored before, or store this one. Two posts at once meet at the unique key."""
    try:
        return _find(batch) or _store(batch, deflated, now)
    except IntegrityError:
        found = _find(batch, is_repeated=True)
        if found is None:
            raise
        return found


def _find(batch: Batch, *, is_repeated: bool = False) -> Accepted | None:
    """Return the batch that was stored before: under this key, with these bytes, or with this very receipt.

    A batch with this receipt was stored by this call's own earlier attempt: its COMMIT went through, and only the
    answer was lost. The ring was lost too, so it is sent again.
    """
    own = Batch.objects.filter(terminal_id=batch.terminal_id)
    if batch.idempotency_key is not None:
        found = own.filter(idempotency_key=batch.idempotency_key).first()
        if found and found.sha256 != batch.sha256:
            raise KeyReused
    elif batch.join_key is not None:
        found = own.filter(join_key=batch.join_key).first()
    else:
        found = own.filter(receipt=batch.receipt).first() if is_repeated or batch.pk else None
    if found is None:
        return None
    is_ours = found.receipt == batch.receipt
    if is_ours:
        ring(found.terminal_id, receipt=str(found.receipt), request_id=found.request_id)
    return Accepted(found, is_replay=not is_ours)


def _store(batch: Batch, deflated: bytes, now: datetime | None) -> Accepted:
    _check_room(batch)
    _open_lane(batch.terminal_id)
    # A repeated attempt inserts again what the first attempt rolled back.
    batch.pk = None
    batch._state.adding = True
    batch.received_at = batch.moved_at = now or datetime.now(UTC)
    with transaction.atomic(durable=True):
        batch.save(force_insert=True)
        BatchBody(batch=batch, shop_id=batch.shop_id, deflated=deflated).save(force_insert=True)
        ring_on_commit(batch.terminal_id, receipt=str(batch.receipt), request_id=batch.request_id)
    log.info(
        "batch_accepted",
        terminal=batch.terminal_id,
        shop=batch.shop_id,
        receipt=str(batch.receipt),
        sales=batch.sale_count,
        body_bytes=len(deflated),
    )
    return Accepted(batch, is_replay=False)


def _check_room(batch: Batch) -> None:
    """Raise TooManyWaiting for a till that has too much waiting. Two posts at once may both pass: it locks nothing."""
    waiting = Batch.objects.filter(settled_at=None, terminal_id=batch.terminal_id).values_list("sha256", flat=True)
    hashes = list(waiting[: COPIES_WAITING_MAX + 1])
    is_full = batch.sha256 not in hashes and len(set(hashes)) >= BATCHES_WAITING_MAX
    if is_full or len(hashes) >= COPIES_WAITING_MAX:
        raise TooManyWaiting


def _open_lane(terminal_id: int) -> None:
    """Make sure that the terminal has its lane before the batch is stored: without one it would never be posted."""
    if Lane.objects.filter(pk=terminal_id).exists():
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"{dialect.insert_ignore(connection)} INTO sales_lane"
            " (terminal_id, starts, starts_batch, starts_position, sequence_holes, waiting_documents, sales_set_aside)"
            " VALUES (%s, 0, 0, 0, '[]', 0, 0)",
            [terminal_id],
        )
