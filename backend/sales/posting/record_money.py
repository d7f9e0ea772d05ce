"""The money of a document that is being recorded: what was handed over, in whose drawer it moves, and its rows.

`backend/sales/money/movements.py` has the rule itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from django.db.backends.utils import CursorWrapper

from backend.sales.errors import CurrencyUnknown, FieldInvalid, Reason
from backend.sales.models import InvoiceSequence, MoneyMovement
from backend.sales.money.amounts import MONEY_PLACES, bounded
from backend.sales.money.movements import CREDIT, ONE, Drawer, Money, Placed, Tender, mode_key, tender, undone_in_place
from backend.sales.posting import sql
from backend.sales.posting.document import Dating, Posting, cashier_key
from backend.sales.posting.failpoints import failpoint
from backend.sales.wire.parser import Payment
from backend.shops.models import Terminal


def read_tenders(
    posting: Posting, sent: Sequence[Payment], name: str, *, currency: str, rates: Iterable[Tender] = ()
) -> list[Tender]:
    """Return the payments of the list `name` with their values in the document's currency.

    rates: payments whose rates hold for a currency that comes without one. Raises CurrencyUnknown, and FieldInvalid
    for a rate that is missing, or that is not 1 where nothing is exchanged.
    """
    known = {one.currency: one.rate for one in rates}
    return [
        read_tender(posting, one, f"{name}[{index}].", currency=currency, rates=known) for index, one in enumerate(sent)
    ]


def read_tender(
    posting: Posting, sent: Payment, prefix: str, *, currency: str, rates: Mapping[str, Decimal] | None = None
) -> Tender:
    own = sent.currency or currency
    if sent.currency is not None and own not in posting.shop.currencies:
        raise CurrencyUnknown(own, path=f"{prefix}devise")
    rate = sent.rate
    if own == currency:
        if rate not in (None, ONE):
            raise FieldInvalid(f"{prefix}taux", Reason.RATE_NOT_ONE())
        rate = ONE
    elif rate is None:
        rate = (rates or {}).get(own)
        if rate is None:
            raise FieldInvalid(f"{prefix}taux", Reason.RATE_MISSING())
    return tender(mode=sent.mode, currency=own, amount=sent.amount, rate=rate, path=f"{prefix}montant")


def named_mode(posting: Posting) -> str | None:
    """Return the mode in which a document that follows a sale moves money; None where it names none. CREDIT is none."""
    mode = posting.sale.payment_mode
    return None if mode is None or mode_key(mode) == CREDIT else mode


def check_sum(money: Money) -> Money:
    """Return the money. Raises FieldInvalid for more of it, in all, than a column holds."""
    bounded(abs(money.value), "paiements", places=MONEY_PLACES)
    return money


def drawer_of(posting: Posting, dating: Dating) -> Drawer:
    """Return the drawer of who records the document: the till's and its cashier's, or the one that the page chose.

    Raises FieldInvalid for a till that is not the shop's.
    """
    chosen = posting.drawer
    if chosen is None or chosen.caisse is None:
        return Drawer(posting.context.terminal_id, cashier_key(posting.sale), dating.till_day, dating.day)
    if not Terminal.objects.filter(pk=chosen.caisse, shop_id=posting.shop.id).exists():
        raise FieldInvalid("tiroir.caisse", Reason.UNEXPECTED())
    return Drawer(chosen.caisse, chosen.caissier, dating.till_day, dating.day)


def corrected(posting: Posting, standing: Iterable[MoneyMovement], dating: Dating) -> Placed:
    """Return what undoes the money where it moved, for the shop's day of that money unless its month is closed."""
    return [
        (drawer._replace(business_day=dating.day) if _is_closed(posting, drawer.business_day) else drawer, moves)
        for drawer, moves in undone_in_place(standing)
    ]


def write_money(cursor: CursorWrapper, posting: Posting, document_id: int, placed: Placed) -> None:
    """Write the rows. A correction moves money on other days than the document's: those that are over are marked."""
    rows = sql.money_rows(placed, document_id=document_id, shop_id=posting.shop.id)
    if rows:
        sql.insert_money(cursor, rows)
    failpoint("money", number=posting.sale.number)
    if posting.drawer is not None and posting.drawer.origine:
        today = posting.shop.day_of(posting.now)
        for day in sorted({drawer.business_day for drawer, moves in placed if moves and drawer.business_day < today}):
            sql.mark_day(cursor, shop_id=posting.shop.id, day=day.isoformat())


def value_of_placed(placed: Placed) -> Decimal:
    return sum((move.value for _, moves in placed for move in moves), Decimal(0))


def _is_closed(posting: Posting, day: date) -> bool:
    month = InvoiceSequence.objects.filter(shop_id=posting.shop.id, year=day.year, month=day.month)
    return month.filter(closed_at__isnull=False).exists()
