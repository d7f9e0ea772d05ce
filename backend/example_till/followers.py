"""Checks a void, a return or a payment against the till's own file, while the customer is still there.

The server decides what the till cannot check (another till's sale, goods returned elsewhere). Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from backend.example_till.amounts import exact, quantity
from backend.example_till.history import SALE, SaleHistory, history_of
from backend.example_till.moves import cent_of_others, moves_of_payment, tenders_of, value_of
from backend.example_till.queue import TO_CORRECT
from backend.example_till.records import Records


class NotPossible(Exception):
    """The till itself can see that this is wrong; nothing was written."""


@contextmanager
def refused_if_unreadable() -> Iterator[None]:
    """Raises NotPossible for what was handed over, if it says no rate, or a wrong one: the server would refuse it."""
    try:
        yield
    except ValueError as unreadable:
        raise NotPossible(f"{unreadable}.") from unreadable


class Origin:
    """The sale that a new document follows: the number that names it, and its history if the book has it."""

    def __init__(self, records: Records, *, number: str | None, registration: str | None, currency: str) -> None:
        """Raises NotPossible if the book shows that nothing can follow the sale."""
        if (number is None) == (registration is None):
            raise NotPossible("Nommer la vente par son numéro, ou par son numéro d'enregistrement.")
        self.named = {"numero_facture": number} if number else {"numero_enregistrement": registration}
        self.history = history_of(records, self.named, currency=currency)
        if self.history is not None:
            _check_it_stands(self.history)

    @property
    def currency(self) -> str | None:
        return None if self.history is None else self.history.sale.get("devise")

    def check_return(self, lines: list[dict[str, Any]]) -> None:
        """Raises NotPossible if more would come back than is left of what was sold."""
        if not lines or any(quantity(line["quantite"]) <= 0 for line in lines):
            raise NotPossible("Un retour a au moins une ligne, et des quantités positives.")
        if self.history is None:
            return
        left = self.history.left()
        for line in lines:
            at, asked = line["ligne"], quantity(line["quantite"])
            if at not in left:
                raise NotPossible(f"{self.history.record.number} n'a pas de ligne {at}.")
            if asked > left[at]:
                raise NotPossible(f"Ligne {at} : il n'en reste que {_plain(left[at])} à rendre.")
            left[at] -= asked

    def check_payment(self, payment: dict[str, Any]) -> None:
        """Raises NotPossible if more would be paid than is owed, reckoned in the sale's currency."""
        if exact(payment["montant"]) <= 0:
            raise NotPossible("Un paiement est un montant positif.")
        if self.history is None:
            return
        with refused_if_unreadable():
            moves = moves_of_payment(payment, currency=self.history.currency)
        if value_of(moves) <= 0:
            raise NotPossible("Un paiement fait entrer plus d'argent qu'il n'en rend.")
        too_much = value_of(moves) - (owed := self.history.owed())
        # What is owed cannot always be met exactly in another currency: less than a cent of it is no fault.
        if too_much > 0 and too_much >= cent_of_others(moves):
            raise NotPossible(f"Il ne reste que {owed} à payer pour {self.history.record.number}.")

    def check_handed_back(self, document: dict[str, Any]) -> None:
        """Raises NotPossible if the server could not read the `paiements` of a void or a return."""
        if self.history is not None:
            with refused_if_unreadable():
                tenders_of(document, "paiements", currency=self.history.currency)


def _check_it_stands(history: SaleHistory) -> None:
    record = history.record
    if record.kind != SALE:
        raise NotPossible(f"{record.number} n'est pas une vente.")
    if record.state == TO_CORRECT or record.status == "set_aside":
        raise NotPossible(f"{record.number} n'a pas été enregistrée : il n'y a rien à défaire ni à payer.")
    if history.is_void:
        raise NotPossible(f"{record.number} est déjà annulée.")


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}" if number else "0"
