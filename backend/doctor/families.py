"""A sale with all that followed it and the money that they moved, judged by the rule: pure but for the reading."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from backend.sales.models import MoneyKind, MoneyMovement, Sale, SaleKind
from backend.sales.money.movements import (
    PAYMENTS_DIFFER,
    ZERO,
    Move,
    cent_of_others,
    due_back,
    value_of,
)

FAMILIES_AT_ONCE = 500

Drawer = tuple[int, str, date, date]


class Document(NamedTuple):
    """The columns that the rule of a document's money needs."""

    pk: int
    kind: str
    origin_id: int | None
    currency: str
    total: Decimal
    is_paid: bool
    paid_total: Decimal | None
    warnings: list[str]


class Moved(NamedTuple):
    """A recorded movement, with its drawer."""

    drawer: Drawer
    move: Move


class Odd(NamedTuple):
    """A document whose money is not what its rule says; `due` is from the drawer's side."""

    document: Document
    moved: Decimal
    due: Decimal


class Excess(NamedTuple):
    """A payment of more than was owed."""

    document: Document
    moved: Decimal
    owed: Decimal


@dataclass(frozen=True, slots=True)
class Family:
    """A document and those that followed it, in the order in which they were recorded."""

    head: Document
    followers: list[Document]
    money: dict[int, list[Moved]]

    @property
    def documents(self) -> list[Document]:
        return [self.head, *self.followers]

    @property
    def is_complete(self) -> bool:
        """Tell whether the money of all of them is written."""
        return all(document.paid_total is not None for document in self.documents)

    def moves(self, document: Document) -> list[Move]:
        return [moved.move for moved in self.money.get(document.pk, [])]

    def added_up(self, document: Document) -> Decimal:
        """Return what `paid_total` of this document should be: a sale's has the money of its followers in it."""
        if document is self.head and document.kind == SaleKind.SALE:
            return sum((value_of(self.moves(each)) for each in self.documents), ZERO)
        return value_of(self.moves(document))

    def odd_documents(self) -> Iterator[Odd]:
        """Yield the documents of a sale's family whose money is not what the rule says, unless a warning says so."""
        if self.head.kind != SaleKind.SALE:
            return
        yield from _odd_sale(self.head, self.moves(self.head))
        standing = list(self.money.get(self.head.pk, []))
        for before in self._walk():
            document, moves = before.document, self.moves(before.document)
            dues = _dues(document, standing, owed=before.owed)
            standing += self.money.get(document.pk, [])
            value = value_of(moves)
            if not any(_is_about(value, due, moves) for due in dues) and PAYMENTS_DIFFER not in document.warnings:
                yield Odd(document, value, dues[0])

    def excessive_payments(self) -> Iterator[Excess]:
        """Yield the payments beyond what the sale left owing. Goods that came back afterwards do not count."""
        if self.head.kind != SaleKind.SALE:
            return
        for document, owed in self._walk():
            if document.kind == SaleKind.PAYMENT:
                moves = self.moves(document)
                excess = value_of(moves) - owed
                # As when it was recorded: in another currency, what is owed cannot always be met exactly.
                if excess > 0 and excess >= cent_of_others(moves):
                    yield Excess(document, value_of(moves), owed)

    def _walk(self) -> Iterator["_Before"]:
        """Yield each follower with what was owed for the sale before it."""
        owes = not self.head.is_paid
        left = self.head.total - value_of(self.moves(self.head))
        for document in self.followers:
            yield _Before(document, max(ZERO, left) if owes else ZERO)
            owes = owes and document.kind != SaleKind.VOID
            left -= value_of(self.moves(document)) + (document.total if document.kind == SaleKind.RETURN else ZERO)


class _Before(NamedTuple):
    document: Document
    owed: Decimal


