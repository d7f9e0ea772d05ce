"""Which kind of document is recorded by what."""

from collections.abc import Callable

from django.db.backends.utils import CursorWrapper

from backend.sales.credit import record_payment
from backend.sales.documents import Posting, Recorded
from backend.sales.models import SaleKind
from backend.sales.recording import record_sale
from backend.sales.voids import record_return, record_void

RECORDERS: dict[str, Callable[[CursorWrapper, Posting], Recorded]] = {
    SaleKind.SALE: record_sale,
    SaleKind.VOID: record_void,
    SaleKind.RETURN: record_return,
    SaleKind.PAYMENT: record_payment,
}


def record(cursor: CursorWrapper, posting: Posting) -> Recorded:
    """Write a document and its effects, all but its registration number. Raises SaleRefused before the first row."""
    return RECORDERS[posting.sale.kind](cursor, posting)
