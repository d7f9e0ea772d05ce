"""What is still owed for a sale: its total less what came back in goods and what was paid."""

from decimal import Decimal

from backend.sales.models import Sale


def owed_for(sale: Sale) -> Decimal:
    """Return what is owed for a sale; nothing once it is voided."""
    if sale.voided_at is not None:
        return Decimal(0)
    paid = sale.paid_total or Decimal(0)
    return owed(total=sale.total, returned=sale.returned_total, paid=paid, is_paid=sale.is_paid)


def owed(*, total: Decimal, returned: Decimal, paid: Decimal, is_paid: bool) -> Decimal:
    """Return what is owed; never below zero, and nothing if the till said that the sale was paid."""
    return Decimal(0) if is_paid else max(Decimal(0), total - returned - paid)
