"""Sends batches, polls receipts, and does what each answer says for each sale. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from backend.example_till.calls import Calls
from backend.example_till.queue import KEPT, WAITING, Batch, Queue
from backend.example_till.wire import Answer, Pace, Refused, Unreachable, most_careful


class Sender:
    """Sends one batch at a time, and trusts only the answers about single sales."""

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
        self.is_cut_off = False  # the last call did not reach the server
        self.problem: str | None = None  # set while the server refuses the till itself, which only a person can mend

    def send_once(self) -> int:
        """Post the oldest batch that has no receipt; return how many sales the server took charge of."""
        batch = self.queue.batch_to_send(sales_max=self.batch_sales_max)
        if batch is None:
            return 0
        try:
            answer = self.calls.post_batch(batch.body, key=batch.key)
        except Unreachable as lost:
            # It may have arrived or not. The same bytes under the same key make the same batch.
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
        self._settle(answer.entries, batch=batch)  # a 201 is the settled receipt; a 202 has no entries yet
        if self.polling.wait_s == 0:
            self.polling.wait(answer.retry_after_s or 0)
        return batch.sale_count

    def poll_once(self) -> int:
        """Ask for the oldest receipt with waiting sales; return how many sales moved on.

        Only for the oldest: the server settles a till's batches in order, so later batches cannot be further.
        """
        batch = self.queue.batch_to_poll()
        if batch is None:
            return 0
        assert batch.receipt is not None, "a batch to poll has a receipt"
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
            # The batch is settled, but the answer lacks some of its sales: ask for those by number.
            return moved + (self._ask_status(batch) if self.queue.numbers_waiting(batch) else 0)
        except Unreachable as lost:
            self._cut_off(self.polling, lost)
            return 0

    def read_changes(self) -> int:
        """Read the changes since the last time; return how many sales moved on. Raises Unreachable, Refused.

        Days later, the shop or the arrival of an origin may settle a sale that the till keeps. A change is about one
        content under a number, and a sale may be purged only if all contents allow it, so `ventes/statut` is asked too.
        The cursor is stored in the same transaction as its page's effects, so a power cut loses and repeats nothing.
        """
        moved = 0
        while True:
            answer = self.calls.changes(self.book.setting("changes_cursor"))
            if answer.code == "parametre_invalide" and self.book.setting("changes_cursor"):
                self.book.keep_settings(
                    changes_cursor=None
                )  # the server no longer accepts this cursor: start from the beginning
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
        """Seconds until the next call is due."""
        waits = [self.polling.wait_s] if self.queue.batch_to_poll() else []
        waits += [self.sending.wait_s] if self.queue.has_something_to_send() else []
        return min(waits, default=0.0)

    def keep_to(self, limits: Mapping[str, int] | None) -> None:
        if limits and limits.get("ventes_par_lot"):
            self.batch_sales_max = min(self.batch_sales_max, limits["ventes_par_lot"])

    # --- What an answer means ---

    def _settle(self, entries: list[dict[str, Any]], *, batch: Batch | None, etag: str | None = None) -> int:
        """Do what the server says for each sale; return how many moved on."""
        moved = self.queue.settle(most_careful(entries), batch=batch, etag=etag)
        for sale in moved:
            self.tell(str(sale))
        return len(moved)

    def _ask_status(self, batch: Batch) -> int:
        """Ask for each sale of a batch whose receipt is lost. Sales that the server does not have are sent again."""
        self.tell(f"Reçu {batch.receipt} sans réponse pour certaines ventes : demande vente par vente")
        try:
            entries = self.calls.status(self.queue.numbers_waiting(batch))
        except Refused as refused:
            self._refused_for_now(self.polling, refused.answer)
            return 0
        moved = self._settle(entries, batch=batch)
        for entry in entries:
            if entry.get("action") == WAITING and entry.get("recu"):
                self.queue.accept(
                    batch, receipt=entry["recu"]
                )  # the server has it under this receipt: poll that receipt
        self.polling.wait(None, progress=moved > 0)
        return moved

    def _refused(self, batch: Batch, answer: Answer) -> None:
        """Handle a batch that the server refused and did not keep. Nothing leaves the queue here."""
        if answer.status == 413 or answer.code == "json_invalide":
            self.tell(f"Lot de {batch.sale_count} vente(s) refusé : {answer.sentence}")
            self.keep_to(answer.document.get("limites"))
            self.queue.halve(batch, code=answer.code or "lot_trop_grand", sentence=answer.sentence)
        elif answer.code == "cle_reutilisee":
            # This key was used with other bytes: the file was copied or restored. Under a new key, sales that the
            # server has already come back as duplicates.
            self.queue.rekey(batch)
        else:
            self._refused_for_now(self.sending, answer)

    def _refused_for_now(self, pace: Pace, answer: Answer) -> None:
        """Try again later. If our server refuses the till itself (unknown, disabled), tell a person too."""
        if answer.code and 400 <= answer.status < 500 and answer.status != 429:
            self.problem = answer.sentence
        self._wait(pace, answer.sentence, answer.retry_after_s)

    def _cut_off(self, pace: Pace, lost: Unreachable) -> None:
        self.is_cut_off = True
        self._wait(pace, f"Serveur injoignable ({lost})")

    def _wait(self, pace: Pace, reason: str, retry_after_s: float | None = None) -> None:
        pace.wait(retry_after_s)
        self.tell(f"{reason} : rien n'est perdu, nouvel essai dans {pace.wait_s:.0f} s")
