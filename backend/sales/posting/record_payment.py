"""Payments of a sale on credit, and what is still owed for it."""

from collections.abc import Iterable
from decimal import Decimal

from django.db.backends.utils import CursorWrapper

from backend.sales.errors import AlreadyVoided, PaymentTooLarge
from backend.sales.models import OutcomeStatus, Sale, SalePayment
from backend.sales.money.amounts import MONEY_PLACES, round_half_up
from backend.sales.posting import sql
from backend.sales.posting.document import Posting, Recorded, choose_variant, date_document, document_values
from backend.sales.posting.failpoints import failpoint
from backend.sales.posting.origin import lock_origin


def record_payment(cursor: CursorWrapper, posting: Posting) -> Recorded:
    """Record a payment of a sale on credit, in the sale's currency, of at most what is owed."""
    variant, warnings = choose_variant(cursor, posting)
    origin = lock_origin(cursor, posting).sale
    if origin.voided_at is not None:
        raise AlreadyVoided
    amount, owed = posting.sale.total, owed_for(origin)
    if amount > owed:
        raise PaymentTooLarge(asked=str(amount), owed=str(owed))
    dating = date_document(posting)
    values = document_values(
        posting,
        variant=variant,
        currency=origin.currency,
        total=amount,
        origin_id=origin.pk,
        dating=dating,
        warnings=warnings,
    )
    document_id = sql.insert_sale(cursor, values)
    failpoint("document", number=posting.sale.number)
    origin.paid_later += amount
    origin.save(update_fields=["paid_later"])
    return Recorded(OutcomeStatus.PAID, document_id, dating.day, origin.currency, amount)


def owed_for(sale: Sale) -> Decimal:
    """Return what is still owed for a sale: its total less what was paid and what came back; never below zero."""
    payments = SalePayment.objects.filter(document=sale).values_list("amount", "rate") if sale.has_payments else ()
    return owed_after(sale, payments)


def owed_after(sale: Sale, payments: Iterable[tuple[Decimal, Decimal]]) -> Decimal:
    """Return the same for a sale whose own payments, each as (amount, rate), the caller has read."""
    if sale.is_paid or sale.voided_at is not None:
        return Decimal(0)
    paid = sum((round_half_up(amount * rate, MONEY_PLACES) for amount, rate in payments), Decimal(0))
    return max(Decimal(0), sale.total - sale.paid_later - sale.returned_total - paid)
