"""Records one sale: looks for a duplicate, checks the rules, then writes all its rows.

Runs inside the posting's transaction, with its cursor. Refusals are raised before the first row is written.
"""

from decimal import Decimal

from django.db.backends.utils import CursorWrapper

from backend.inventory.fields import QUANTITY_MAX
from backend.inventory.french_numbers import plain_number
from backend.inventory.models import MovementType
from backend.sales.errors import CurrencyUnknown, FieldInvalid, Reason, StockShort
from backend.sales.models import OutcomeStatus
from backend.sales.money.movements import CASH, Money, money_of_sale
from backend.sales.posting import sql
from backend.sales.posting.document import (
    Posting,
    Recorded,
    choose_variant,
    date_document,
    document_values,
)
from backend.sales.posting.failpoints import failpoint
from backend.sales.posting.record_money import check_sum, drawer_of, read_tenders, write_money
from backend.sales.posting.sql import UnitRow
from backend.sales.posting.unit_lookup import ResolvedUnit
from backend.sales.wire.fingerprints import UnitKey


def record_sale(cursor: CursorWrapper, posting: Posting) -> Recorded:
    """Write the sale and all its effects, except its registration number. Raises SaleRefused.

    Duplicates are looked for first: a resend must not fail because the article has sold out since.
    """
    sale = posting.sale
    variant, warnings = choose_variant(cursor, posting)
    failpoint("looked_up", number=sale.number)
    currency = currency_of(posting)
    money = _money(posting, currency)
    units = posting.context.resolve(posting.shop.id, _keys(posting))
    locked = sql.lock_units(cursor, unit_ids={unit.unit_id for unit in units})
    moved_at = posting.stamp(locked.values())
    failpoint("locked", number=sale.number)
    steps, stock_warnings = walk_stock(posting, units, locked)
    dating = date_document(posting)
    drawer = drawer_of(posting, dating)
    values = document_values(
        posting,
        variant=variant,
        currency=currency,
        total=sale.total,
        discount=sale.discount,
        payment_mode=sale.payment_mode or CASH,
        is_paid=sale.is_paid,
        paid_total=money.value,
        dating=dating,
        warnings=[*stock_warnings, *money.warnings, *warnings],
    )
    document_id = sql.insert_sale(cursor, values)
    failpoint("document", number=sale.number)
    _write_lines(cursor, posting, document_id, units, locked)
    failpoint("lines", number=sale.number)
    _write_movements(cursor, posting, document_id=document_id, currency=currency, units=units, steps=steps, at=moved_at)
    failpoint("movements", number=sale.number)
    write_money(cursor, posting, document_id, [(drawer, money.moves)])
    final = {unit.unit_id: after for unit, (_, after) in zip(units, steps, strict=True)}
    sql.write_stocks(cursor, stocks=final, at=moved_at)
    failpoint("stock", number=sale.number)
    return Recorded(OutcomeStatus.CREATED, document_id, dating.day, currency, sale.total)


def _keys(posting: Posting) -> list[UnitKey]:
    """Return each line's key: as the till wrote it, unless a person chose the unit."""
    chosen = posting.override.units
    if not chosen:
        return [line.key for line in posting.sale.lines]
    return [
        (("unite_uuid", str(chosen[index])),) if index in chosen else line.key
        for index, line in enumerate(posting.sale.lines)
    ]


def currency_of(posting: Posting) -> str:
    """Return the sale's currency. Raises CurrencyUnknown for one that the shop does not accept."""
    currency = posting.sale.currency or posting.shop.currency
    if currency not in posting.shop.currencies:
        raise CurrencyUnknown(currency, path="devise")
    return currency


def _money(posting: Posting, currency: str) -> Money:
    sale = posting.sale
    payments = read_tenders(posting, sale.payments, "paiements", currency=currency)
    change = read_tenders(posting, sale.change, "rendu", currency=currency, rates=payments)
    return check_sum(
        money_of_sale(
            total=sale.total,
            currency=currency,
            mode=sale.payment_mode or CASH,
            is_paid=sale.is_paid,
            payments=payments,
            change=change,
        )
    )


def walk_stock(
    posting: Posting, units: list[ResolvedUnit], locked: dict[int, UnitRow]
) -> tuple[list[tuple[Decimal, Decimal]], list[str]]:
    """Return (stock before, stock after) of each line, chained where lines share a unit, and warnings.

    Raises StockShort if the stock is too low and the shop's policy is to refuse.
    """
    running = {unit_id: row.stock for unit_id, row in locked.items()}
    steps = []
    warnings = []
    for index, (line, unit) in enumerate(zip(posting.sale.lines, units, strict=True)):
        before = running[unit.unit_id]
        after = before - line.quantity
        if after < 0 and posting.shop.refuses_short_stock and not posting.override.accepts_short_stock:
            raise _stock_short(posting, units, locked, index)
        if after < 0:
            warnings.append("stock_negatif")
        if after < -QUANTITY_MAX:
            raise FieldInvalid(f"lignes[{index}].quantite", Reason.NUMBER_TOO_LARGE())
        running[unit.unit_id] = after
        steps.append((before, after))
    if not all(unit.is_active for unit in units):
        warnings.append("article_inactif")
    return steps, warnings


def _stock_short(posting: Posting, units: list[ResolvedUnit], locked: dict[int, UnitRow], index: int) -> StockShort:
    unit = units[index]
    pairs = zip(posting.sale.lines, units, strict=True)
    asked = sum((line.quantity for line, other in pairs if other.unit_id == unit.unit_id), Decimal(0))
    available = locked[unit.unit_id].stock
    return StockShort(
        unit.article_name,
        asked=plain_number(asked),
        available=plain_number(available),
        path=f"lignes[{index}].quantite",
    )


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
    sql.insert_lines(cursor, rows)


def _write_movements(
    cursor: CursorWrapper,
    posting: Posting,
    *,
    document_id: int,
    currency: str,
    units: list[ResolvedUnit],
    steps: list[tuple[Decimal, Decimal]],
    at: str,
) -> None:
    number = posting.sale.number

    sql.insert_movements(cursor, [
        [unit.unit_id, posting.shop.id, MovementType.SALE.value, -line.quantity, before, after, number,
         posting.context.terminal_name, document_id, position, "", at]
        for position, (line, unit, (before, after)) in enumerate(
            zip(posting.sale.lines, units, steps, strict=True), start=1
        )
    ])  # fmt: skip
