"""Recorded documents: sales, what follows them, and the sequence of their registration numbers."""

from django.db import models

from backend.db.dialect import KeyField
from backend.inventory.models import AUTHOR_LENGTH_MAX, MONEY, QUANTITY, REASON_LENGTH_MAX, ArticleUnit
from backend.sales.models.batches import UNCONSTRAINED, Batch
from backend.shops.models import Device, Shop, Terminal


class SaleKind(models.TextChoices):
    SALE = "vente", "Vente"
    VOID = "annulation", "Annulation"
    RETURN = "retour", "Retour"
    PAYMENT = "paiement", "Paiement"


class Sale(models.Model):
    """A document. Never edited: a mistake is voided and sold again."""

    kind = models.CharField(max_length=16, choices=SaleKind)
    shop = models.ForeignKey(Shop, db_index=False, **UNCONSTRAINED)
    terminal = models.ForeignKey(Terminal, db_index=False, **UNCONSTRAINED)
    device = models.ForeignKey(Device, null=True, db_index=False, **UNCONSTRAINED)
    # The till's number, and which of the sales under it this is. 2 and more: a person accepted it, or another device.
    number = KeyField(max_length=64)
    variant = models.PositiveSmallIntegerField(default=1)
    # Given last, inside the document's own transaction; no other transaction ever sees them empty.
    registration_number = KeyField(max_length=64, blank=True)
    register_year = models.PositiveSmallIntegerField(null=True)
    register_month = models.PositiveSmallIntegerField(null=True)
    register_number = models.PositiveIntegerField(null=True)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    position = models.PositiveIntegerField(null=True)
    origin = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="followers")
    currency = models.CharField(max_length=3)
    discount = models.DecimalField(**MONEY, default=0)
    total = models.DecimalField(**MONEY)
    # As the till said it; what money the document moved is in MoneyMovement.
    payment_mode = KeyField(max_length=32, default="CASH")
    is_paid = models.BooleanField(default=True)
    # The sums of a sale and of all that followed it, kept like the stock of a unit: the value of its money movements
    # (less what was given back; empty only where a process of an older version recorded the document and its money is
    # not written yet), what its returns are worth, and when a void undid it. Changed under the document's lock.
    paid_total = models.DecimalField(**MONEY, null=True)
    returned_total = models.DecimalField(**MONEY, default=0)
    voided_at = models.DateTimeField(null=True)
    cashier_code = KeyField(max_length=40, blank=True)
    cashier_name = KeyField(max_length=120, blank=True)
    customer_name = KeyField(max_length=160, blank=True)
    customer_phone = models.CharField(max_length=40, blank=True)
    customer_nif = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=REASON_LENGTH_MAX, blank=True)
    # The phrase of ours that `reason` is the French of, where the repair desk wrote it.
    reason_params = models.JSONField(null=True)
    # The time on the till's clock: as an instant where it can be read as one, and as the till wrote it.
    sold_at = models.DateTimeField(null=True)
    sold_at_text = models.CharField(max_length=64, blank=True)
    received_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    business_day = models.DateField()
    # The till's own day for it, which may differ from business_day: the reconciliation compares by this one.
    till_day = models.DateField()
    fingerprint = KeyField(max_length=72)
    warnings = models.JSONField(default=list)
    fiscal = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["terminal", "number", "variant"], name="sale_terminal_number"),
            # Promise P7 is kept by this and by the sequence's lock. It is also the index that finds a number.
            models.UniqueConstraint(
                fields=["shop", "register_year", "register_month", "register_number"], name="sale_register"
            ),
            models.UniqueConstraint(fields=["batch", "position"], name="sale_batch_position"),
        ]
        indexes = [
            models.Index(fields=["shop", "business_day"], name="sale_shop_day"),
            models.Index(fields=["terminal", "till_day"], name="sale_terminal_day"),
            # For the sales on credit, which are a few in a hundred.
            models.Index(fields=["shop", "is_paid", "business_day"], name="sale_shop_credit"),
        ]

    def __str__(self) -> str:
        return self.number if self.variant == 1 else f"{self.number}~{self.variant}"


class SaleLine(models.Model):
    """A line, with the article's name and the unit's mark as they were when it was sold."""

    document = models.ForeignKey(Sale, on_delete=models.PROTECT, related_name="lines", db_index=False)
    shop = models.ForeignKey(Shop, db_index=False, **UNCONSTRAINED)
    position = models.PositiveSmallIntegerField()  # from 1
    unit = models.ForeignKey(ArticleUnit, on_delete=models.PROTECT, related_name="+")
    origin_line = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    article_name = models.CharField(max_length=160)
    unit_mark = models.CharField(max_length=24, blank=True)
    quantity = models.DecimalField(**QUANTITY)
    quantity_returned = models.DecimalField(**QUANTITY, default=0)
    unit_price = models.DecimalField(**MONEY)
    discount = models.DecimalField(**MONEY, default=0)
    vat_rate = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    total = models.DecimalField(**MONEY)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "position"], name="line_document_position")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.article_name}"


class MoneyKind(models.TextChoices):
    """Why money moved. Change is part of a payment; a refund gives back what a void or a return undid."""

    RECEIPT = "ENCAISSEMENT", "Encaissement"
    CHANGE = "RENDU", "Monnaie rendue"
    REFUND = "REMBOURSEMENT", "Remboursement"
    PAYMENT = "PAIEMENT", "Paiement d'un crédit"


class MoneyMovement(models.Model):
    """Money that a document moved, in one mode and currency; positive into the drawer, negative out. Append-only.

    Written in the document's own transaction. The drawer is that of the till, the cashier and the day that handed the
    money over, which need not be the document's: backend/sales/money/movements.py has the rule.
    """

    pk = models.CompositePrimaryKey("document_id", "position")
    document = models.ForeignKey(Sale, on_delete=models.PROTECT, related_name="money", db_index=False)
    position = models.PositiveSmallIntegerField()  # from 1
    shop = models.ForeignKey(Shop, db_index=False, **UNCONSTRAINED)
    terminal = models.ForeignKey(Terminal, db_index=False, **UNCONSTRAINED)
    cashier = KeyField(max_length=120, blank=True)  # the code, or the name of one who has no code
    till_day = models.DateField()
    business_day = models.DateField()
    kind = models.CharField(max_length=16, choices=MoneyKind)
    mode = KeyField(max_length=32)  # in capitals
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(**MONEY)
    # How many units of the document's currency one unit of this one is worth, and the amount reckoned so.
    rate = models.DecimalField(max_digits=18, decimal_places=8, default=1)
    value = models.DecimalField(**MONEY)

    class Meta:
        indexes = [
            models.Index(fields=["shop", "business_day"], name="money_shop_day"),
            models.Index(fields=["terminal", "till_day"], name="money_terminal_day"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} {self.mode}"


class InvoiceSequence(models.Model):
    """The last registration number of a shop's month. Its row is locked last of all."""

    shop = models.ForeignKey(Shop, db_index=False, **UNCONSTRAINED)
    year = models.PositiveSmallIntegerField()
    month = models.PositiveSmallIntegerField()
    last_number = models.PositiveIntegerField(default=0)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=AUTHOR_LENGTH_MAX, blank=True)

    class Meta:
        # Never the shop alone: with a unique index on the shop alone, a shop could sell in one month only.
        constraints = [models.UniqueConstraint(fields=["shop", "year", "month"], name="sequence_shop_month")]

    def __str__(self) -> str:
        return f"{self.shop_id} {self.year}-{self.month:02}: {self.last_number}"
