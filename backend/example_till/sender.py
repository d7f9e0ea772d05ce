"""Handing over: batches out, receipts in, and what each answer means for each sale. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from backend.example_till.calls import Calls
from backend.example_till.queue import KEPT, WAITING, Batch, Queue
from backend.example_till.wire import Answer, Pace, Refused, Unreachable, most_careful


class Sender:
    """Sends one batch at a time and believes only what the server says sale by sale."""

    def __init__(
        self,
        queue: Queue,
        calls: Calls,
        *,
        batch_sales_max: int,
        backoff_s: tuple[float, float],
        tell: Callable[[str], None],
    ) -> None:
        self.queue, self.book, self.calls, self.tell = queue, queue.book, calls, tell
        self.batch_sales_max = batch_sales_max
        self.sending, self.polling = Pace(*backoff_s), Pace(*backoff_s)
        self.is_cut_off = False  # the last call found nobody
        self.problem: str | None = None  # set while the server refuses this till itself: only a person can help then

    def send_once(self) -> int:
        """Post the oldest batch that has no receipt; return how many sales the server took charge of."""
        batch = self.queue.batch_to_send(sales_max=self.batch_sales_max)
        if batch is None:
            return 0
        try:
            answer = self.calls.post_batch(batch.body, key=batch.key)
        except Unreachable as lost:
            # It has arrived or not, nobody knows. Both are fine: same bytes and same key make the same batch.
            self._cut_off(self.sending, lost)
            return 0
        self.is_cut_off = False
        if answer.receipt is None:
            self._refused(batch, answer)
            return 0
        self.problem = None
        self.sending.succeed()
        self.queue.accept(batch, receipt=answer.receipt)
        self.tell(f"{batch.sale_count} vente(s) reçue(s) par le serveur, reçu {answer.receipt}")
        self._settle(answer.entries, batch=batch)  # a 201 already is the settled receipt; a 202 has no entries yet
        if self.polling.wait_s == 0:
            self.polling.wait(answer.retry_after_s or 0)
        return batch.sale_count

    def poll_once(self) -> int:
        """Ask for the oldest receipt in which sales of ours wait; return how many were moved on.

        Only for the oldest: the server settles a till's batches in order, so the later ones can't be further.
        """
        batch = self.queue.batch_to_poll()
        if batch is None:
            return 0
        assert batch.receipt is not None, "one without is still to be posted"
        try:
            answer = self.calls.receipt(batch.receipt, etag=batch.etag)
            self.is_cut_off = False
            if answer.code == "recu_inconnu":
                return self._ask_status(batch)
            if answer.receipt is None and answer.status != 304:
                self._refused_for_now(self.polling, answer)
                return 0
            moved = self._settle(answer.entries, batch=batch, etag=answer.headers.get("ETag"))
            if not answer.is_settled:
                self.polling.wait(answer.retry_after_s, progress=moved > 0)
                return moved
            self.polling.succeed()
            # Settled without a word about some sale of ours: then ask for that one by its number.
            return moved + (self._ask_status(batch) if self.queue.numbers_waiting(batch) else 0)
        except Unreachable as lost:
            self._cut_off(self.polling, lost)
            return 0

    def read_changes(self) -> int:
        """Read what changed since the last time; return how many sales moved on. Raises Unreachable, Refused.

        The shop, or an origin that arrived, may have settled days later what the server asked us to keep. A change
        speaks of one content under a number, and a sale goes only if all say so: `ventes/statut` is asked for those.
        The cursor is kept together with what was done, page by page, so that a power cut repeats and misses nothing.
        """
        moved = 0
        while True:
            answer = self.calls.changes(self.book.setting("changes_cursor"))
            if answer.code == "parametre_invalide" and self.book.setting("changes_cursor"):
                self.book.keep_settings(changes_cursor=None)  # no longer a cursor of this server: from the beginning
                continue
            page = answer.required("ventes", "curseur", "fin")
            named = {entry["numero_facture"] for entry in page["ventes"]}
            kept = [sale.number for sale in self.queue.sales() if sale.state == KEPT and sale.number in named]
            entries = self.calls.status(kept)
            with self.book.transaction():
                moved += self._settle(entries, batch=None)
                self.book.keep_settings(changes_cursor=page["curseur"])
            if page["fin"]:
                return moved

    @property
    def pause_s(self) -> float:
        """Seconds until there is something to do again."""
        waits = [self.polling.wait_s] if self.queue.batch_to_poll() else []
        waits += [self.sending.wait_s] if self.queue.has_something_to_send() else []
        return min(waits, default=0.0)

    def keep_to(self, limits: Mapping[str, int] | None) -> None:
        if limits and limits.get("ventes_par_lot"):
            self.batch_sales_max = min(self.batch_sales_max, limits["ventes_par_lot"])

    # --- What an answer means ---

    def _settle(self, entries: list[dict[str, Any]], *, batch: Batch | None, etag: str | None = None) -> int:
        """Do what the server says for each sale; return how many were moved on."""
        moved = self.queue.settle(most_careful(entries), batch=batch, etag=etag)
        for sale in moved:
            self.tell(str(sale))
        return len(moved)

    def _ask_status(self, batch: Batch) -> int:
        """Ask for each sale of a batch whose receipt is lost. What the server does not know goes out again."""
        self.tell(f"Reçu {batch.receipt} sans réponse pour certaines ventes : demande vente par vente")
        try:
            entries = self.calls.status(self.queue.numbers_waiting(batch))
        except Refused as refused:
            self._refused_for_now(self.polling, refused.answer)
            return 0
        moved = self._settle(entries, batch=batch)
        for entry in entries:
            if entry.get("action") == WAITING and entry.get("recu"):
                self.queue.accept(batch, receipt=entry["recu"])  # the server has it under this receipt: poll that one
        self.polling.wait(None, progress=moved > 0)
        return moved

    def _refused(self, batch: Batch, answer: Answer) -> None:
        """The batch was not taken, and the server keeps nothing of it. Nothing leaves the queue here."""
        if answer.status == 413 or answer.code == "json_invalide":
            self.tell(f"Lot de {batch.sale_count} vente(s) refusé : {answer.sentence}")
            self.keep_to(answer.document.get("limites"))
            self.queue.halve(batch, code=answer.code or "lot_trop_grand", sentence=answer.sentence)
        elif answer.code == "cle_reutilisee":
            # This key came with other bytes before: the file was copied or restored. Under a new key the server
            # compares sale by sale, and those that it knows come back as duplicates.
            self.queue.rekey(batch)
        else:
            self._refused_for_now(self.sending, answer)

    def _refused_for_now(self, pace: Pace, answer: Answer) -> None:
        """Try again later. If it is our server that refuses this till (unknown, disabled), a person must know too."""
        if answer.code and 400 <= answer.status < 500 and answer.status != 429:
            self.problem = answer.sentence
        self._wait(pace, answer.sentence, answer.retry_after_s)

    def _cut_off(self, pace: Pace, lost: Unreachable) -> None:
        self.is_cut_off = True
        self._wait(pace, f"Serveur injoignable ({lost})")

    def _wait(self, pace: Pace, reason: str, retry_after_s: float | None = None) -> None:
        pace.wait(retry_after_s)
        self.tell(f"{reason} : rien n'est perdu, nouvel essai dans {pace.wait_s:.0f} s")
