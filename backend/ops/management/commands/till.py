"""`manage.py till`: a cash register in the terminal. What it does is in backend/ops/till; here are only words."""

import argparse
import json
import os
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backend.ops.till import Report, Till
from backend.ops.till.load import LoadPlan, run_load
from backend.ops.till.queue import KEPT, TO_CORRECT, NumberTaken
from backend.ops.till.wire import Refused, Unreachable

DEMO_SERIAL = "0a1badae951f8473"
CLEAR_LINE = "\r\x1b[K"


class Command(BaseCommand):
    help = "Une caisse en ligne de commande : vendre hors ligne, envoyer, suivre."
    requires_system_checks = ()  # a till has no database of ours

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        sell = self._action(actions, "sell", "écrire une vente dans le fichier, sans réseau")
        sell.add_argument("--article", type=int, help="identifiant de l'article")
        sell.add_argument("--unit", help="uuid de l'unité, au lieu de l'article")
        sell.add_argument("--quantity", type=Decimal, default=Decimal(1))
        sell.add_argument("--price", type=Decimal, required=True, help="prix unitaire, taxe comprise")
        sell.add_argument("--discount", type=Decimal, default=Decimal(0), help="remise sur la ligne")
        sell.add_argument("--mode", default="CASH", help="mode de paiement")
        sell.add_argument("--credit", action="store_true", help="vente à crédit (paye: false)")
        self._action(actions, "list", "montrer ce que la caisse garde encore")
        self._action(actions, "send", "envoyer un lot, une fois")
        watch = self._action(actions, "watch", "envoyer et suivre jusqu'à ce que tout soit réglé")
        watch.add_argument("--timeout", type=float, help="secondes au plus (sans limite par défaut)")
        status = self._action(actions, "status", "demander au serveur ce que sont devenues des ventes")
        status.add_argument("numbers", nargs="+", metavar="NUMERO")
        self._action(actions, "etat", "montrer comment le serveur voit cette caisse")
        demo = self._action(actions, "demo", "faire passer un fichier JSON de ventes par une caisse", default_file=None)
        demo.add_argument("sales", type=Path, help="tableau JSON de ventes, comme pour ventes/sync")
        demo.add_argument("--timeout", type=float, default=60.0)
        load = self._action(actions, "load", "plusieurs caisses à la fois, sur cette machine")
        load.add_argument("--tills", type=int, default=2)
        load.add_argument("--batches", type=int, default=5, help="lots par caisse")
        load.add_argument("--sales", type=int, default=50, help="ventes par lot")
        load.add_argument("--articles", type=int, nargs="+", default=[15, 18])
        load.add_argument("--serials", nargs="+", help="séries des caisses, à tour de rôle")
        load.add_argument("--timeout", type=float, default=300.0)

    def _action(
        self, actions: Any, name: str, help_text: str, *, default_file: str | None = "caisse.sqlite3"
    ) -> argparse.ArgumentParser:
        action = actions.add_parser(name, help=help_text, description=help_text)
        action.add_argument("--url", default=os.environ.get("TILL_URL", "http://127.0.0.1:8000"), help="le serveur")
        action.add_argument("--serial", default=os.environ.get("TILL_SERIAL", DEMO_SERIAL), help="numéro de série")
        # Better in the environment: other users of the machine can read a command line.
        action.add_argument("--token", default=os.environ.get("TILL_TOKEN"), help="jeton (ou TILL_TOKEN)")
        action.add_argument("--file", default=default_file, help="le fichier de la caisse")
        return action

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.told: set[str] = set()

    def handle(self, *, action: str, **options: Any) -> None:
        try:
            getattr(self, f"_{action}")(**options)
        except Unreachable as lost:
            raise CommandError(f"Serveur injoignable ({lost}). Rien n'est perdu.") from lost
        except Refused as refused:
            raise CommandError(f"Le serveur refuse : {refused}") from refused
        except KeyboardInterrupt:
            raise CommandError(
                "Arrêté. Rien n'est perdu : le fichier de la caisse garde tout.", returncode=130
            ) from None

    def _sell(self, **options: Any) -> None:
        if not (options["article"] or options["unit"]):
            raise CommandError("Donner --article ou --unit.")
        named = {"unite_uuid": options["unit"]} if options["unit"] else {"article_id": options["article"]}
        line = named | {"quantite": options["quantity"], "prix_unitaire": options["price"]}
        if options["discount"]:
            line["remise"] = options["discount"]
        with self._till(options) as till:
            number = till.sell([line], mode_paiement=options["mode"], paye=not options["credit"])
            self.stdout.write(f"{number} : vendue, {len(till.pending())} vente(s) dans la caisse")

    def _list(self, **options: Any) -> None:
        with self._till(options) as till:
            sales = till.pending()
            for sale in sales:
                self.stdout.write(str(sale))
            self.stdout.write(f"{len(sales)} vente(s) dans la caisse")

    def _send(self, **options: Any) -> None:
        with self._till(options) as till:
            if not till.queue.has_something_to_send():
                self.stdout.write("Rien à envoyer")
            elif till.send_once() == 0:
                raise CommandError("Rien n'a été envoyé ; tout est encore dans la caisse.")

    def _watch(self, *, timeout: float | None, **options: Any) -> None:
        with self._till(options) as till:
            self._show(till.sync(timeout_s=timeout))

    def _status(self, *, numbers: list[str], **options: Any) -> None:
        with self._till(options) as till:
            for entry in till.status(numbers):
                known_as = entry.get("numero_enregistrement") or entry.get("erreur") or ""
                self.stdout.write(
                    f"{entry['numero_facture']} : {entry['status']}, {entry['action']} {known_as}".rstrip()
                )

    def _etat(self, **options: Any) -> None:
        with self._till(options) as till:
            self.stdout.write(json.dumps(till.etat(), ensure_ascii=False, indent=2, default=str))

    def _demo(self, *, sales: Path, timeout: float, **options: Any) -> None:
        """Without --file the till is new and forgotten afterwards, so that the same file can be shown twice."""
        documents = json.loads(sales.read_text(encoding="utf-8"), parse_float=Decimal)
        if not isinstance(documents, list) or not all(map(_has_number, documents)):
            raise CommandError(f"{sales} : un tableau de ventes, chacune avec son numero_facture, est attendu.")
        with tempfile.TemporaryDirectory() as folder:
            options["file"] = options["file"] or str(Path(folder) / "demo.sqlite3")
            with self._till(options) as till:
                for document in documents:
                    try:
                        till.add(document)
                    except NumberTaken as taken:
                        self.stdout.write(f"{taken} : cette caisse a déjà une vente de ce numéro")
                self._show(till.sync(timeout_s=timeout))

    def _load(
        self, *, tills: int, batches: int, sales: int, articles: list[int], timeout: float, **options: Any
    ) -> None:
        plan = LoadPlan(
            base_url=options["url"],
            serials=options["serials"] or [options["serial"]],
            token=options["token"],
            tills=tills,
            batches=batches,
            sales=sales,
            articles=articles,
            timeout_s=timeout,
        )
        try:
            self.stdout.write(str(run_load(plan)))
        except ValueError as refused:
            raise CommandError(str(refused)) from refused

    def _till(self, options: dict[str, Any]) -> Till:
        return Till(options["file"], options["url"], options["serial"], options["token"], tell=self._tell)

    def _tell(self, sentence: str) -> None:
        """In a terminal the last event on one line; elsewhere, in a log, one line an event."""
        if self.stdout.isatty():
            self.stdout.write(f"{CLEAR_LINE}{sentence[:100]}", ending="")
            self.stdout.flush()
        else:
            self.stdout.write(sentence)
            self.told.add(sentence)

    def _show(self, report: Report) -> None:
        if self.stdout.isatty():
            self.stdout.write(CLEAR_LINE, ending="")
        for sale in [*report.recorded, *report.pending]:
            if str(sale) not in self.told:
                self.stdout.write(str(sale))
        kept, refused = len(report.in_state(KEPT)), len(report.in_state(TO_CORRECT))
        waiting = len(report.pending) - kept - refused
        self.stdout.write(
            f"{len(report.recorded)} vente(s) enregistrée(s), {kept} à corriger en boutique, "
            f"{refused} à corriger à la caisse, {waiting} encore en attente"
        )
        if report.problem:
            raise CommandError(f"Le serveur refuse cette caisse : {report.problem}")
        if not report.settled:
            sys.exit(1)


def _has_number(document: object) -> bool:
    return isinstance(document, dict) and "numero_facture" in document
