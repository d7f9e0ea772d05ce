"""A sale and what followed it, as far as this till's book knows: what is left, what is owed, what came back.

Computed as the server does, so that both agree to the cent. Standard library only.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import takewhile
from typing import Any

from backend.example_till.amounts import exact, line_total, money, quantity, ticket_total
from backend.example_till.records import Record, Records

SALE, VOID, RETURN, PAYMENT = "vente", "annulation", "retour", "paiement"

QuantitiesLeft = dict[int, Decimal]  # by line, from 1


class SaleHistory:
    def __init__(self, record: Record, followers: list[Record]) -> None:
        """followers: oldest first, without those that the server refused or the shop set aside."""
        self.record, self.sale = record, record.document
        self.followers = [follower for follower in followers if follower.counts]

    @property
    def is_void(self) -> bool:
        return bool(self._of_kind(VOID))

    @property
    def was_paid(self) -> bool:
        return self.sale.get("paye", True)

    def left(self, *, before: Record | None = None) -> QuantitiesLeft:
        """The quantity left of each line: now, or just before the document `before`."""
        left = {at: quantity(line["quantite"]) for at, line in enumerate(self.sale["lignes"], start=1)}
        for follower in takewhile(lambda one: before is None or one.number != before.number, self._of_kind(RETURN)):
            for line in follower.document["lignes"]:
                left[line["ligne"]] -= quantity(line["quantite"])
        return left

    def owed(self) -> Decimal:
        """The amount still owed; nothing if the sale was paid at once."""
        if self.was_paid:
            return money(0)
        paid = [money(exact(one["montant"]) * exact(one.get("taux") or 1)) for one in self.sale.get("paiements") or []]
        paid += [money(payment.document["montant"]) for payment in self._of_kind(PAYMENT)]
        return max(money(0), total_of(self.sale) - sum(paid, Decimal(0)) - self._worth_back(self.left()))

    def worth_of(self, follower: Record) -> Decimal:
        """The amount that a void or a return gives back."""
        before = self.left(before=follower)
        if follower.kind == VOID:
            return total_of(self.sale) - self._worth_back(before)
        after = dict(before)
        for line in follower.document["lignes"]:
            after[line["ligne"]] -= quantity(line["quantite"])
        return self._worth_back(after) - self._worth_back(before)

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


def history_of(records: Records, named: dict[str, Any]) -> SaleHistory | None:
    """The document that an `origine` names. None if the book does not have it: it may be another till's, the replaced
    device's, or mistyped, and the server decides. The caller checks whether it is a sale."""
    number, registration = named.get("numero_facture"), named.get("numero_enregistrement")
    record = records.find(number) if number else None
    if not number and registration is not None:
        record = records.find_registered(registration)
    return None if record is None else SaleHistory(record, records.followers_of(record))


def total_of(sale: dict[str, Any]) -> Decimal:
    """The total of a sale by its lines, whatever the ticket said."""
    return ticket_total(sale["lignes"], discount=sale.get("remise") or 0)
