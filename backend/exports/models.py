"""Invoices exported to other systems, one row each: an export that was interrupted resumes where it stopped."""

from django.db import models

from backend.db.dialect import KeyField
from backend.sales.models import Sale


class ExportedInvoice(models.Model):
    """A document that a target has, written as soon as the target has confirmed it."""

    target = KeyField(max_length=60)
    document = models.ForeignKey(Sale, on_delete=models.PROTECT, related_name="exports")
    remote_id = models.CharField(max_length=100, blank=True)
    exported_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["target", "document"], name="export_target_document")]

    def __str__(self) -> str:
        return f"{self.target}: {self.document_id}"
