"""One sale into the books: what it is compared with, what may refuse it, and what is written when nothing does.

Called by the posting, inside its transaction, with its cursor. Refusals are raised before the first row is written.
"""

import json
import unicodedata
import zlib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.backends.utils import CursorWrapper

from backend.config import dialect
from backend.inventory.models import MovementType
from backend.sales import statements
from backend.sales.business_days import business_day, locate_sale
from backend.sales.cutting import cut
from backend.sales.errors import (
    AlreadyThere,
    CurrencyUnknown,
    FieldInvalid,
    KindNotSupported,
    NumberTaken,
    SaleRefused,
    StockShort,
)
from backend.sales.faultpoints import reach
from backend.sales.models import SaleKind, SaleLine
from backend.sales.payload import Line, ParsedSale, read_sale
from backend.sales.resolution import ResolvedUnit
from backend.sales.slices import ShopRules, Slice
from backend.sales.statements import BatchRow, KnownSale, UnitRow

STOCK_LIMIT = Decimal(10) ** 11  # DECIMAL(14, 3)


@dataclass(frozen=True, slots=True)
class Posting:
    """One sale on its way: what is known of it before any rule is asked. `now` is the operation's one clock."""

    work: Slice
    shop: ShopRules
    batch: BatchRow
    sale: ParsedSale
    now: datetime

    @property
    def at(self) -> str:
        return dialect.naive_utc(self.now)


@dataclass(frozen=True, slots=True)
class Recorded:
    document_id: int
    day: date
    currency: str
    warnings: list[str]


def record_sale(cursor: CursorWrapper, posting: Posting) -> Recorded:
    """Write the sale and all its effects but its registration number.

    Idempotency first: a replay must not fail because the article has sold out since. Raises SaleRefused.
    """
    variant, warnings = choose_variant(cursor, posting)
    reach("looked_up", number=posting.sale.number)
    if posting.sale.kind != SaleKind.SALE:
        raise KindNotSupported(posting.sale.kind)
    currency = check_currencies(posting)
    units = posting.work.resolve(posting.shop.id, [line.key for line in posting.sale.lines])
    locked = statements.lock_units(cursor, unit_ids={unit.unit_id for unit in units})
    reach("locked", number=posting.sale.number)
    steps, stock_warnings = walk_stock(posting, units, locked)
    day, sold_at, day_warnings = date_sale(posting)
    if not all(unit.is_active for unit in units):
        stock_warnings.append("article_inactif")
    warnings = list(dict.fromkeys([*posting.sale.warnings, *day_warnings, *stock_warnings, *warnings]))
    document_id = statements.insert_sale(
        cursor, _sale_values(posting, variant=variant, currency=currency, day=day, sold_at=sold_at, warnings=warnings)
    )
    reach("document", number=posting.sale.number)
    _write_lines(cursor, posting, document_id, units, locked)
    reach("lines", number=posting.sale.number)
    _write_movements(cursor, posting, document_id=document_id, currency=currency, units=units, steps=steps)
    reach("movements", number=posting.sale.number)
    final = {unit.unit_id: after for unit, (_, after) in zip(units, steps, strict=True)}
    statements.write_stocks(cursor, stocks=final, at=posting.at)
    reach("stock", number=posting.sale.number)
    return Recorded(document_id, day, currency, warnings)


def choose_variant(cursor: CursorWrapper, posting: Posting) -> tuple[int, list[str]]:
    """Return the variant this sale becomes, with warnings. Raises AlreadyThere or NumberTaken."""
    sale = posting.sale
    known = statements.sales_with_number(cursor, terminal_id=posting.work.terminal_id, number=sale.number)
    if not known:
        return 1, []
    for one in known:
        if one.fingerprint == sale.fingerprint or _differs_in_names_only(cursor, posting, one):
            raise AlreadyThere(document_id=one.id)
    # A restored or replaced device counts from an old number: what it sold is a sale, not a quarrel.
    own = [one for one in known if one.device_id == posting.batch.device_id]
    if own:
        raise NumberTaken(document_id=own[0].id)
    return known[-1].variant + 1, ["numero_reutilise"]


def _differs_in_names_only(cursor: CursorWrapper, posting: Posting, known: KnownSale) -> bool:
    """Tell whether the stored sale is this one told with other identifiers: an updated till may name units anew.

    Rare, and dear: the first sale is read again from its bytes, and its stored lines compared with ours, resolved.
    """
    if known.batch_id is None:
        return False
    raw = cut(zlib.decompress(statements.read_body(cursor, batch_id=known.batch_id)))[known.position - 1]
    first = read_sale(raw)
    ours = posting.sale
    if _content(first) != _content(ours):
        return False
    try:
        units = posting.work.resolve(posting.shop.id, [line.key for line in ours.lines])
    except SaleRefused:
        # What names nothing in this shop is other content under the number, before it is an unknown article.
        return False
    lines = SaleLine.objects.filter(document_id=known.id).order_by("position")
    return [unit.unit_id for unit in units] == list(lines.values_list("unit_id", flat=True))


def _content(sale: ParsedSale) -> tuple:
    """Return what a fingerprint covers, but for the identifiers of the lines."""
    lines = [(line.quantity, line.unit_price, line.discount) for line in sale.lines]
    return sale.kind, sale.origin, sale.date_text, sale.currency, sale.discount, lines


