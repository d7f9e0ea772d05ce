"""A till in a file: what a cash register does so that no sale is lost and none is counted twice.

Standard library only, so that it can be read and rewritten in any language. It keeps seven rules:

1. A sale is in the till's own file before its ticket is printed, and is never edited afterwards.
2. A batch's exact bytes and its Idempotency-Key are in the file before the first post. When the answer is lost, the
   same bytes go out again with the same key, and the server gives the same receipt.
3. Only an answer that carries a receipt means "received". Any other answer, the 200 of a Wi-Fi login page included,
   changes nothing: the batch stays and goes out again.
4. Received is not recorded. A sale leaves the queue only when the server says `purger` for it. A word that the till
   does not know means: wait.
5. Batches go out one at a time, in the order of the sales: the server keeps the order in which it was given them.
6. After a failure the till waits as long as `Retry-After` says, or else longer each time. It never gives up.
7. A receipt that the server does not know is no tragedy: ask for each number with `ventes/statut`.

The rules are here; `queue` is the file that the till keeps, `wire` its HTTP.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from backend.ops.till.queue import KEPT, TO_SEND, WAITING, Batch, Queue, QueuedSale, RecordedSale
from backend.ops.till.wire import Answer, Pace, Refused, Unreachable, Wire, exact_json, most_careful, ticket_total

BATCH_SALES_MAX = 100  # the server takes more (`etat` says how many), but a small batch gets through a weak link sooner
STATUS_NUMBERS_MAX = 1000
TIMEOUT_S = 40.0  # a device in answer mode `complete` is answered after up to 25 s


class Till:
    """One till: sells offline, sends when it can, and believes only what the server says sale by sale.

    path: the till's own SQLite file, made on first use. base_url: the server, such as https://ventes.exemple.cd.
    token: may be absent while the device is in `serial` mode. tell: is given one French sentence per event.
    One object belongs to one thread. Several processes may open the same file.
    """

    def __init__(
        self,
        path: str | Path,
        base_url: str,
        serial: str,
        token: str | None = None,
        *,
        app_version: str = "1.0",
        prefix: str = "FAC",
        batch_sales_max: int = BATCH_SALES_MAX,
        timeout_s: float = TIMEOUT_S,
        backoff_s: tuple[float, float] = (0.5, 60.0),
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self.queue = Queue(path)
        self.wire = Wire(base_url, serial, token, app_version=app_version, timeout_s=timeout_s)
        self.transport: Callable[..., Answer] = self.wire  # a test may put something before it that loses answers
        self.prefix = prefix
        self.batch_sales_max = batch_sales_max
        self.tell = tell
        self.sending = Pace(*backoff_s)
        self.polling = Pace(*backoff_s)
        self.problem: str | None = None  # set while the server refuses this till itself: only a person can help then

    # --- Selling: no network here ---

    def sell(self, lines: list[dict[str, Any]], **fields: Any) -> str:
        """Write one sale to the file and return its number; once this returns, the ticket may be printed.

        lines: dicts in the API's words (`article_id` or `unite_uuid`, `quantite`, `prix_unitaire`, `remise`…).
        fields: more fields of the sale, or other values for those set here. Amounts are Decimal, int or text.
        """
        now = datetime.now().astimezone()  # with its offset: "17:42" alone is no moment
        with self.queue.transaction():
            number = fields.get("numero_facture") or self.queue.next_number(f"{self.prefix}-{now:%Y%m%d}")
            sale = {
                "type": "vente",
                "numero_facture": number,
                "sequence": self.queue.count("sequence"),  # has no hole, so the server sees what never came
                "date_vente": now.isoformat(timespec="seconds"),
                "mode_paiement": "CASH",
                "paye": True,
                "montant_total": ticket_total(lines, discount=fields.get("remise", 0)),
                "lignes": lines,
            }
            self.queue.append(number, exact_json(sale | fields))
        return number

    def add(self, sale: dict[str, Any]) -> str:
        """Queue a sale made elsewhere, as it is, and return its number. Raises NumberTaken if this file knows it."""
        number = str(sale["numero_facture"])
        with self.queue.transaction():
            self.queue.append(number, exact_json(sale))
        return number

    def pending(self) -> list[QueuedSale]:
        """The sales still in the queue, oldest first: to send, waiting, kept, to correct."""
        return self.queue.sales()

    # --- Sending and polling ---

    def sync(self, timeout_s: float | None = None) -> Report:
        """Send and poll until nothing is left to send or to wait for; return what became of the sales.

        Stops earlier after `timeout_s`, or when the server refuses this till itself (`Report.problem`), since waiting
        would not help. Stopping loses nothing, at any moment: the next call goes on from the file.
        """
        deadline = time.monotonic() + (float("inf") if timeout_s is None else timeout_s)
        journal_start = self.queue.journal_end()
        self.problem = None
        self._ask_kept()
        while self.queue.has_work() and self.problem is None and time.monotonic() < deadline:
            if self.sending.wait_s == 0:
                self.send_once()
            if self.polling.wait_s == 0:
                self.poll_once()
            time.sleep(max(0.0, min(self._pause_s(), deadline - time.monotonic())))
        return Report(self.queue.journal(after=journal_start), self.queue.sales(), self.problem)

    def send_once(self) -> int:
        """Post the oldest batch that has no receipt; return how many sales the server took charge of."""
        batch = self.queue.batch_to_send(sales_max=self.batch_sales_max)
        if batch is None:
            return 0
        try:
            answer = self.post_batch(batch.body, key=batch.key)
        except Unreachable as lost:
            # It has arrived or not, nobody knows. Both are fine: same bytes and same key make the same batch.
            self._wait(self.sending, f"Serveur injoignable ({lost})")
            return 0
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
        try:
            answer = self.receipt(batch.receipt, etag=batch.etag)
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
            self._wait(self.polling, f"Serveur injoignable ({lost})")
            return 0

    # --- Single calls; they raise Unreachable when no whole answer came ---

    def post_batch(self, body: bytes, key: str | None = None, prefer_wait: int | None = None) -> Answer:
        """Post these bytes. prefer_wait: seconds for which the answer may be held to become the settled receipt."""
        prefer = None if prefer_wait is None else f"wait={prefer_wait}"
        return self._call("POST", "ventes/sync", body, {"Idempotency-Key": key, "Prefer": prefer})

    def receipt(self, receipt: str, etag: str | None = None) -> Answer:
        """One receipt; 304 when nothing has changed since the answer that carried this ETag."""
        return self._call("GET", f"ventes/recus/{receipt}", headers={"If-None-Match": etag})

    def status(self, numbers: Iterable[str]) -> list[dict[str, Any]]:
        """One entry for each content that the server knows under each number. Raises Refused."""
        numbers, entries = list(numbers), []
        for start in range(0, len(numbers), STATUS_NUMBERS_MAX):
            body = exact_json({"numeros": numbers[start : start + STATUS_NUMBERS_MAX]}).encode()
            entries += self._call("POST", "ventes/statut", body).required()["ventes"]
        return entries

    def etat(self) -> dict[str, Any]:
        """How the server sees this till: time, shop, limits, open work. Its limit holds for the next batches."""
        etat = self._call("GET", "etat").required()
        self._keep_to(etat.get("limites"))
        return etat

    def close(self) -> None:
        self.queue.close()
        self.wire.close()

    def __enter__(self) -> Till:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

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
            entries = self.status(self.queue.numbers_waiting(batch))
        except Refused as refused:
            self._refused_for_now(self.polling, refused.answer)
            return 0
        moved = self._settle(entries, batch=batch)
        for entry in entries:
            if entry.get("action") == WAITING and entry.get("recu"):
                self.queue.accept(batch, receipt=entry["recu"])  # the server has it under this receipt: poll that one
        self.polling.wait(None, progress=moved > 0)
        return moved

    def _ask_kept(self) -> None:
        """The shop may have settled what we keep. Only a convenience: if it fails, the next `sync` asks again."""
        kept = [sale.number for sale in self.queue.sales() if sale.state == KEPT]
        try:
            self._settle(self.status(kept), batch=None)
        except (Unreachable, Refused) as failure:
            self.tell(f"Ventes à corriger en boutique : réponse non obtenue ({failure})")

    def _refused(self, batch: Batch, answer: Answer) -> None:
        """The batch was not taken, and the server keeps nothing of it. Nothing leaves the queue here."""
        if answer.status == 413 or answer.code == "json_invalide":
            self.tell(f"Lot de {batch.sale_count} vente(s) refusé : {answer.sentence}")
            self._keep_to(answer.document.get("limites"))
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

    def _wait(self, pace: Pace, reason: str, retry_after_s: float | None = None) -> None:
        pace.wait(retry_after_s)
        self.tell(f"{reason} : rien n'est perdu, nouvel essai dans {pace.wait_s:.0f} s")

    def _pause_s(self) -> float:
        """Seconds until there is something to do again."""
        waits = [self.polling.wait_s] if self.queue.batch_to_poll() else []
        waits += [self.sending.wait_s] if self.queue.has_something_to_send() else []
        return min(waits, default=0.0)

    def _keep_to(self, limits: Mapping[str, int] | None) -> None:
        if limits and limits.get("ventes_par_lot"):
            self.batch_sales_max = min(self.batch_sales_max, limits["ventes_par_lot"])

    def _call(self, method: str, path: str, body: bytes | None = None, headers: dict[str, Any] | None = None) -> Answer:
        sent = {name: value for name, value in (headers or {}).items() if value is not None}
        return self.transport(method, path, sent, body)


@dataclass(frozen=True)
class Report:
    """What `sync` saw: the sales that left the queue meanwhile, and those still in it."""

    recorded: list[RecordedSale]
    pending: list[QueuedSale]
    problem: str | None

    @property
    def settled(self) -> bool:
        """Nothing left to send or to wait for. Sales to correct may remain."""
        return not any(sale.state in (TO_SEND, WAITING) for sale in self.pending)

    def in_state(self, state: str) -> list[QueuedSale]:
        return [sale for sale in self.pending if sale.state == state]
