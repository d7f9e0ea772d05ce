"""The till's identity, in its file: its serial, its token, its shop, the series of its numbers.

A token is not deleted before the next one has been seen to work: after a power cut between two steps, both are in the
file. Standard library only.
"""

from __future__ import annotations

import secrets
from typing import Any

from backend.example_till.amounts import exact_json, read_json
from backend.example_till.book import Book

SERIES_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no characters that look alike
SERIES_LENGTH = 4


class NotEnrolled(Exception):
    """The file does not say which device this is, or which server it belongs to."""


class Identity:
    """Reads and writes the device's data in the file. Arguments take precedence over the file."""

    def __init__(self, book: Book, *, base_url: str | None, serial: str | None, token: str | None) -> None:
        """Raises NotEnrolled if serial or address are neither given nor in the file, or it is another device's file."""
        self.book, self.given_token = book, token
        serial, base_url = serial or book.setting("serial"), base_url or book.setting("base_url")
        if not serial or not base_url:
            raise NotEnrolled("Cette caisse n'est pas enrôlée : donner le numéro de série et l'adresse du serveur.")
        self.serial, self.base_url = serial, base_url
        owner = book.setting("serial")
        if owner not in (None, self.serial):
            raise NotEnrolled(f"Ce fichier est celui de l'appareil {owner} : un appareil, un fichier.")

    # --- Tokens ---

    @property
    def tokens(self) -> list[str]:
        """The tokens, newest first. The first use of the new one makes the old one invalid."""
        kept = [self.given_token] if self.given_token else [self.book.setting(name) for name in ("next_token", "token")]
        return [token for token in kept if token]

    def keep_next_token(self, token: str) -> None:
        self.book.make_private()
        self.book.keep_settings(next_token=token)

    def token_worked(self) -> None:
        """Forget the old token: a call was answered with the newest."""
        newest = self.book.setting("next_token")
        if newest and not self.given_token:
            self.book.keep_settings(token=newest, next_token=None)

    def token_refused(self) -> None:
        """Forget the newest token: the server knows only the old one, as after a restore from a backup."""
        self.book.keep_settings(next_token=None)

    # --- Enrolment ---

    def begin_enrolment(self, code: str) -> None:
        """Store serial and code before the code is sent: the server accepts it again only from the same serial."""
        self.book.make_private()
        self.book.keep_settings(serial=self.serial, base_url=self.base_url, enrolling_with=code)

    def keep_enrolment(self, answer: dict[str, Any]) -> None:
        """Store the answer in one transaction, so that there is never a token without the counter to go on from."""
        with self.book.transaction():
            self.book.keep_settings(
                token=answer["jeton"],
                next_token=None,
                enrolling_with=None,
                terminal=exact_json(answer["terminal"]),
                shop=exact_json(answer["boutique"]),
                last_number=answer.get("dernier_numero"),
                # A new series: the replaced device may hold unsent sales whose numbers are unknown.
                series="".join(secrets.choice(SERIES_ALPHABET) for _ in range(SERIES_LENGTH)),
            )
            self.book.count_on_from("sequence", answer.get("sequence") or 0)

    def give_enrolment_up(self) -> None:
        """Forget the code: the server has refused it, so it gave no token."""
        self.book.keep_settings(enrolling_with=None)

    @property
    def may_sell(self) -> bool:
        """False between a first code and its answer, which brings the series and the counter to go on from."""
        return self.book.setting("enrolling_with") is None or self.book.counted("sequence") > 0

    @property
    def series(self) -> str | None:
        return self.book.setting("series")

    @property
    def shop(self) -> dict[str, Any] | None:
        text = self.book.setting("shop")
        return read_json(text) if text else None
