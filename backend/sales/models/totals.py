"""Totals of past days, kept so that no page adds up a million sales again."""

from django.db import models

from backend.sales.models.batches import UNCONSTRAINED
from backend.shops.models import Shop


class DayTotal(models.Model):
    """The takings of one business day of a shop that is over.

    A document that is recorded later for that day raises `marks` in its own transaction. The figures are valid while
    `marks` equals `added_up_at_marks`; otherwise the next reader adds them up again.
    """

    shop = models.ForeignKey(Shop, db_index=False, **UNCONSTRAINED)
    day = models.DateField()
    marks = models.PositiveIntegerField(default=0)
    added_up_at_marks = models.PositiveIntegerField(null=True)
    figures = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "day"], name="total_shop_day")]

    def __str__(self) -> str:
        return f"{self.shop_id} {self.day}"
