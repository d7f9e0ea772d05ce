"""Writes documents, without a network. Each is in the file, with its number and its `sequence`, before its ticket is
printed. Standard library only.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from backend.example_till.amounts import exact, ticket_total
from backend.example_till.followers import NotPossible, Origin, refused_if_unreadable
from backend.example_till.history import PAYMENT, RETURN, SALE, VOID, total_of
from backend.example_till.identity import Identity
from backend.example_till.moves import is_on_credit, moves_of_sale
from backend.example_till.queue import Queue
from backend.example_till.records import Records

PREFIXES = {VOID: "AVO", RETURN: "RET", PAYMENT: "PAI"}


class Seller:
    """Writes sales, and the documents that follow them."""

    def __init__(self, queue: Queue, identity: Identity, *, prefix: str, currency: str, zone: tzinfo | None) -> None:
        self.queue, self.book, self.records = queue, queue.book, Records(queue.book)
        self.identity, self.prefix, self.currency, self.zone = identity, prefix, currency, zone

    def now(self) -> datetime:
        """The time in the shop's zone, whose days are the till's days, with its offset: "17:42" alone is ambiguous."""
        return datetime.now(self.zone).astimezone(self.zone)

    def today(self) -> str:
        return self.now().date().isoformat()

    def sell(self, lines: list[dict[str, Any]], **fields: Any) -> str:
        sale: dict[str, Any] = {
            "mode_paiement": "CASH",
            "paye": not is_on_credit(fields),
            "devise": self.currency,
            "montant_total": ticket_total(lines, discount=fields.get("remise") or 0),
            "lignes": lines,
        } | fields
        with refused_if_unreadable():
            moves_of_sale(sale, total=total_of(sale), currency=sale["devise"])
        return self._write(SALE, self.prefix, sale)

    def void(self, *, number: str | None = None, registration: str | None = None, **fields: Any) -> str:
        with self.book.transaction():
            origin = self._origin(number, registration)
            return self._follow(VOID, origin, fields)

    def take_back(
        self,
        quantities: dict[int, Decimal],
        *,
        number: str | None = None,
        registration: str | None = None,
        **fields: Any,
    ) -> str:
        with self.book.transaction():
            origin = self._origin(number, registration)
            lines = [{"ligne": line, "quantite": exact(quantity)} for line, quantity in quantities.items()]
            origin.check_return(lines)
            return self._follow(RETURN, origin, {"lignes": lines} | fields)

    def take_payment(
        self, amount: Decimal, *, number: str | None = None, registration: str | None = None, **fields: Any
    ) -> str:
        with self.book.transaction():
            origin = self._origin(number, registration)
            payment = {"montant": exact(amount), "mode_paiement": "CASH"} | fields
            origin.check_payment(payment)
            return self._follow(PAYMENT, origin, payment)

    def add(self, document: dict[str, Any]) -> str:
        return self.queue.append(document, day=self._day_of(document.get("date_vente")))

    def _origin(self, number: str | None, registration: str | None) -> Origin:
        return Origin(self.records, number=number, registration=registration, currency=self.currency)

    def _follow(self, kind: str, origin: Origin, fields: dict[str, Any]) -> str:
        """Write a document that follows a sale, in the sale's currency if the book has it and `fields` name none."""
        origin.check_handed_back(fields)
        currency = {"devise": origin.currency} if origin.currency else {}
        return self._write(kind, PREFIXES[kind], {"origine": origin.named} | currency | fields)

    def _write(self, kind: str, prefix: str, fields: dict[str, Any]) -> str:
        """Write the number, the counter and the document in one transaction."""
        now = self.now()
        with self.book.transaction():
            if not self.identity.may_sell:
                raise NotPossible("L'enrôlement a commencé et n'est pas fini : envoyer le même code encore une fois.")
            series = "-".join(part for part in (prefix, self.identity.series, f"{now:%Y%m%d}") if part)
            document = {
                "type": kind,
                "numero_facture": fields.get("numero_facture") or self.queue.next_number(series),
                "sequence": self.book.count("sequence"),  # without gaps, so that the server sees what never arrived
                "date_vente": now.isoformat(timespec="seconds"),
            }
            return self.add(document | fields)

    def _day_of(self, text: object) -> str:
        """The till's day of a document, as the server computes it: the shop's day of an instant with an offset."""
        try:
            moment = datetime.fromisoformat(text if isinstance(text, str) else "")
        except ValueError:
            return self.today()
        return (moment.astimezone(self.zone) if moment.tzinfo else moment).date().isoformat()
