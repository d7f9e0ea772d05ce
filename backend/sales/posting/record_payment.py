"""Payments of a sale on credit."""

from decimal import Decimal

from django.db.backends.utils import CursorWrapper

from backend.sales.errors import AlreadyVoided, FieldInvalid, PaymentTooLarge, Reason
from backend.sales.models import OutcomeStatus
from backend.sales.money.movements import CASH, MODE_ASSUMED, Money, cent_of_others, money_of_payment
from backend.sales.money.owed import owed_for
from backend.sales.posting import sql
from backend.sales.posting.document import Posting, Recorded, choose_variant, date_document, document_values
from backend.sales.posting.failpoints import failpoint
from backend.sales.posting.origin import lock_origin
from backend.sales.posting.record_money import check_sum, drawer_of, named_mode, read_tender, read_tenders, write_money
from backend.sales.wire.parser import Payment


def record_payment(cursor: CursorWrapper, posting: Posting) -> Recorded:
    """Record a payment of a sale on credit, of at most what is owed. Its total is in the sale's currency."""
    variant, warnings = choose_variant(cursor, posting)
    origin = lock_origin(cursor, posting).sale
    if origin.voided_at is not None:
        raise AlreadyVoided
    money = _money(posting, origin.currency)
    owed = owed_for(origin)
    # In another currency, what is owed cannot always be met exactly: less than a cent of it too much is no fault.
    if money.value > owed and money.value - owed >= cent_of_others(money.moves):
        raise PaymentTooLarge(asked=str(money.value), owed=str(owed))
    dating = date_document(posting)
    drawer = drawer_of(posting, dating)
    values = document_values(
        posting,
        variant=variant,
        currency=origin.currency,
        total=money.value,
        payment_mode=named_mode(posting) or CASH,
        paid_total=money.value,
        origin_id=origin.pk,
        dating=dating,
        warnings=[*money.warnings, *warnings],
    )
    document_id = sql.insert_sale(cursor, values)
    failpoint("document", number=posting.sale.number)
    write_money(cursor, posting, document_id, [(drawer, money.moves)])
    origin.paid_total = (origin.paid_total or Decimal(0)) + money.value
    origin.save(update_fields=["paid_total"])
    return Recorded(OutcomeStatus.PAID, document_id, dating.day, origin.currency, money.value)


def _money(posting: Posting, currency: str) -> Money:
    sale = posting.sale
    whole = Payment(mode=named_mode(posting) or CASH, currency=sale.currency, amount=sale.total, rate=sale.rate)
    said = read_tender(posting, whole, "", currency=currency)
    payments = read_tenders(posting, sale.payments, "paiements", currency=currency)
    change = read_tenders(posting, sale.change, "rendu", currency=currency, rates=payments or [said])
    money = check_sum(money_of_payment(said=said, payments=payments, change=change))
    if money.value <= 0:
        # More change than money would be a loan: the debt would grow.
        raise FieldInvalid("paiements" if payments else "montant", Reason.NOT_POSITIVE())
    is_assumed = sale.payment_mode is not None and named_mode(posting) is None and not sale.payments
    return money._replace(warnings=[*money.warnings, MODE_ASSUMED]) if is_assumed else money
