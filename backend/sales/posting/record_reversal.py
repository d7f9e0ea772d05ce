"""Reversals: a void undoes a whole sale, a return brings back some of it, to the units that it was sold from.

Units are found by the sale's own lines, so they are the same units even if they were renamed or deactivated since.
"""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from django.db.backends.utils import CursorWrapper

from backend.inventory.french_numbers import plain_number
from backend.inventory.models import MovementType
from backend.sales.errors import AlreadyVoided, OriginInvalid, Reason, ReturnTooLarge
from backend.sales.models import OutcomeStatus, SaleLine
from backend.sales.money.amounts import MONEY_PLACES, round_half_up
from backend.sales.money.movements import Money, Placed, due_back, money_of_return, money_of_void
from backend.sales.money.owed import owed_for
from backend.sales.posting import sql
from backend.sales.posting.document import (
    Dating,
    Posting,
    Recorded,
    choose_variant,
    date_document,
    document_values,
)
from backend.sales.posting.failpoints import failpoint
from backend.sales.posting.origin import OriginDocument, lock_origin, share
from backend.sales.posting.record_money import (
    check_sum,
    corrected,
    drawer_of,
    named_mode,
    read_tenders,
    value_of_placed,
    write_money,
)

# What comes back: (the sale's line, quantity).
Back = list[tuple[SaleLine, Decimal]]


@dataclass(frozen=True, slots=True)
class Reversal:
    """What is about to come back, and what it is worth in the sale's currency."""

    origin: OriginDocument
    back: Back
    # Of each line (by id), and of the whole sale: what has come back, this document included.
    returned: dict[int, Decimal]
    worth: Decimal

    @classmethod
    def of(cls, origin: OriginDocument, back: Back) -> "Reversal":
        returned = {line.pk: line.quantity_returned for line in origin.lines}
        for line, quantity in back:
            returned[line.pk] += quantity
        return cls(origin, back, returned, origin.worth_back(returned))

    @property
    def total(self) -> Decimal:
        return self.worth - self.origin.sale.returned_total


def record_void(cursor: CursorWrapper, posting: Posting) -> Recorded:
    """Undo a sale: bring back what it took less what came back already, and its money. A second void is refused, or a
    duplicate."""
    variant, warnings = choose_variant(cursor, posting)
    origin = lock_origin(cursor, posting)
    if origin.sale.voided_at is not None:
        raise AlreadyVoided
    left = [(line, line.quantity - line.quantity_returned) for line in origin.lines]
    reversal = Reversal.of(origin, [(line, quantity) for line, quantity in left if quantity])
    dating = date_document(posting)
    placed, money_warnings = _undone_money(posting, origin, dating)
    origin.sale.voided_at = posting.now
    return _bring_back(
        cursor, posting, reversal, placed, dating=dating, variant=variant, warnings=[*money_warnings, *warnings],
        movement_type=MovementType.VOID,
    )  # fmt: skip


def record_return(cursor: CursorWrapper, posting: Posting) -> Recorded:
    """Bring some of a sale back, at most what was sold less what came back already, by any till of the shop."""
    variant, warnings = choose_variant(cursor, posting)
    origin = lock_origin(cursor, posting)
    if origin.sale.voided_at is not None:
        raise AlreadyVoided
    reversal = Reversal.of(origin, _asked_back(posting, origin))
    dating = date_document(posting)
    money = _returned_money(posting, reversal)
    return _bring_back(
        cursor, posting, reversal, [(drawer_of(posting, dating), money.moves)], dating=dating, variant=variant,
        warnings=[*money.warnings, *warnings], movement_type=MovementType.RETURN,
    )  # fmt: skip


def _undone_money(posting: Posting, origin: OriginDocument, dating: Dating) -> tuple[Placed, list[str]]:
    standing = origin.money
    if posting.drawer is not None and posting.drawer.origine:
        return corrected(posting, standing, dating), []
    payments = read_tenders(posting, posting.sale.payments, "paiements", currency=origin.sale.currency)
    money = check_sum(money_of_void(standing, mode=named_mode(posting), payments=payments))
    return [(drawer_of(posting, dating), money.moves)], money.warnings


def _returned_money(posting: Posting, reversal: Reversal) -> Money:
    sale = reversal.origin.sale
    payments = read_tenders(posting, posting.sale.payments, "paiements", currency=sale.currency)
    paid = sale.paid_total or Decimal(0)
    return check_sum(
        money_of_return(
            reversal.origin.money,
            due=due_back(total=reversal.total, owed=owed_for(sale), paid=paid),
            currency=sale.currency,
            mode=named_mode(posting),
            origin_mode=sale.payment_mode,
            payments=payments,
        )
    )


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
    reversal: Reversal,
    placed: Placed,
    *,
    dating: Dating,
    variant: int,
    warnings: list[str],
    movement_type: MovementType,
) -> Recorded:
    """Write the document, its lines, its money, the movements and the stock, and update the origin."""
    sale, back = reversal.origin.sale, reversal.back
    locked = sql.lock_units(cursor, unit_ids={line.unit_id for line, _ in back}) if back else {}
    moved_at = posting.stamp(locked.values())
    rows, gross = _line_rows(back)
    paid = value_of_placed(placed)
    values = document_values(
        posting,
        variant=variant,
        currency=sale.currency,
        total=reversal.total,
        discount=gross - reversal.total,
        payment_mode=named_mode(posting) or _mode_of(placed) or sale.payment_mode,
        is_paid=sale.is_paid,
        paid_total=paid,
        origin_id=sale.pk,
        dating=dating,
        warnings=warnings,
    )
    document_id = sql.insert_sale(cursor, values)
    failpoint("document", number=posting.sale.number)
    if back:
        sql.insert_lines(cursor, [[document_id, posting.shop.id, *row] for row in rows])
        _move(cursor, posting, document_id, back, stocks={key: row.stock for key, row in locked.items()},
              movement_type=movement_type, at=moved_at)  # fmt: skip
    write_money(cursor, posting, document_id, placed)
    _write_origin(reversal, paid)
    status = OutcomeStatus.VOIDED if movement_type is MovementType.VOID else OutcomeStatus.RETURNED
    return Recorded(status, document_id, dating.day, sale.currency, reversal.total)


def _mode_of(placed: Placed) -> str | None:
    return next((move.mode for _, moves in placed for move in moves), None)


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
    at: str,
) -> None:
    rows = []
    for position, (line, quantity) in enumerate(back, start=1):
        before = stocks[line.unit_id]
        stocks[line.unit_id] = before + quantity
        rows.append([
            line.unit_id, posting.shop.id, movement_type.value, quantity, before, before + quantity,
            posting.sale.number, posting.context.terminal_name, document_id, position, "", at,
        ])  # fmt: skip
    sql.insert_movements(cursor, rows)
    failpoint("movements", number=posting.sale.number)
    sql.write_stocks(cursor, stocks=stocks, at=at)
    failpoint("stock", number=posting.sale.number)


def _write_origin(reversal: Reversal, paid: Decimal) -> None:
    sale = reversal.origin.sale
    for line in reversal.origin.lines:
        if line.quantity_returned != reversal.returned[line.pk]:
            line.quantity_returned = reversal.returned[line.pk]
            line.save(update_fields=["quantity_returned"])
    sale.returned_total = reversal.worth
    sale.paid_total = (sale.paid_total or Decimal(0)) + paid
    sale.save(update_fields=["returned_total", "paid_total", "voided_at"])
