"""What past days came to, kept so that no page adds a million sales up again."""

from django.db import models

from backend.sales.models.batches import UNCONSTRAINED
from backend.shops.models import Shop


class DayTotal(models.Model):
    """The takings of one business day of a shop that is over.

    A document that is recorded later for that day raises `marks` in its own transaction. The figures hold while the
    marks are those at which they were added up; otherwise whoever asks adds them up anew.
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
