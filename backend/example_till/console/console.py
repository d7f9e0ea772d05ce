"""The console of `manage.py till`: opens the till that the options name, and prints sentences."""

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import CommandError, OutputWrapper

from backend.example_till import Report, Till
from backend.example_till.closing import describe_answer
from backend.example_till.identity import NotEnrolled
from backend.example_till.queue import KEPT, TO_CORRECT

DEMO_SERIAL = "0a1badae951f8473"
LOCAL_URL = "http://127.0.0.1:8000"
CLEAR_LINE = "\r\x1b[K"


@dataclass(frozen=True)
class Action:
    """One action of `manage.py till`."""

    name: str
    help: str
    run: Callable[..., None]  # called with the console and the arguments that `add_arguments` declares
    add_arguments: Callable[[argparse.ArgumentParser], None] = lambda parser: None
    default_file: str | None = "caisse.sqlite3"


class Console:
    """One run of the command: opens its till, and prints."""

    def __init__(self, stdout: OutputWrapper, *, file: str, url: str | None, serial: str | None, timezone: str) -> None:
        self.stdout, self.file, self.url, self.serial = stdout, file, url, serial
        self.zone = ZoneInfo(timezone)
        self.told: set[str] = set()

    def till(self) -> Till:
        """The till that the command line names; else the enrolled file; else the environment, or the demo."""
        try:
            till = self._open(url=self.url, serial=self.serial)
        except NotEnrolled:
            till = self._open(url=self.default_url, serial=self.serial or os.environ.get("TILL_SERIAL") or DEMO_SERIAL)
        if not till.identity.tokens:
            till.identity.given_token = self.token
        return till

    def till_to_enrol(self, *, serial: str) -> Till:
        """Like `till`, with this serial for a file that belongs to no device yet."""
        try:
            return self._open(url=self.url, serial=self.serial)
        except NotEnrolled:
            return self._open(url=self.default_url, serial=self.serial or os.environ.get("TILL_SERIAL") or serial)

    @property
    def token(self) -> str | None:
        """The device's token, from the environment only: every user of the machine can read a command line."""
        return os.environ.get("TILL_TOKEN")

    @property
    def default_url(self) -> str:
        return self.url or os.environ.get("TILL_URL") or LOCAL_URL

    def say(self, sentence: str) -> None:
        self.stdout.write(sentence)

    def tell(self, sentence: str) -> None:
        """Show an event: in a terminal it overwrites the last one; elsewhere, as in a log, each has its own line."""
        if self.stdout.isatty():
            self.stdout.write(f"{CLEAR_LINE}{sentence[:100]}", ending="")
            self.stdout.flush()
        else:
            self.stdout.write(sentence)
            self.told.add(sentence)

    def show(self, report: Report) -> None:
        """Print what became of the sales. Exits with 1 if something still waits to be sent or settled."""
        if self.stdout.isatty():
            self.stdout.write(CLEAR_LINE, ending="")
        for sale in [*report.recorded, *report.pending]:
            if str(sale) not in self.told:
                self.say(str(sale))
        kept, refused = len(report.in_state(KEPT)), len(report.in_state(TO_CORRECT))
        waiting = len(report.pending) - kept - refused
        self.say(
            f"{len(report.recorded)} vente(s) enregistrée(s), {kept} à corriger en boutique, "
            f"{refused} à corriger à la caisse, {waiting} encore en attente"
        )
        for answer in report.days:
            for sentence in describe_answer(answer):
                self.say(sentence)
        if report.problem:
            raise CommandError(f"Le serveur refuse cette caisse : {report.problem}")
        if not report.settled:
            sys.exit(1)

    def _open(self, *, url: str | None, serial: str | None) -> Till:
        return Till(self.file, url, serial, zone=self.zone, tell=self.tell)


def number(text: str) -> Decimal:
    """A quantity or an amount as people type it, with a point or a comma."""
    try:
        value = Decimal(text.replace(",", "."))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise argparse.ArgumentTypeError(f"un nombre est attendu, et non {text!r}")
    return value


def add_sale_named(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name the sale that a document follows."""
    parser.add_argument("number", nargs="?", metavar="NUMERO", help="numéro de la vente, de cette caisse")
    parser.add_argument("--registration", metavar="NUMERO", help="ou son numéro d'enregistrement, de toute la boutique")
    parser.add_argument("--cashier", help="code du caissier")


def add_handed_over(parser: argparse.ArgumentParser, *, meaning: str) -> None:
    """Add the argument that says how money is handed over, once for each way."""
    parser.add_argument("--payment", dest="payments", metavar="[MODE:]DEVISE=MONTANT[@TAUX]", type=tender,
                        action="append", default=[], help=meaning)  # fmt: skip


def add_change(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--change", metavar="[MODE:]DEVISE=MONTANT[@TAUX]", type=tender, action="append", default=[],
                        help="monnaie rendue")  # fmt: skip


def amount_named(text: str) -> tuple[str, Decimal]:
    """Read an amount, such as CDF=20000."""
    currency, separator, amount = text.partition("=")
    if not separator or not currency.strip():
        raise argparse.ArgumentTypeError(f"DEVISE=MONTANT est attendu, et non {text!r}")
    return currency.strip().upper(), number(amount)


def payout(text: str) -> tuple[str, str, Decimal]:
    """Read a payout, such as transport:CDF=3000."""
    reason, separator, amount = text.rpartition(":")
    if not separator or not reason.strip():
        raise argparse.ArgumentTypeError(f"MOTIF:DEVISE=MONTANT est attendu, et non {text!r}")
    return reason.strip(), *amount_named(amount)


def tender(text: str) -> dict[str, Any]:
    """Read money that is handed over, such as CDF=21500, CASH:USD=10@2850: mode, currency, amount, rate."""
    way, separator, rate = text.partition("@")
    mode, _, amount = way.rpartition(":")
    currency, value = amount_named(amount)
    read = {"mode": mode.strip() or "CASH", "devise": currency, "montant": value}
    return read | ({"taux": number(rate)} if separator else {})


def describe(document: dict[str, Any]) -> str:
    """Describe an entry of `ventes/statut` in one line."""
    known_as = document.get("numero_enregistrement") or document.get("erreur") or ""
    return f"{document['numero_facture']} : {document['status']}, {document['action']} {known_as}".rstrip()
