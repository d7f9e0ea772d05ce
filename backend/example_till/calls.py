"""The server's calls, one by one, as this till makes them. All raise Unreachable when no whole answer came.

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
    """Carries the till's name and token to every call. transport: a test may put one before it that loses answers."""

    def __init__(self, identity: Identity, *, app_version: str, timeout_s: float) -> None:
        self.identity, self.app_version = identity, app_version
        self.wire = Wire(identity.base_url, identity.serial, app_version=app_version, timeout_s=timeout_s)
        self.transport: Callable[..., Answer] = self.wire

    # --- Sales ---

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
            body = _json({"numeros": numbers[start : start + STATUS_NUMBERS_MAX]})
            entries += self._call("POST", "ventes/statut", body).required("ventes")["ventes"]
        return entries

    def changes(self, cursor: str | None) -> Answer:
        """A page of what became of this till's sales since a cursor; without one, since its first sale."""
        return self._call("GET", f"ventes/changements{_query(depuis=cursor)}")

    def reconcile(self, day: dict[str, Any]) -> dict[str, Any]:
        """Compare what this till says of a day with what the server has. Raises Refused."""
        return self._call("POST", "ventes/rapprochement", _json(day)).required("resultat")

    # --- The till itself ---

    def etat(self) -> dict[str, Any]:
        """How the server sees this till. Raises Refused."""
        return self._call("GET", "etat").required("heure")

    def heartbeat(self, said: dict[str, Any]) -> dict[str, Any]:
        """Say what this till holds; the answer is that of `etat`. Raises Refused."""
        return self._call("POST", "etat", _json(said)).required("heure")

    def articles(self, cursor: str | None) -> Answer:
        """A page of the catalogue, or of what changed of it since a cursor."""
        return self._call("GET", f"articles{_query(depuis=cursor, limit=ARTICLES_PAGE)}")

    def enrol(self, code: str, *, model: str | None) -> Answer:
        """Hand in a one-time code. The same code from the same serial is answered again, with a new token."""
        said = {"code": code, "numero_serie": self.identity.serial, "version": self.app_version, "modele": model}
        return self._send("POST", "terminaux/enrolement", _json(said), {})

    def renew_token(self) -> Answer:
        """Ask for a new token. The one in use works until the new one is first used."""
        return self._call("POST", "terminaux/jeton")

    def close(self) -> None:
        self.wire.close()

    def _call(self, method: str, path: str, body: bytes | None = None, headers: dict[str, Any] | None = None) -> Answer:
        """One call under the newest token. Where that one is refused, the one before it is still in the file."""
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