def check_currencies(posting: Posting) -> str:
    """Return the sale's currency; raise CurrencyUnknown for one the shop does not take."""
    currency = posting.sale.currency or posting.shop.currency
    if currency not in posting.shop.currencies:
        raise CurrencyUnknown(currency, path="devise")
    for at, payment in enumerate(posting.sale.payments):
        if payment.currency and payment.currency not in posting.shop.currencies:
            raise CurrencyUnknown(payment.currency, path=f"paiements[{at}].devise")
        if payment.currency and payment.currency != currency and payment.rate is None:
            raise FieldInvalid(f"paiements[{at}].taux", "manquant : autre devise que celle de la vente")
    return currency


def walk_stock(
    posting: Posting, units: list[ResolvedUnit], locked: dict[int, UnitRow]
) -> tuple[list[tuple[Decimal, Decimal]], list[str]]:
    """Return (stock before, stock after) of each line, chained where lines share a unit, and warnings.

    Raises StockShort where the shop refuses to sell what it has not.
    """
    running = {unit_id: row.stock for unit_id, row in locked.items()}
    steps = []
    warnings = []
    for at, (line, unit) in enumerate(zip(posting.sale.lines, units, strict=True)):
        before = running[unit.unit_id]
        after = before - line.quantity
        if after < 0 and posting.shop.refuses_short_stock:
            raise _stock_short(posting, units, locked, at)
        if after < 0:
            warnings.append("stock_negatif")
        if after <= -STOCK_LIMIT:
            raise FieldInvalid(f"lignes[{at}].quantite", "nombre trop grand")
        running[unit.unit_id] = after
        steps.append((before, after))
    return steps, warnings


def _stock_short(posting: Posting, units: list[ResolvedUnit], locked: dict[int, UnitRow], at: int) -> StockShort:
    unit = units[at]
    pairs = zip(posting.sale.lines, units, strict=True)
    asked = sum(line.quantity for line, other in pairs if other.unit_id == unit.unit_id)
    available = locked[unit.unit_id].stock
    return StockShort(
        unit.article_name, asked=plain_number(asked), available=plain_number(available), path=f"lignes[{at}].quantite"
    )


def date_sale(posting: Posting) -> tuple[date, datetime | None, list[str]]:
    """Return (business day, the till's instant, warnings)."""
    sale, shop = posting.sale, posting.shop
    sold_at, sold_day, warnings = locate_sale(sale.sold, was_sent=sale.date_text is not None, zone=shop.zone)
    day, day_warnings = business_day(
        sold_day,
        arrival_day=shop.day_of(posting.batch.received_at),
        is_closed=lambda day: posting.work.is_closed(shop.id, day),
    )
    return day, sold_at, warnings + day_warnings


def _sale_values(
    posting: Posting, *, variant: int, currency: str, day: date, sold_at: datetime | None, warnings: list[str]
) -> list[object]:
    sale, batch = posting.sale, posting.batch
    return [
        sale.kind, posting.shop.id, posting.work.terminal_id, batch.device_id, sale.number, variant, "", batch.id,
        batch.next_position, None, currency, sale.discount, sale.total, sale.payment_mode, sale.is_paid,
        bool(sale.payments), Decimal(0), plain(sale.cashier.code, 40), plain(sale.cashier.nom, 120),
        plain(sale.customer.nom, 160), plain(sale.customer.telephone, 40), plain(sale.customer.nif, 40),
        plain(sale.reason, 300), _instant(sold_at), sale.date_text or "", _instant(batch.received_at), posting.at,
        day.isoformat(), sale.fingerprint, json.dumps(warnings), sale.fiscal,
    ]  # fmt: skip


def _write_lines(
    cursor: CursorWrapper, posting: Posting, document_id: int, units: list[ResolvedUnit], locked: dict[int, UnitRow]
) -> None:
    rows = []
    for position, (line, unit) in enumerate(zip(posting.sale.lines, units, strict=True), start=1):
        row = locked[unit.unit_id]
        rate = row.vat_rate if line.vat_rate is None else line.vat_rate
        rows.append([
            document_id, posting.shop.id, position, unit.unit_id, None, unit.article_name, row.mark, line.quantity,
            Decimal(0), line.unit_price, line.discount, rate, line.total,
        ])  # fmt: skip
    statements.insert_lines(cursor, rows)
    if posting.sale.payments:
        statements.insert_payments(cursor, [
            [document_id, posting.shop.id, at, one.mode, one.currency or posting.sale.currency or posting.shop.currency,
             one.amount, Decimal(1) if one.rate is None else one.rate]
            for at, one in enumerate(posting.sale.payments, start=1)
        ])  # fmt: skip


def _write_movements(
    cursor: CursorWrapper,
    posting: Posting,
    *,
    document_id: int,
    currency: str,
    units: list[ResolvedUnit],
    steps: list[tuple[Decimal, Decimal]],
) -> None:
    number = posting.sale.number

    def comment(line: Line) -> str:
        return f"Vente #{number} - Prix: {line.unit_price} {currency}"

    statements.insert_movements(cursor, [
        [unit.unit_id, posting.shop.id, MovementType.SALE.value, -line.quantity, before, after, number,
         posting.work.terminal_name, document_id, position, comment(line), posting.at]
        for position, (line, unit, (before, after)) in enumerate(
            zip(posting.sale.lines, units, steps, strict=True), start=1
        )
    ])  # fmt: skip


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else dialect.naive_utc(moment)


def plain(text: str | None, length_max: int) -> str:
    """Return a person's text for a column of `length_max`: composed, on one line, cut; the bytes keep all."""
    return " ".join(unicodedata.normalize("NFC", text).split())[:length_max] if text else ""


def plain_number(value: Decimal) -> str:
    """Return 2 for 2.000 and 1.5 for 1.500."""
    return f"{value.normalize():f}" if value else "0"
