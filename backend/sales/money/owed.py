"""What is still owed for a sale: its total less what came back in goods and what was paid."""

from decimal import Decimal

from backend.sales.models import Sale


def owed_for(sale: Sale) -> Decimal:
    """Return what is owed for a sale; never below zero, and nothing if the till said that it was paid."""
    if sale.is_paid or sale.voided_at is not None:
        return Decimal(0)
    return max(Decimal(0), sale.total - sale.returned_total - (sale.paid_total or 0))
