"""The server's calls that this till makes. All raise Unreachable if no whole answer came.

Standard library only.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterable
from typing import Any

from backend.example_till.amounts import exact_json
from backend.example_till.identity import Identity
from backend.example_till.wire import Answer, Wire

STATUS_NUMBERS_MAX = 1000
ARTICLES_PAGE = 500


class Calls:
    """Adds the till's serial and token to every call. transport: tests may replace it by one that loses answers."""

    def __init__(self, identity: Identity, *, app_version: str, timeout_s: float) -> None:
        self.identity, self.app_version = identity, app_version
        self.wire = Wire(identity.base_url, identity.serial, app_version=app_version, timeout_s=timeout_s)
        self.transport: Callable[..., Answer] = self.wire

    # --- Sales ---

    def post_batch(self, body: bytes, key: str | None = None, prefer_wait: int | None = None) -> Answer:
        """Post these bytes. prefer_wait: seconds that the server may hold the answer until the batch is settled."""
        prefer = None if prefer_wait is None else f"wait={prefer_wait}"
        return self._call("POST", "ventes/sync", body, {"Idempotency-Key": key, "Prefer": prefer})

    def receipt(self, receipt: str, etag: str | None = None) -> Answer:
        """One receipt; 304 if nothing has changed since the answer with this ETag."""
        return self._call("GET", f"ventes/recus/{receipt}", headers={"If-None-Match": etag})

    def status(self, numbers: Iterable[str]) -> list[dict[str, Any]]:
        """One entry for each content that the server knows under each number. Raises Refused."""
        numbers, entries = list(numbers), []
        for start in range(0, len(numbers), STATUS_NUMBERS_MAX):
            body = _json({"numeros": numbers[start : start + STATUS_NUMBERS_MAX]})
            entries += self._call("POST", "ventes/statut", body).required("ventes")["ventes"]
        return entries

    def changes(self, cursor: str | None) -> Answer:
        """A page of the outcomes of this till's sales since a cursor; without a cursor, since its first sale."""
        return self._call("GET", f"ventes/changements{_query(depuis=cursor)}")

    def reconcile(self, day: dict[str, Any]) -> dict[str, Any]:
        """Have the server compare this till's day with what it has. Raises Refused."""
        return self._call("POST", "ventes/rapprochement", _json(day)).required("resultat")

    # --- The till itself ---

    def etat(self) -> dict[str, Any]:
        """How the server sees this till. Raises Refused."""
        return self._call("GET", "etat").required("heure")

    def heartbeat(self, report: dict[str, Any]) -> dict[str, Any]:
        """Report what this till holds; the answer is that of `etat`. Raises Refused."""
        return self._call("POST", "etat", _json(report)).required("heure")

    def articles(self, cursor: str | None) -> Answer:
        """A page of the catalogue, or of its changes since a cursor."""
        return self._call("GET", f"articles{_query(depuis=cursor, limit=ARTICLES_PAGE)}")

    def enrol(self, code: str, *, model: str | None) -> Answer:
        """Send a one-time code. The same code from the same serial is accepted again, with a new token."""
        body = {"code": code, "numero_serie": self.identity.serial, "version": self.app_version, "modele": model}
        return self._send("POST", "terminaux/enrolement", _json(body), {})

    def renew_token(self) -> Answer:
        """Ask for a new token. The present token works until the new one is first used."""
        return self._call("POST", "terminaux/jeton")

    def close(self) -> None:
        self.wire.close()

    def _call(self, method: str, path: str, body: bytes | None = None, headers: dict[str, Any] | None = None) -> Answer:
        """Call with the newest token; if it is refused, with the previous one, which is still in the file."""
        tokens = self.identity.tokens
        answer = self._send(method, path, body, headers or {}, token=tokens[0] if tokens else None)
        if answer.is_ours:
            self.identity.token_worked()
        elif answer.code == "jeton_invalide" and len(tokens) > 1:
            second = self._send(method, path, body, headers or {}, token=tokens[1])
            if second.is_ours:
                self.identity.token_refused()
                return second
        return answer

    def _send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, Any], *, token: str | None = None
    ) -> Answer:
        proof = {"Authorization": f"Bearer {token}"} if token else {}
        sent = {name: value for name, value in (headers | proof).items() if value is not None}
        return self.transport(method, path, sent, body)


def _json(value: dict[str, Any]) -> bytes:
    return exact_json(value).encode()


def _query(**parameters: object) -> str:
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"?{urllib.parse.urlencode(given)}" if given else ""
