"""The sale that a document follows: found by the name that the document gives, locked, and valued."""

import re
from dataclasses import dataclass
from decimal import Decimal

from django.db.backends.utils import CursorWrapper

from backend.sales.errors import FieldInvalid, OriginAmbiguous, OriginInvalid, OriginUnknown, Reason
from backend.sales.models import MoneyMovement, Sale, SaleKind, SaleLine
from backend.sales.money.amounts import MONEY_PLACES, round_half_up
from backend.sales.posting import sql
from backend.sales.posting.document import Posting
from backend.sales.posting.missing_money import complete_money

_REGISTRATION = re.compile(r".*-(\d{4})(\d{2})-(\d{6,9})")


@dataclass(frozen=True, slots=True)
class OriginDocument:
    """A sale, locked, with its lines in order, and the money movements of it and of all that followed it."""

    sale: Sale
    lines: list[SaleLine]
    money: list[MoneyMovement]

    def worth_back(self, returned: dict[int, Decimal]) -> Decimal:
        """Return the worth of all the quantities (by line id) that have come back so far.

        The sale's discount is shared out over the lines' totals. Computed from all the returns together, so that ten
        returns of a tenth give back, to the cent, what one return of everything does.
        """
        gross = sum(line.total for line in self.lines)
        if not gross:
            return Decimal(0)
        back = sum(share(line, returned[line.pk]) for line in self.lines)
        return round_half_up(back * self.sale.total / gross, MONEY_PLACES)


def share(line: SaleLine, quantity: Decimal) -> Decimal:
    """Return the part of the line's total that belongs to `quantity` of it."""
    return round_half_up(line.total * quantity / line.quantity, MONEY_PLACES)


def lock_origin(cursor: CursorWrapper, posting: Posting) -> OriginDocument:
    """Find the sale that the document follows, lock it, and return it with its lines.

    Raises OriginUnknown if the till's number has not arrived, OriginAmbiguous, and OriginInvalid if the name leads to
    no sale of this shop; another shop's sale is treated as if it did not exist.
    """
    document_id = _find(cursor, posting)
    sale = Sale.objects.select_for_update().get(pk=document_id)
    if sale.kind != SaleKind.SALE:
        raise OriginInvalid(Reason.NOT_A_SALE())
    # A payment may come in another currency, at a rate; goods come back at the sale's own prices.
    if posting.sale.kind != SaleKind.PAYMENT and posting.sale.currency not in (None, sale.currency):
        raise FieldInvalid("devise", Reason.CURRENCY_OF_ORIGIN(currency=sale.currency))
    followers = list(Sale.objects.filter(origin=sale).values_list("pk", "paid_total"))
    if sale.paid_total is None or any(paid is None for _, paid in followers):
        complete_money(sale.pk)
        sale.refresh_from_db(fields=["paid_total", "is_paid"])
    money = MoneyMovement.objects.filter(document__in=[sale.pk, *(pk for pk, _ in followers)])
    return OriginDocument(sale, list(SaleLine.objects.filter(document=sale).order_by("position")),
                          list(money.order_by("document_id", "position")))  # fmt: skip


def _find(cursor: CursorWrapper, posting: Posting) -> int:
    assert posting.sale.origin is not None, "a document that follows another one names it: read_sale refuses others"
    name, value = posting.sale.origin
    if name == "numero_facture":
        return _by_number(cursor, posting, str(value))
    found = Sale.objects.filter(shop_id=posting.shop.id)
    if name == "vente_id":
        found = found.filter(pk=value)
    else:
        parts = _REGISTRATION.fullmatch(str(value))
        if not parts:
            raise OriginInvalid(Reason.REGISTRATION_UNREADABLE())
        year, month, number = map(int, parts.groups())
        found = found.filter(
            register_year=year, register_month=month, register_number=number, registration_number=value
        )
    document_id = found.values_list("pk", flat=True).first()
    if document_id is None:
        raise OriginInvalid(Reason.SALE_UNKNOWN())
    return document_id


def _by_number(cursor: CursorWrapper, posting: Posting, number: str) -> int:
    """Return the id of this till's sale under `number`: the same device's variant, else the only variant."""
    known = sql.sales_with_number(cursor, terminal_id=posting.context.terminal_id, number=number)
    if not known:
        raise OriginUnknown(number)
    own = [sale for sale in known if sale.device_id == posting.batch.device_id]
    candidates = own or known
    if len(candidates) > 1:
        raise OriginAmbiguous
    return candidates[0].id
