"""Reversals: a void undoes a whole sale, a return brings back some of it, to the units that it was sold from.

Units are found by the sale's own lines, so they are the same units even if they were renamed or deactivated since.
"""

from collections import defaultdict
from datetime import date
from decimal import Decimal

from django.db.backends.utils import CursorWrapper

from backend.inventory.french_numbers import plain_number
from backend.inventory.models import MovementType
from backend.sales.errors import AlreadyVoided, OriginInvalid, Reason, ReturnTooLarge
from backend.sales.models import OutcomeStatus, SaleLine
from backend.sales.money.amounts import MONEY_PLACES, round_half_up
from backend.sales.posting import sql
from backend.sales.posting.document import (
    Posting,
    Recorded,
    choose_variant,
    date_document,
    document_values,
)
from backend.sales.posting.failpoints import failpoint
from backend.sales.posting.origin import OriginDocument, lock_origin, share

# What comes back: (the sale's line, quantity).
Back = list[tuple[SaleLine, Decimal]]


def record_void(cursor: CursorWrapper, posting: Posting) -> Recorded:
    """Undo a sale: bring back what it took less what came back already. A second void is refused, or a duplicate."""
    variant, warnings = choose_variant(cursor, posting)
    origin = lock_origin(cursor, posting)
    if origin.sale.voided_at is not None:
        raise AlreadyVoided
    left = [(line, line.quantity - line.quantity_returned) for line in origin.lines]
    back = [(line, quantity) for line, quantity in left if quantity]
    origin.sale.voided_at = posting.now
    document_id, dating_day, total = _bring_back(
        cursor, posting, origin, back, variant=variant, warnings=warnings, movement_type=MovementType.VOID
    )
    return Recorded(OutcomeStatus.VOIDED, document_id, dating_day, origin.sale.currency, total)


def record_return(cursor: CursorWrapper, posting: Posting) -> Recorded:
    """Bring some of a sale back, at most what was sold less what came back already, by any till of the shop."""
    variant, warnings = choose_variant(cursor, posting)
    origin = lock_origin(cursor, posting)
    if origin.sale.voided_at is not None:
        raise AlreadyVoided
    document_id, dating_day, total = _bring_back(
        cursor, posting, origin, _asked_back(posting, origin), variant=variant, warnings=warnings,
        movement_type=MovementType.RETURN,
    )  # fmt: skip
    return Recorded(OutcomeStatus.RETURNED, document_id, dating_day, origin.sale.currency, total)


def _asked_back(posting: Posting, origin: OriginDocument) -> Back:
    by_position = {line.position: line for line in origin.lines}
    asked: dict[int, Decimal] = defaultdict(Decimal)
    back = []
    for index, returned in enumerate(posting.sale.returned):
        line = by_position.get(returned.line)
        if line is None:
            raise OriginInvalid(Reason.LINE_UNKNOWN(line=returned.line))
        asked[line.pk] += returned.quantity
        left = line.quantity - line.quantity_returned
        if asked[line.pk] > left:
            raise ReturnTooLarge(
                line.article_name,
                asked=plain_number(asked[line.pk]),
                left=plain_number(left),
                path=f"lignes[{index}].quantite",
            )
        back.append((line, returned.quantity))
    return back


def _bring_back(
    cursor: CursorWrapper,
    posting: Posting,
    origin: OriginDocument,
    back: Back,
    *,
    variant: int,
    warnings: list[str],
    movement_type: MovementType,
) -> tuple[int, date, Decimal]:
    """Write the document, its lines, the movements and the stock, and update the origin. Return (id, day, total)."""
    locked = sql.lock_units(cursor, unit_ids={line.unit_id for line, _ in back}) if back else {}
    dating = date_document(posting)
    rows, gross = _line_rows(back)
    returned = {line.pk: line.quantity_returned for line in origin.lines}
    for line, quantity in back:
        returned[line.pk] += quantity
    worth = origin.worth_back(returned)
    total = worth - origin.sale.returned_total
    values = document_values(
        posting,
        variant=variant,
        currency=origin.sale.currency,
        total=total,
        discount=gross - total,
        is_paid=origin.sale.is_paid,
        origin_id=origin.sale.pk,
        dating=dating,
        warnings=warnings,
    )
    document_id = sql.insert_sale(cursor, values)
    failpoint("document", number=posting.sale.number)
    if back:
        sql.insert_lines(cursor, [[document_id, posting.shop.id, *row] for row in rows])
        _move(cursor, posting, document_id, back, stocks={key: row.stock for key, row in locked.items()},
              movement_type=movement_type)  # fmt: skip
    _write_origin(origin, returned, worth)
    return document_id, dating.day, total


def _line_rows(back: Back) -> tuple[list[list[object]], Decimal]:
    """Return the lines' columns after document and shop, and the sum of their totals."""
    rows = []
    gross = Decimal(0)
    so_far: dict[int, Decimal] = {}
    for position, (line, quantity) in enumerate(back, start=1):
        before = so_far.get(line.pk, line.quantity_returned)
        so_far[line.pk] = before + quantity
        total = share(line, before + quantity) - share(line, before)
        full = round_half_up(quantity * line.unit_price, MONEY_PLACES)
        gross += total
        rows.append([
            position, line.unit_id, line.pk, line.article_name, line.unit_mark, quantity, Decimal(0), line.unit_price,
            full - total, line.vat_rate, total,
        ])  # fmt: skip
    return rows, gross


def _move(
    cursor: CursorWrapper,
    posting: Posting,
    document_id: int,
    back: Back,
    *,
    stocks: dict[int, Decimal],
    movement_type: MovementType,
) -> None:
    rows = []
    for position, (line, quantity) in enumerate(back, start=1):
        before = stocks[line.unit_id]
        stocks[line.unit_id] = before + quantity
        rows.append([
            line.unit_id, posting.shop.id, movement_type.value, quantity, before, before + quantity,
            posting.sale.number, posting.context.terminal_name, document_id, position, "", posting.written_at,
        ])  # fmt: skip
    sql.insert_movements(cursor, rows)
    failpoint("movements", number=posting.sale.number)
    sql.write_stocks(cursor, stocks=stocks, at=posting.written_at)
    failpoint("stock", number=posting.sale.number)


def _write_origin(origin: OriginDocument, returned: dict[int, Decimal], worth: Decimal) -> None:
    for line in origin.lines:
        if line.quantity_returned != returned[line.pk]:
            line.quantity_returned = returned[line.pk]
            line.save(update_fields=["quantity_returned"])
    origin.sale.returned_total = worth
    origin.sale.save(update_fields=["returned_total", "voided_at"])
