"""What tills sent, how far it has been posted, and the one outcome of each sale.

Foreign keys to shop, terminal and device carry no database constraint here: an insert would take a shared lock on the
parent's row, and an UPDATE of a till's name or of `last_seen_at` would wait behind a posting. The doctor looks for
orphans instead.
"""

import uuid
from collections.abc import Callable
from typing import TypedDict

from django.db import models
from django.db.models.functions import Now

from backend.db.dialect import KeyField
from backend.inventory.models import AUTHOR_LENGTH_MAX, MONEY, REASON_LENGTH_MAX
from backend.shops.models import Device, Shop, Terminal


class Unconstrained(TypedDict):
    on_delete: Callable[..., None]
    db_constraint: bool
    related_name: str


UNCONSTRAINED: Unconstrained = {"on_delete": models.DO_NOTHING, "db_constraint": False, "related_name": "+"}


class OutcomeStatus(models.TextChoices):
    """What can become of a sale. Each is final until a person, or an origin that arrives, writes another over it."""

    # The posting recorded it: stock, money and number are its effect.
    CREATED = "created", "Enregistrée"
    # The posting carried out an annulation; the sale it names keeps `created`.
    VOIDED = "voided", "Annulation faite"
    RETURNED = "returned", "Retour fait"
    PAID = "paid", "Paiement enregistré"
    # The same number and content was recorded before; the outcome names that first sale.
    DUPLICATE = "duplicate", "Déjà existante"
    # The same number with other content; a person decides at the repair desk.
    CONFLICT = "conflict", "Numéro déjà pris"
    # Malformed, or against the shop's rules; a person decides, or the till sends a corrected sale.
    REJECTED = "rejected", "Refusée"
    # The sale that it follows has not arrived; the posting of that sale decides it again.
    DEFERRED = "deferred", "En attente de sa vente d'origine"
    # Our fault; an operator tries it again.
    FAILED = "failed", "Échec de notre côté"
    # A person put it aside, with a reason.
    SET_ASIDE = "set_aside", "Mise de côté"

    @property
    def is_recorded(self) -> bool:
        return self in RECORDED


# The sale has its own document.
RECORDED = (OutcomeStatus.CREATED, OutcomeStatus.VOIDED, OutcomeStatus.RETURNED, OutcomeStatus.PAID)


class Lane(models.Model):
    """One small row for each terminal; its lock is the right to change that terminal's batches and outcomes."""

    terminal = models.OneToOneField(Terminal, primary_key=True, **UNCONSTRAINED)
    # Slices that began at (starts_batch, starts_position) and did not end: a process that dies leaves its start behind.
    starts = models.PositiveSmallIntegerField(default=0)
    starts_batch = models.BigIntegerField(default=0)
    starts_position = models.PositiveIntegerField(default=0)
    starts_at = models.DateTimeField(null=True)
    rung_at = models.DateTimeField(null=True)
    # The highest `sequence` the till has sent, and the gaps below it: [[from, to], …].
    sequence_seen = models.BigIntegerField(null=True)
    sequence_holes = models.JSONField(default=list)
    # Documents that wait for an origin. While there are none, a posting need not look for followers.
    waiting_documents = models.PositiveIntegerField(default=0)
    # Sales that a person set aside. While there are none, a posting need not look for a resend of one.
    sales_set_aside = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"lane {self.terminal_id}"


class Pause(models.Model):
    """Posting stopped by an operator: everywhere (`all`), in a shop (`shop:9`) or of a till (`terminal:5`)."""

    scope = KeyField(max_length=40, primary_key=True)
    shop = models.ForeignKey(Shop, null=True, **UNCONSTRAINED)
    terminal = models.ForeignKey(Terminal, null=True, **UNCONSTRAINED)
    reason = models.CharField(max_length=200, blank=True)
    since = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.scope


