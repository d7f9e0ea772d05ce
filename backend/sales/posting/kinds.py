"""Which kind of document is recorded by what."""

from collections.abc import Callable

from django.db.backends.utils import CursorWrapper

from backend.sales.models import SaleKind
from backend.sales.posting.document import Posting, Recorded
from backend.sales.posting.record_payment import record_payment
from backend.sales.posting.record_reversal import record_return, record_void
from backend.sales.posting.record_sale import record_sale

RECORDERS: dict[str, Callable[[CursorWrapper, Posting], Recorded]] = {
    SaleKind.SALE: record_sale,
    SaleKind.VOID: record_void,
    SaleKind.RETURN: record_return,
    SaleKind.PAYMENT: record_payment,
}


def record(cursor: CursorWrapper, posting: Posting) -> Recorded:
    """Write a document and its effects, all but its registration number. Raises SaleRefused before the first row."""
    return RECORDERS[posting.sale.kind](cursor, posting)
