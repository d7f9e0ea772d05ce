"""What all kinds of documents share: their variant, date, columns, and texts that people wrote."""

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.backends.utils import CursorWrapper

from backend.db import dialect
from backend.inventory.models import REASON_LENGTH_MAX
from backend.sales.errors import AlreadyThere, NumberTaken, Reason, SaleRefused, SetAside
from backend.sales.models import OutcomeStatus, SaleKind, SaleLine
from backend.sales.posting import sql
from backend.sales.posting.context import NO_OVERRIDE, Override, PostingContext, ShopRules
from backend.sales.posting.sql import BatchRow, KnownSale, UnitRow
from backend.sales.wire.business_day import business_day, locate_sale
from backend.sales.wire.office import OfficeDrawer
from backend.sales.wire.parser import ParsedSale, fingerprint_without_names


@dataclass(frozen=True, slots=True)
class Posting:
    """One sale that is being posted, and what its rules need. `now` is the operation's one clock."""

    context: PostingContext
    shop: ShopRules
    batch: BatchRow
    sale: ParsedSale
    now: datetime
    # Whose drawer its money moves in, where a page of the shop chose one.
    drawer: OfficeDrawer | None = None

    @property
    def written_at(self) -> str:
        return dialect.naive_utc(self.now)

    def stamp(self, locked: Iterable[UnitRow]) -> str:
        """Return the time of stock movements of these units, as it is written: taken under their locks.

        It never lies before their last change, by whatever clock that was stamped, so that a unit's movements in the
        order of their times are its chain.
        """
        return dialect.naive_utc(max(self.context.clock(), self.now, *(row.changed_at for row in locked)))

    @property
    def is_follower(self) -> bool:
        """Tell whether this is not the attempt's own sale, but a follower that is woken with it."""
        return (self.batch.id, self.batch.next_position) != self.context.attempt.place

    @property
    def override(self) -> Override:
        """Return what a person allowed this sale; a follower is decided by the rules."""
        return NO_OVERRIDE if self.is_follower else self.context.attempt.override


@dataclass(frozen=True, slots=True)
class Recorded:
    """A document that was written, without its registration number yet."""

    status: OutcomeStatus
    document_id: int
    day: date
    currency: str
    total: Decimal


@dataclass(frozen=True, slots=True)
class Dating:
    """When a document happened: the day it counts for, the till's own day and instant, and warnings about them."""

    day: date
    till_day: date
    sold_at: datetime | None
    warnings: list[str]


def choose_variant(cursor: CursorWrapper, posting: Posting) -> tuple[int, list[str]]:
    """Return the variant this sale becomes, with warnings. Raises AlreadyThere, NumberTaken or SetAside."""
    sale = posting.sale
    known = sql.sales_with_number(cursor, terminal_id=posting.context.terminal_id, number=sale.number)
    if not known:
        _refuse_set_aside(cursor, posting)
        return 1, []
    for variant in known:
        if variant.fingerprint == sale.fingerprint or _differs_in_names_only(cursor, posting, variant):
            raise AlreadyThere(document_id=variant.id)
    _refuse_set_aside(cursor, posting)
    # A restored or replaced device counts on from an old number: its sale is a new sale, not a conflict.
    own = [variant for variant in known if variant.device_id == posting.batch.device_id]
    if own and not posting.override.accepts_variant:
        raise NumberTaken(document_id=own[0].id)
    return known[-1].variant + 1, ["numero_reutilise"]


def _refuse_set_aside(cursor: CursorWrapper, posting: Posting) -> None:
    """Raise SetAside for a sale that a person has set aside before. No query where the till has no such sales."""
    if not posting.context.attempt.has_set_aside or posting.override.reopens:
        return
    sale = posting.sale
    if sql.was_set_aside(
        cursor, terminal_id=posting.context.terminal_id, number=sale.number, fingerprint=sale.fingerprint
    ):
        raise SetAside(Reason.STAYS_ASIDE())


def _differs_in_names_only(cursor: CursorWrapper, posting: Posting, known: KnownSale) -> bool:
    """Tell whether the stored sale is this one with other identifiers: an updated till may name units differently.

    Rare and expensive: both are read again from their bytes, because what was rounded or left out is different content
    too; and the stored sale's lines are compared with our units.
    """
    if known.batch_id is None or known.position is None or posting.sale.kind != SaleKind.SALE:
        return False
    context, batch = posting.context, posting.batch
    theirs = context.read_sales(cursor, known.batch_id)[known.position - 1]
    ours = context.read_sales(cursor, batch.id)[batch.next_position - 1]
    if fingerprint_without_names(theirs) != fingerprint_without_names(ours):
        return False
    try:
        units = context.resolve(posting.shop.id, [line.key for line in posting.sale.lines])
    except SaleRefused:
        # A line that names no unit of this shop makes it different content: a conflict goes before an unknown article.
        return False
    lines = SaleLine.objects.filter(document_id=known.id).order_by("position")
    return [unit.unit_id for unit in units] == list(lines.values_list("unit_id", flat=True))


def date_document(posting: Posting) -> Dating:
    sale, shop = posting.sale, posting.shop
    sold_at, sold_day, warnings = locate_sale(sale.sold, was_sent=sale.date_text is not None, zone=shop.zone)
    day, day_warnings = business_day(
        sold_day,
        arrival_day=shop.day_of(posting.batch.received_at),
        is_closed=lambda day: posting.context.is_closed(shop.id, day),
    )
    return Dating(day, sold_day or day, sold_at, warnings + day_warnings)


def document_values(
    posting: Posting,
    *,
    variant: int,
    currency: str,
    total: Decimal,
    dating: Dating,
    warnings: list[str],
    paid_total: Decimal,
    payment_mode: str,
    discount: Decimal = Decimal(0),
    is_paid: bool = True,
    origin_id: int | None = None,
) -> list[object]:
    """Return a document's columns in the order of sql.SALE_COLUMNS."""
    sale, batch = posting.sale, posting.batch
    all_warnings = list(dict.fromkeys([*sale.warnings, *dating.warnings, *warnings]))
    return [
        sale.kind, posting.shop.id, posting.context.terminal_id, batch.device_id, sale.number, variant, "", batch.id,
        batch.next_position, origin_id, currency, discount, total, payment_mode, is_paid, paid_total,
        Decimal(0), plain(sale.cashier.code, 40), plain(sale.cashier.nom, 120),
        plain(sale.customer.nom, 160), plain(sale.customer.telephone, 40), plain(sale.customer.nif, 40),
        plain(sale.reason, REASON_LENGTH_MAX), _instant(dating.sold_at), sale.date_text or "",
        _instant(batch.received_at), posting.written_at, dating.day.isoformat(), dating.till_day.isoformat(),
        sale.fingerprint, json.dumps(all_warnings), sale.fiscal,
    ]  # fmt: skip


def cashier_key(sale: ParsedSale) -> str:
    """Return what a document's cashier is known by: the code, or the name of one who has no code."""
    return plain(sale.cashier.code, 40) or plain(sale.cashier.nom, 120)


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else dialect.naive_utc(moment)


def plain(text: str | None, length_max: int) -> str:
    """Return a person's text for a column of `length_max`: normalized, on one line, cut. The batch's bytes keep it."""
    return " ".join(unicodedata.normalize("NFC", text).split())[:length_max] if text else ""