class Batch(models.Model):
    """One post of one till. `next_position` is the cursor: the sale at it is the next to be posted."""

    # The id is the order of acceptance; the receipt id is what the till sees.
    receipt = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    terminal = models.ForeignKey(Terminal, db_index=False, **UNCONSTRAINED)
    shop = models.ForeignKey(Shop, db_index=False, **UNCONSTRAINED)
    device = models.ForeignKey(Device, db_index=False, **UNCONSTRAINED)
    sha256 = KeyField(max_length=64)  # of the bytes as the till meant them, inflated
    idempotency_key = KeyField(max_length=200, null=True)
    # The sha256 while an answer is still owed in mode `complete`: the same bytes join this batch and make no new one.
    join_key = KeyField(max_length=64, null=True)
    sale_count = models.PositiveIntegerField()
    next_position = models.PositiveIntegerField(default=1)
    created_count = models.PositiveIntegerField(default=0)  # created, voided, returned, paid
    error_count = models.PositiveIntegerField(default=0)  # every other outcome, duplicates too
    duplicate_count = models.PositiveIntegerField(default=0)
    # Raised by every change of an outcome: with the id and the answer's format it makes the ETag.
    version = models.PositiveIntegerField(default=0)
    # The gaps in the till's own counter that this batch showed: [[from, to], …].
    sequence_holes = models.JSONField(default=list)
    request_id = models.CharField(max_length=64, blank=True)
    app_version = models.CharField(max_length=32, blank=True)
    ip = models.GenericIPAddressField(null=True)
    received_at = models.DateTimeField()
    moved_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["terminal", "idempotency_key"], name="batch_terminal_key"),
            models.UniqueConstraint(fields=["terminal", "join_key"], name="batch_terminal_join"),
        ]
        indexes = [
            # What is still to be posted, of one terminal or of all.
            models.Index(fields=["settled_at", "terminal"], name="batch_settled_terminal"),
            models.Index(fields=["shop", "received_at"], name="batch_shop_received"),
        ]

    def __str__(self) -> str:
        return str(self.receipt)

    @property
    def waiting_count(self) -> int:
        return self.sale_count - self.next_position + 1


class BatchBody(models.Model):
    """The bytes of a batch. A table of its own: beside the cursor, each move would copy them to the binary log."""

    batch = models.OneToOneField(Batch, primary_key=True, on_delete=models.PROTECT, related_name="body")
    # Every table that grows with the sales names the shop: by it, shops can be spread over several databases.
    shop = models.ForeignKey(Shop, db_index=False, **UNCONSTRAINED)
    deflated = models.BinaryField()  # zlib

    def __str__(self) -> str:
        return f"body of {self.batch_id}"


class Outcome(models.Model):
    """The columns that a current outcome and a replaced one share."""

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="+", db_index=False)
    position = models.PositiveIntegerField()
    status = models.CharField(max_length=16, choices=OutcomeStatus)
    code = models.CharField(max_length=40, blank=True)
    path = models.CharField(max_length=120, blank=True)
    # What goes into the sentence of `code`, which is made when it is read: backend.sales.errors.sentence_of.
    params = models.JSONField(null=True)
    # Its French. Read where `params` is NULL; written for processes of the version before this one, until the next.
    detail = models.CharField(max_length=500, blank=True)
    document = models.ForeignKey("sales.Sale", on_delete=models.PROTECT, null=True, related_name="+")
    version = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        abstract = True

    @property
    def is_recorded(self) -> bool:
        return self.status in RECORDED


class SaleOutcome(Outcome):
    """What became of the sale at one position of one batch: exactly one row, written with its effect."""

    pk = models.CompositePrimaryKey("batch_id", "position")
    shop = models.ForeignKey(Shop, db_index=False, **UNCONSTRAINED)
    terminal = models.ForeignKey(Terminal, db_index=False, **UNCONSTRAINED)
    # As the till wrote it; empty where the sale has no number that can be stored.
    number = KeyField(max_length=64, blank=True)
    fingerprint = KeyField(max_length=72, blank=True)
    # What the sale is worth, so that a refused sale is seen in the day's figures.
    amount = models.DecimalField(**MONEY, null=True)
    currency = models.CharField(max_length=3, blank=True)
    business_day = models.DateField(null=True)
    # The till's number of the sale that a deferred document waits for.
    awaits = KeyField(max_length=64, blank=True)

    class Meta:
        indexes = [
            # With the fingerprint: a till may send thousands of different contents under one number, or without one.
            models.Index(fields=["terminal", "number", "fingerprint"], name="outcome_terminal_content"),
            models.Index(fields=["shop", "status"], name="outcome_shop_status"),
            models.Index(fields=["terminal", "at"], name="outcome_terminal_at"),
        ]

    def __str__(self) -> str:
        return f"{self.number or 'N/A'}: {self.status}"


class OutcomeHistory(Outcome):
    """An outcome that another has replaced. Append-only."""

    shop = models.ForeignKey(Shop, db_index=False, **UNCONSTRAINED)
    replaced_at = models.DateTimeField()
    author = models.CharField(max_length=AUTHOR_LENGTH_MAX, blank=True)
    # As a person typed it; where it is one of our phrases, its French, and the phrase.
    reason = models.CharField(max_length=REASON_LENGTH_MAX, blank=True)
    reason_params = models.JSONField(null=True)

    class Meta:
        indexes = [models.Index(fields=["batch", "position"], name="history_batch_position")]

    def __str__(self) -> str:
        return f"{self.batch_id}/{self.position}: {self.status}"
