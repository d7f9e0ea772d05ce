"""Actions that use the network: send, watch, status, changes, and whole files or many tills at once."""

import argparse
import json
import tempfile
from decimal import Decimal
from pathlib import Path

from django.core.management.base import CommandError

from backend.example_till.console.console import DEMO_SERIAL, Action, Console, describe
from backend.example_till.load import LoadPlan, run_load
from backend.example_till.queue import NumberTaken


def _send(console: Console) -> None:
    with console.till() as till:
        if not till.queue.has_something_to_send():
            console.say("Rien à envoyer")
        elif till.send_once() == 0:
            raise CommandError("Rien n'a été envoyé ; tout est encore dans la caisse.")


def _watch_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--timeout", type=float, help="secondes au plus (sans limite par défaut)")


def _watch(console: Console, *, timeout: float | None) -> None:
    with console.till() as till:
        console.show(till.sync(timeout_s=timeout))


def _status_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("numbers", nargs="+", metavar="NUMERO")


def _status(console: Console, *, numbers: list[str]) -> None:
    with console.till() as till:
        for entry in till.status(numbers):
            console.say(describe(entry))


def _changes(console: Console) -> None:
    with console.till() as till:
        console.say(f"{till.read_changes()} vente(s) réglée(s) depuis la dernière fois")


def _demo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sales", type=Path, help="tableau JSON de ventes, comme pour ventes/sync")
    parser.add_argument("--timeout", type=float, default=60.0)


def _demo(console: Console, *, sales: Path, timeout: float) -> None:
    """Without --file, use a new till that is deleted afterwards, so that the same sales can be shown twice."""
    documents = json.loads(sales.read_text(encoding="utf-8"), parse_float=Decimal)
    if not isinstance(documents, list) or not all(map(_has_number, documents)):
        raise CommandError(f"{sales} : un tableau de ventes, chacune avec son numero_facture, est attendu.")
    with tempfile.TemporaryDirectory() as folder:
        console.file = console.file or str(Path(folder) / "demo.sqlite3")
        with console.till() as till:
            for document in documents:
                try:
                    till.add(document)
                except NumberTaken as taken:
                    console.say(f"{taken} : cette caisse a déjà une vente de ce numéro")
            console.show(till.sync(timeout_s=timeout))


def _has_number(document: object) -> bool:
    return isinstance(document, dict) and "numero_facture" in document


def _load_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tills", type=int, default=2)
    parser.add_argument("--batches", type=int, default=5, help="lots par caisse")
    parser.add_argument("--sales", type=int, default=50, help="ventes par lot")
    parser.add_argument("--articles", type=int, nargs="+", default=[15, 18])
    parser.add_argument("--serials", nargs="+", help="séries des caisses, à tour de rôle")
    parser.add_argument("--timeout", type=float, default=300.0)


def _load(
    console: Console, *, tills: int, batches: int, sales: int, articles: list[int], serials: list[str] | None,
    timeout: float,
) -> None:  # fmt: skip
    plan = LoadPlan(
        base_url=console.default_url,
        serials=serials or [console.serial or DEMO_SERIAL],
        token=console.token,
        tills=tills,
        batches=batches,
        sales=sales,
        articles=articles,
        timeout_s=timeout,
    )
    try:
        console.say(str(run_load(plan)))
    except ValueError as refused:
        raise CommandError(str(refused)) from refused


ACTIONS = [
    Action("send", "envoyer un lot, une fois", _send),
    Action("watch", "envoyer et suivre jusqu'à ce que tout soit réglé", _watch, _watch_arguments),
    Action("status", "demander au serveur ce que sont devenues des ventes", _status, _status_arguments),
    Action("changes", "lire ce que la boutique a réglé depuis la dernière fois", _changes),
    Action("demo", "faire passer un fichier JSON de ventes par une caisse", _demo, _demo_arguments, default_file=None),
    Action("load", "plusieurs caisses à la fois, sur cette machine", _load, _load_arguments),
]
