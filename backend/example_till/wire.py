"""A till's HTTP: one persistent connection, whole answers or none, exact amounts. Standard library only."""

from __future__ import annotations

import email.utils
import gzip
import http.client
import json
import random
import select
import time
import urllib.parse
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from http.client import HTTPMessage
from typing import Any

BASE_PATH = "/api/v2/simple/"
RETRY_AFTER_MAX_S = 600

# If several entries concern one number, the last of these actions holds; an unknown action counts as `attendre`.
ACTIONS_BY_CARE = ("purger", "corriger", "garder", "renvoyer", "attendre")


class Wire:
    """Makes one call at a time. Never follows a redirect: a POST must arrive where it was sent, or fail."""

    def __init__(self, base_url: str, serial: str, *, app_version: str, timeout_s: float) -> None:
        url = urllib.parse.urlsplit(base_url)
        connection_class = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        self.connection = connection_class(url.netloc, timeout=timeout_s)
        self.path = url.path.rstrip("/").removesuffix(BASE_PATH.rstrip("/")) + BASE_PATH
        self.headers = {"X-Device-Serial": serial, "X-App-Version": app_version, "Accept-Encoding": "gzip"}

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """Raises Unreachable unless a whole answer came."""
        headers = {**self.headers, **headers}
        if body is not None:
            headers = {**headers, "Content-Type": "application/json", "Content-Encoding": "gzip"}
            body = gzip.compress(body, mtime=0)  # a tenth of the size, on networks that are paid by the megabyte
        try:
            # A connection that the server has closed meanwhile is readable: it has the end of the stream.
            if self.connection.sock and select.select([self.connection.sock], [], [], 0)[0]:
                self.connection.close()
            self.connection.request(method, self.path + path, body=body, headers=headers)
            response = self.connection.getresponse()
            content = response.read()  # raises if the answer was cut short: half an answer is no answer
            if response.headers.get("Content-Encoding") == "gzip":
                content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error, http.client.HTTPException) as lost:
            self.connection.close()
            raise Unreachable(str(lost) or type(lost).__name__) from lost
        return Answer(response.status, response.headers, content)

    def close(self) -> None:
        self.connection.close()


@dataclass(frozen=True)
class Answer:
    """An answer, and what a till reads in it."""

    status: int
    headers: Mapping[str, str] | HTTPMessage
    body: bytes

    @cached_property
    def document(self) -> dict[str, Any]:
        """The JSON object of the answer; empty if it is anything else, such as a proxy's HTML page."""
        try:
            document = json.loads(self.body, parse_float=Decimal)
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}

    @property
    def receipt(self) -> str | None:
        return self.document.get("recu") if 200 <= self.status < 300 else None

    @property
    def entries(self) -> list[dict[str, Any]]:
        details = self.document.get("details", {})
        return [entry for part in ("creees", "erreurs", "en_attente") for entry in details.get(part, [])]

    @property
    def is_ours(self) -> bool:
        """Whether our server has answered the call, and so has accepted the token."""
        return 200 <= self.status < 300 and bool(self.document)

    @property
    def is_settled(self) -> bool:
        return self.document.get("statut") == "traite"

    @property
    def code(self) -> str | None:
        """The code of a problem. Only our server gives a code: without one, something on the way has answered."""
        return self.document.get("code") if self.status >= 400 else None

    @property
    def sentence(self) -> str:
        return str(self.document.get("detail") or self.document.get("error") or f"Réponse inattendue ({self.status})")

    @property
    def retry_after_s(self) -> float | None:
        """The time of the header, which gives seconds or a date; None if it is absent or unreadable."""
        text = self.headers.get("Retry-After") or ""
        try:
            if text.isdigit():
                return min(float(text), RETRY_AFTER_MAX_S)
            wait_s = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
        except (TypeError, ValueError):
            return None
        return min(max(wait_s, 0.0), RETRY_AFTER_MAX_S)

    def required(self, *names: str) -> dict[str, Any]:
        """The document of a 200 or 201 with these members. Raises Refused for any other answer."""
        if self.status not in (200, 201) or any(name not in self.document for name in names):
            raise Refused(self)
        return self.document


def most_careful(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry for each number, with the most careful action: `purger` holds only if all its entries say so."""

    def care(entry: dict[str, Any]) -> int:
        action = entry.get("action")
        return ACTIONS_BY_CARE.index(action if action in ACTIONS_BY_CARE else "attendre")

    chosen: dict[str, dict[str, Any]] = {}
    for entry in entries:
        other = chosen.get(entry["numero_facture"])
        if other is None or care(entry) > care(other):
            chosen[entry["numero_facture"]] = entry
    return list(chosen.values())


class Pace:
    """When one kind of call may be made again."""

    def __init__(self, first_s: float, longest_s: float) -> None:
        self.first_s, self.longest_s = first_s, longest_s
        self.waits, self.next_at = 0, 0.0

    @property
    def wait_s(self) -> float:
        return max(0.0, self.next_at - time.monotonic())

    def succeed(self) -> None:
        self.waits, self.next_at = 0, 0.0

    def wait(self, retry_after_s: float | None, *, progress: bool = False) -> None:
        """Wait as long as the server asks, else longer each time. The time is random, so that the tills of a street
        where the power comes back do not all call at the same moment."""
        self.waits = 0 if progress else min(self.waits + 1, 16)
        wait_s = min(self.first_s * 2**self.waits, self.longest_s) if retry_after_s is None else retry_after_s
        self.next_at = time.monotonic() + max(wait_s, self.first_s) * random.uniform(1.0, 1.25)


class Unreachable(ConnectionError):
    """No whole answer came. The server may or may not have the request: send the same again."""


class Refused(Exception):
    """The server answered, but not with what was asked for."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.sentence)
        self.answer = answer