def _odd_sale(sale: Document, moves: Sequence[Move]) -> Iterator[Odd]:
    """A sale that is paid brought in its total; one that is owed at most that."""
    value = value_of(moves)
    if PAYMENTS_DIFFER in sale.warnings or _is_about(value, sale.total, moves):
        return
    if value > sale.total or value < 0:
        yield Odd(sale, value, sale.total if sale.is_paid or value > 0 else ZERO)
    elif sale.is_paid:
        yield Odd(sale, value, sale.total)


def _dues(document: Document, standing: Sequence[Moved], *, owed: Decimal) -> list[Decimal]:
    """Return the values that the rule allows for what a follower moves, the likeliest first."""
    paid = value_of(one.move for one in standing)
    if document.kind == SaleKind.PAYMENT:
        return [document.total]
    if document.kind == SaleKind.RETURN:
        return [-due_back(total=document.total, owed=owed, paid=paid)]
    # What stands of a mode and currency may be nothing but cents of another rate, which a void leaves.
    by_mode = [((one.move.mode, one.move.currency), one.move) for one in standing]
    in_place = [((*one.drawer, *key), one.move) for one, (key, _) in zip(standing, by_mode, strict=True)]
    by_currency = [((one.move.currency,), one.move) for one in standing]
    return [-paid, *(-_undone(keyed) for keyed in (by_mode, in_place, by_currency))]


def _undone(keyed: Iterable[tuple[tuple[object, ...], Move]]) -> Decimal:
    """Return the value of the sums that are not zero, by these keys."""
    sums: dict[tuple[object, ...], tuple[Decimal, Decimal]] = {}
    for key, move in keyed:
        amount, value = sums.get(key, (ZERO, ZERO))
        sums[key] = (amount + move.amount, value + move.value)
    return sum((value for amount, value in sums.values() if amount), ZERO)


def _is_about(value: Decimal, due: Decimal, moves: Iterable[Move]) -> bool:
    """Tell whether these are equal but for what other currencies explain, as when the document was recorded."""
    return value == due or abs(value - due) <= cent_of_others(moves) / 2


def read_families(head_ids: Iterable[int]) -> Iterator[Family]:
    """Yield the families of these documents, in the order of their ids, with two queries for each chunk.

    The documents come from one statement, so that they are of one moment; their money never changes.
    """
    ids = sorted(head_ids)
    for first in range(0, len(ids), FAMILIES_AT_ONCE):
        chunk = ids[first : first + FAMILIES_AT_ONCE]
        documents = _documents(chunk)
        money = _money(documents)
        followers: dict[int, list[Document]] = {}
        for document in documents.values():
            # A sale that follows another is found elsewhere: it is no part of that one's money.
            if document.origin_id is not None and document.kind != SaleKind.SALE:
                followers.setdefault(document.origin_id, []).append(document)
        for pk in chunk:
            if pk in documents:
                yield Family(documents[pk], followers.get(pk, []), money)


def read_family(head_id: int) -> Family | None:
    return next(read_families([head_id]), None)


def _documents(head_ids: list[int]) -> dict[int, Document]:
    heads = Sale.objects.filter(pk__in=head_ids).values_list(*Document._fields)
    followers = Sale.objects.filter(origin__in=head_ids).values_list(*Document._fields)
    return {row[0]: Document(*row) for row in sorted(heads.union(followers, all=True), key=lambda row: row[0])}


def _money(documents: Iterable[int]) -> dict[int, list[Moved]]:
    found = MoneyMovement.objects.filter(document__in=list(documents)).order_by("document_id", "position")
    money: dict[int, list[Moved]] = {}
    for row in found:
        # Another check finds a kind that does not exist; here only the sums count.
        kind = MoneyKind(row.kind) if row.kind in MoneyKind.values else MoneyKind.RECEIPT
        drawer = (row.terminal_id, row.cashier, row.till_day, row.business_day)
        move = Move(kind, row.mode, row.currency, row.amount, row.rate, row.value)
        money.setdefault(row.document_id, []).append(Moved(drawer, move))
    return money
