"""A till in a file: what a cash register must do so that no sale is lost or counted twice.

Standard library only, so that it can be read and rewritten in any language. It follows nine rules:

1. A sale is in the till's own file before its ticket is printed, and is never edited afterwards. What happens to it
   later (a void, a return, a payment) is another document, with its own number.
2. A batch's exact bytes and its Idempotency-Key are in the file before the first post. When the answer is lost, the
   same bytes go out again with the same key, and the server gives the same receipt.
3. Only an answer with a receipt means "received". After any other answer, even the 200 of a Wi-Fi login page, the batch
   stays in the file and is sent again.
4. Received does not mean recorded. A sale leaves the queue only when the server answers `purger` for it. If the till
   does not know an action, the sale waits.
5. Batches are sent one at a time, in the order of the sales, because the server keeps the order of their arrival.
6. After a failure the till waits as long as `Retry-After` says, or else longer each time. It never gives up.
7. If the server does not know a receipt, the till asks for each number with `ventes/statut`.
8. The journal keeps purged sales: documents may follow them, and they are sent again if the server says at the end of a
   day that they are missing.
9. An old token, an old cursor, a drawer not yet compared: each is kept until its replacement is in the file and has
   been seen to work.

The modules: `book` the file · `queue` sales to send · `records`, `history`, `moves`, `sums` reading them · `documents`,
`followers` writing documents · `calls`, `wire` HTTP · `sender` batches and receipts · `identity` serial, token,
numbers · `heartbeat`, `closing`, `catalogue` the rest of the day.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any

from backend.example_till.book import Book
from backend.example_till.calls import Calls
from backend.example_till.catalogue import Catalogue
from backend.example_till.closing import Closings
from backend.example_till.documents import Seller
from backend.example_till.heartbeat import heartbeat_of
from backend.example_till.identity import Identity
from backend.example_till.queue import KEPT, TO_SEND, WAITING, Queue, QueuedSale, RecordedSale
from backend.example_till.records import Records
from backend.example_till.sender import Sender
from backend.example_till.wire import Refused, Unreachable

BATCH_SALES_MAX = (
    100  # the server accepts more (`etat` says how many), but a small batch gets through a weak network sooner
)
TIMEOUT_S = 40.0  # a device in answer mode `complete` is answered after up to 25 s


class Till:
    """One till: sells offline, sends when it can, and trusts only the server's answers about single sales.

    path: the till's own SQLite file, made on first use. base_url: the server, such as https://ventes.exemple.cd.
    Address, serial and token may be left out once the till is enrolled: the file has them. token: not needed either
    while the device is in `serial` mode. zone: the shop's time zone, whose days are the till's days; the machine's if
    None. currency: the default for sales. tell: called with a French sentence for each event.
    One object belongs to one thread. Several processes may open the same file.
    """

    def __init__(
        self,
        path: str | Path,
        base_url: str | None = None,
        serial: str | None = None,
        token: str | None = None,
        *,
        app_version: str = "1.0",
        prefix: str = "FAC",
        currency: str = "CDF",
        zone: tzinfo | None = None,
        batch_sales_max: int = BATCH_SALES_MAX,
        timeout_s: float = TIMEOUT_S,
        backoff_s: tuple[float, float] = (0.5, 60.0),
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self.tell = tell
        self.book = Book(path)
        self.queue, self.records = Queue(self.book), Records(self.book)
        try:
            self.identity = Identity(self.book, base_url=base_url, serial=serial, token=token)
        except BaseException:
            self.book.close()
            raise
        self.calls = Calls(self.identity, app_version=app_version, timeout_s=timeout_s)
        self.seller = Seller(self.queue, self.identity, prefix=prefix, currency=currency, zone=zone)
        self.sender = Sender(self.queue, self.calls, batch_sales_max=batch_sales_max, backoff_s=backoff_s, tell=tell)
        self.catalogue = Catalogue(self.book, self.calls)
        self.closings = Closings(self.book, self.records, currency=currency)

    # --- Selling, without a network ---

    def sell(self, lines: list[dict[str, Any]], **fields: Any) -> str:
        """Write one sale to the file and return its number; once this returns, the ticket may be printed.

        lines: dicts with the API's keys (`article_id` or `unite_uuid`, `quantite`, `prix_unitaire`, `remise`…).
        fields: more fields of the sale (`paiements`, `rendu`, `remise`…), or other values for those set here. Amounts
        are Decimal, int or text. Raises NotPossible for a payment in another currency without its `taux`.
        """
        return self.seller.sell(lines, **fields)

    def add(self, sale: dict[str, Any]) -> str:
        """Queue a sale made elsewhere, as it is, and return its number. Raises NumberTaken if this file has it."""
        return self.seller.add(sale)

    def void(self, **named: Any) -> str:
        """Write a void of a sale, named by `number` or by `registration`; return the void's own number.

        The sale need not have been sent yet: both are sent, in order. Like the next two methods, it takes more fields
        (`motif`, `mode_paiement`, `paiements`, `caissier`…) and raises NotPossible if the book shows that this is
        wrong. If the book does not have the sale, the server decides. If it is not said how the money is handed back,
        it goes back as it came.
        """
        return self.seller.void(**named)

    def take_back(self, quantities: dict[int, Decimal], **named: Any) -> str:
        """Write a return: the quantity of each returned line (from 1) of a sale, named as for `void`."""
        return self.seller.take_back(quantities, **named)

    def take_payment(self, amount: Decimal, **named: Any) -> str:
        """Write a payment of a sale on credit, named as for `void`: in its currency, or in `devise` at the rate `taux`;
        `paiements` if it comes in several ways, `rendu` if there is change."""
        return self.seller.take_payment(amount, **named)

    def close_drawer(self, *, day: str | None = None, **drawer: Any) -> int:
        """Write what a cashier counted, to be compared at the next `sync`; see Closings.write. Return its id."""
        return self.closings.write(day=day or self.seller.today(), now=self.seller.now(), **drawer)

    def pending(self) -> list[QueuedSale]:
        """The documents still in the queue, oldest first: to send, waiting, kept, to correct."""
        return self.queue.sales()

    # --- With a network ---

    def sync(self, timeout_s: float | None = None) -> Report:
        """Send and poll until nothing is left to send or to wait for; return what became of the sales.

        Stops earlier after `timeout_s`, or if the server refuses the till itself (`Report.problem`), since waiting
        would not help. Stopping loses nothing at any moment: the next call goes on from the file. At the end, drawers
        are compared, and a heartbeat is sent.
        """
        deadline = time.monotonic() + (float("inf") if timeout_s is None else timeout_s)
        journal_start = self.queue.journal_end()
        self.sender.is_cut_off = False
        if any(sale.state == KEPT for sale in self.queue.sales()):
            self._try("Ce qui a changé", self.sender.read_changes)
        self._send_and_poll(deadline)
        days: list[dict[str, Any]] = []
        if self.sender.problem is None:
            if not self.queue.has_work():
                self._try("Clôture", lambda: days.extend(self.compare_drawers(deadline)))
            self._try("État", self.heartbeat)
        return Report(self.queue.journal(after=journal_start), self.queue.sales(), self.sender.problem, days)

    def send_once(self) -> int:
        """Post the oldest batch that has no receipt; return how many sales the server took charge of."""
        return self.sender.send_once()

    def poll_once(self) -> int:
        """Ask for the oldest receipt with waiting sales; return how many sales moved on."""
        return self.sender.poll_once()

    # The calls below make one attempt, and raise Unreachable or Refused.

    def status(self, numbers: list[str]) -> list[dict[str, Any]]:
        """One entry for each content that the server knows under each number."""
        return self.calls.status(numbers)

    def etat(self) -> dict[str, Any]:
        """How the server sees this till: time, shop, limits, open work. The next batches respect its limits."""
        return self._state(self.calls.etat())

    def heartbeat(self) -> dict[str, Any]:
        """Report the till's clock and what it holds; the answer is that of `etat`."""
        report = heartbeat_of(
            self.records.held(),
            now=self.seller.now(),
            sequence=self.book.counted("sequence"),
            currency=self.seller.currency,
        )
        return self._state(self.calls.heartbeat(report))

    def enrol(self, code: str, *, model: str | None = None) -> None:
        """Send a one-time code. Afterwards token, shop, counter and a series of numbers are in the file.

        After Unreachable, send the same code again: the server accepts it again, and gives a new token.
        """
        self.identity.begin_enrolment(code)
        answer = self.calls.enrol(code, model=model)
        if answer.code and 400 <= answer.status < 500 and answer.status != 429:
            self.identity.give_enrolment_up()
        self.identity.keep_enrolment(answer.required("jeton", "terminal", "boutique"))

    def renew_token(self) -> None:
        """Ask for a new token and use it once, which makes the old one invalid."""
        self.identity.keep_next_token(self.calls.renew_token().required("jeton")["jeton"])
        self.calls.etat()

    def read_changes(self) -> int:
        """Do what the shop has decided since the last time; return how many sales moved on."""
        return self.sender.read_changes()

    def compare_drawers(self, deadline: float = float("inf")) -> list[dict[str, Any]]:
        """Have the server compare each closed day; return its answers. Raises Unreachable, Refused.

        Sales that the server misses are sent again, and then the day is compared once more. A drawer whose answer was
        lost is compared again: the shop sees only the latest comparison of a day.
        """
        answers = []
        for closing in self.closings.open():
            answer = self.calls.reconcile(self.closings.day_of(closing))
            if self.queue.restore(answer["manquantes"]) or self.queue.has_work():
                self._send_and_poll(deadline)
                if self.queue.has_work():
                    continue  # not all of it has gone out: the day stays open until the next time
                answer = self.calls.reconcile(self.closings.day_of(closing))
            self.closings.keep_answer(closing, answer)
            answers.append(answer)
        return answers

    def close(self) -> None:
        self.book.close()
        self.calls.close()

    def __enter__(self) -> Till:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _send_and_poll(self, deadline: float) -> None:
        sender = self.sender
        sender.problem = None
        while self.queue.has_work() and sender.problem is None and time.monotonic() < deadline:
            if sender.sending.wait_s == 0:
                sender.send_once()
            if sender.polling.wait_s == 0:
                sender.poll_once()
            time.sleep(max(0.0, min(sender.pause_s, deadline - time.monotonic())))

    def _state(self, state: dict[str, Any]) -> dict[str, Any]:
        self.sender.keep_to(state.get("limites"))
        return state

    def _try(self, what: str, call: Callable[[], object]) -> None:
        """Make a call that the next `sync` repeats anyway: if it fails, this `sync` goes on. Not tried if the server
        was unreachable just now."""
        if self.sender.is_cut_off:
            return
        try:
            call()
        except (Unreachable, Refused) as failure:
            self.sender.is_cut_off = isinstance(failure, Unreachable)
            self.tell(f"{what} : réponse non obtenue ({failure})")


@dataclass(frozen=True)
class Report:
    """What `sync` did: the sales that left the queue, those still in it, and the days that were compared."""

    recorded: list[RecordedSale]
    pending: list[QueuedSale]
    problem: str | None
    days: list[dict[str, Any]]

    @property
    def settled(self) -> bool:
        """Whether nothing is left to send or to wait for. Sales to correct may remain."""
        return not any(sale.state in (TO_SEND, WAITING) for sale in self.pending)

    def in_state(self, state: str) -> list[QueuedSale]:
        return [sale for sale in self.pending if sale.state == state]
