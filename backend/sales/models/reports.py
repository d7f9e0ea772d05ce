"""What tills report: the end of a day, and what they still have to send."""

from django.db import models

from backend.db.dialect import KeyField
from backend.sales.models.batches import UNCONSTRAINED
from backend.shops.models import Device, Shop, Terminal


class TillClosing(models.Model):
    """One reconciliation of one till's day: what the till said, and what the server answered."""

    shop = models.ForeignKey(Shop, db_index=False, **UNCONSTRAINED)
    terminal = models.ForeignKey(Terminal, **UNCONSTRAINED)
    device = models.ForeignKey(Device, null=True, db_index=False, **UNCONSTRAINED)
    day = models.DateField()  # the till's own
    cashier = KeyField(max_length=120, blank=True)
    result = models.CharField(max_length=20)
    said = models.JSONField()
    answered = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["shop", "day"], name="closing_shop_day")]

    def __str__(self) -> str:
        return f"{self.terminal_id} {self.day}: {self.result}"


class Heartbeat(models.Model):
    """What a till said it still holds, and what its clock showed when it said so."""

    shop = models.ForeignKey(Shop, db_index=False, **UNCONSTRAINED)
    terminal = models.ForeignKey(Terminal, db_index=False, **UNCONSTRAINED)
    device = models.ForeignKey(Device, db_index=False, **UNCONSTRAINED)
    held_count = models.PositiveIntegerField()
    held_amounts = models.JSONField(default=list)
    oldest_held_at = models.DateTimeField(null=True)
    sequence = models.BigIntegerField(null=True)
    till_clock_at = models.DateTimeField(null=True)
    clock_skew_s = models.FloatField(null=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["terminal", "at"], name="heartbeat_terminal_at"),
            models.Index(fields=["shop", "at"], name="heartbeat_shop_at"),
            # The last heartbeat of a device that was replaced long ago lies below years of its successor's. So does
            # the last that named the counter, of a device that has stopped naming it.
            models.Index(fields=["terminal", "device", "at", "sequence"], name="heartbeat_word"),
        ]

    def __str__(self) -> str:
        return f"{self.terminal_id} {self.at:%Y-%m-%d %H:%M}: {self.held_count}"
