"""A sale and what followed it, as far as this till's book knows: what is left, what is owed, what money moved.

Computed as the server does, so that both agree to the cent. Standard library only.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from itertools import takewhile
from typing import Any

from backend.example_till.amounts import line_total, money, quantity, ticket_total
from backend.example_till.moves import (
    Move,
    is_paid,
    moves_of_payment,
    moves_of_return,
    moves_of_sale,
    moves_of_void,
    named_currency,
    value_of,
)
from backend.example_till.records import Record, Records

SALE, VOID, RETURN, PAYMENT = "vente", "annulation", "retour", "paiement"

QuantitiesLeft = dict[int, Decimal]  # by line, from 1


class SaleHistory:
    def __init__(self, record: Record, followers: list[Record], *, currency: str) -> None:
        """followers: oldest first; those that the server refused or the shop set aside are left out. currency: the
        sale's if it names none."""
        self.record, self.sale = record, record.document
        self.currency = named_currency(self.sale.get("devise")) or currency
        self.followers = [follower for follower in followers if follower.counts]

    @property
    def is_void(self) -> bool:
        return bool(self._of_kind(VOID))

    def left(self, *, before: Record | None = None) -> QuantitiesLeft:
        """The quantity left of each line: now, or just before the document `before`."""
        left = {at: quantity(line["quantite"]) for at, line in enumerate(self.sale["lignes"], start=1)}
        for follower in takewhile(lambda one: before is None or one.number != before.number, self._of_kind(RETURN)):
            for line in follower.document["lignes"]:
                left[line["ligne"]] -= quantity(line["quantite"])
        return left

    def owed(self) -> Decimal:
        """The amount still owed; nothing if the sale was paid at once."""
        return self._owed(left=self.left(), paid=value_of(self._all_moves()))

    def moves_of(self, number: str) -> list[Move]:
        """The money that the sale or one of its followers moved; none for a follower that does not count."""
        return self.moves.get(number, [])

    @cached_property
    def moves(self) -> dict[str, list[Move]]:
        """The money of the sale and of each follower, by number, oldest first: each depends on those before it."""
        moves = {self.record.number: moves_of_sale(self.sale, total=total_of(self.sale), currency=self.currency)}
        for follower in self.followers:
            standing = [move for earlier in moves.values() for move in earlier]
            document = follower.document
            if follower.kind == PAYMENT:
                moves[follower.number] = moves_of_payment(document, currency=self.currency)
            elif follower.kind == VOID:
                moves[follower.number] = moves_of_void(document, standing=standing, currency=self.currency)
            elif follower.kind == RETURN:
                due = self._due_back(follower, paid=value_of(standing))
                moves[follower.number] = moves_of_return(
                    document, due=due, standing=standing, sale=self.sale, currency=self.currency
                )
        return moves

    def worth_of(self, follower: Record) -> Decimal:
        """The amount that a void or a return gives back."""
        before = self.left(before=follower)
        if follower.kind == VOID:
            return total_of(self.sale) - self._worth_back(before)
        after = dict(before)
        for line in follower.document["lignes"]:
            after[line["ligne"]] -= quantity(line["quantite"])
        return self._worth_back(after) - self._worth_back(before)

    def _due_back(self, back: Record, *, paid: Decimal) -> Decimal:
        """What a return gives back in money: first it lessens what is owed; never more than was paid."""
        owed = self._owed(left=self.left(before=back), paid=paid)
        return max(Decimal(0), min(self.worth_of(back) - owed, paid))

    def _owed(self, *, left: QuantitiesLeft, paid: Decimal) -> Decimal:
        if is_paid(self.sale):
            return money(0)
        return max(money(0), total_of(self.sale) - self._worth_back(left) - paid)

    def _all_moves(self) -> list[Move]:
        return [move for moves in self.moves.values() for move in moves]

    def _worth_back(self, left: QuantitiesLeft) -> Decimal:
        """The amount that has come back in all: each line's share of its total, less the share of the whole sale's
        discount. So many small returns give back the same, to the cent, as a large one."""
        gross = sum(map(line_total, self.sale["lignes"]), Decimal(0))
        if not gross:
            return Decimal(0)
        back = Decimal(0)
        for at, line in enumerate(self.sale["lignes"], start=1):
            sold = quantity(line["quantite"])
            back += money(line_total(line) * (sold - left[at]) / sold)
        return money(back * total_of(self.sale) / gross)

    def _of_kind(self, kind: str) -> list[Record]:
        return [follower for follower in self.followers if follower.kind == kind]


def history_of(records: Records, named: dict[str, Any], *, currency: str) -> SaleHistory | None:
    """The document that an `origine` names. None if the book does not have it: it may be another till's, the replaced
    device's, or mistyped, and the server decides. The caller checks whether it is a sale. currency: the sale's if it
    names none."""
    number, registration = named.get("numero_facture"), named.get("numero_enregistrement")
    record = records.find(number) if number else None
    if not number and registration is not None:
        record = records.find_registered(registration)
    return None if record is None else SaleHistory(record, records.followers_of(record), currency=currency)


def total_of(sale: dict[str, Any]) -> Decimal:
    """The total of a sale by its lines, whatever the ticket said."""
    return ticket_total(sale["lignes"], discount=sale.get("remise") or 0)
