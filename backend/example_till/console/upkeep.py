"""Actions about the till itself: enrol, renew the token, show its state, read the articles, close the drawer."""

import argparse
import json
import secrets
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.management.base import CommandError

from backend.example_till.closing import describe_answer
from backend.example_till.console.console import Action, Console, amount_named, payout
from backend.example_till.heartbeat import describe_state
from backend.example_till.wire import Unreachable

SERIAL_BYTES = 8
WRITTEN = "La clôture est écrite dans la caisse et sera comparée au prochain envoi"


def _enrol_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", metavar="CODE", help="le code montré en boutique, ou le contenu de son QR")
    parser.add_argument("--model", help="modèle de l'appareil")


def _enrol(console: Console, *, code: str, model: str | None) -> None:
    address, separator, scanned = code.rpartition("#")
    if separator:  # a QR code has the server's address before the code
        console.url, code = console.url or address, scanned
    with console.till_to_enrol(serial=secrets.token_hex(SERIAL_BYTES)) as till:
        try:
            till.enrol(code, model=model)
        except Unreachable as lost:
            raise CommandError(
                f"Pas de réponse ({lost}). Envoyer le même code encore une fois : il vaut encore."
            ) from lost
        assert till.identity.shop is not None, "the enrolment's answer names it"
        shop, sequence = till.identity.shop, till.book.counted("sequence")
        console.say(f"Appareil {till.identity.serial} : caisse de {shop['nom']} ({shop['code']})")
        if sequence:
            last_number = till.book.setting("last_number") or "sans numéro"
            console.say(f"Elle continue après le document {sequence}, {last_number}")
        console.say(f"Ses numéros portent {till.identity.series}")


def _token(console: Console) -> None:
    with console.till() as till:
        till.renew_token()
        console.say("Le nouveau jeton est dans le fichier et a servi : l'ancien ne vaut plus")


def _etat(console: Console) -> None:
    with console.till() as till:
        console.say(json.dumps(till.etat(), ensure_ascii=False, indent=2, default=str))


def _heartbeat(console: Console) -> None:
    with console.till() as till:
        state = till.heartbeat()
        console.say(f"{len(till.records.held())} vente(s) à envoyer : le serveur le sait")
        for sentence in describe_state(state):
            console.say(sentence)


def _articles(console: Console) -> None:
    with console.till() as till:
        count = till.catalogue.refresh()
        for article in till.catalogue.articles():
            console.say(_describe_article(article))
        console.say(f"{count} article(s) lu(s)")


def _describe_article(article: dict[str, Any]) -> str:
    prices = ", ".join(f"{unit['prix']} {unit['devise']} / {unit['marque']}" for unit in article["unites"])
    inactive = "" if article["actif"] else " (inactif)"
    return f"{article['code']} : {article['nom']}{inactive}, {prices}"


def _close_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--day", metavar="AAAA-MM-JJ", type=_day, help="le jour de la caisse (aujourd'hui par défaut)")
    parser.add_argument("--float", dest="opening", metavar="DEVISE=MONTANT", type=amount_named, action="append",
                        default=[], help="fond d'ouverture")  # fmt: skip
    parser.add_argument("--payout", dest="payouts", metavar="MOTIF:DEVISE=MONTANT", type=payout, action="append",
                        default=[], help="sortie de caisse")  # fmt: skip
    parser.add_argument("--counted", metavar="DEVISE=MONTANT", type=amount_named, action="append", default=[],
                        help="espèces comptées")  # fmt: skip
    parser.add_argument("--cashier", help="code du caissier")
    parser.add_argument("--timeout", type=float, default=60.0)


def _close(
    console: Console, *, day: str | None, opening: list[tuple[str, Decimal]], counted: list[tuple[str, Decimal]],
    payouts: list[tuple[str, str, Decimal]], cashier: str | None, timeout: float,
) -> None:  # fmt: skip
    with console.till() as till:
        till.close_drawer(day=day, cashier=cashier, opening=_summed(opening), payouts=payouts, counted=_summed(counted))
        try:
            till.heartbeat()
        except Unreachable:
            console.say(f"Pas de réseau. {WRITTEN}")
            return
        report = till.sync(timeout_s=timeout)
        for answer in report.days:
            for sentence in describe_answer(answer):
                console.say(sentence)
        if report.problem:
            raise CommandError(f"Le serveur refuse cette caisse : {report.problem} La clôture reste dans la caisse.")
        if till.closings.open():
            console.say(WRITTEN)


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"un jour AAAA-MM-JJ est attendu, et non {text!r}") from None


def _summed(amounts: list[tuple[str, Decimal]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for currency, amount in amounts:
        sums[currency] = sums.get(currency, Decimal(0)) + amount
    return sums


ACTIONS = [
    Action("enrol", "faire de ce fichier la caisse d'un code", _enrol, _enrol_arguments),
    Action("token", "prendre un nouveau jeton", _token),
    Action("etat", "montrer comment le serveur voit cette caisse", _etat),
    Action("heartbeat", "dire au serveur l'heure de la caisse et ce qu'elle garde", _heartbeat),
    Action("articles", "lire les articles, pour vendre par code sans réseau", _articles),
    Action("close", "clôturer : écrire ce qui est compté, et comparer la journée", _close, _close_arguments),
]
