"""`manage.py till`: a cash register in the terminal. backend/example_till is the till, its console/ the actions."""

import argparse
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backend.example_till.console import delivery, sales, upkeep
from backend.example_till.console.console import Action, Console
from backend.example_till.followers import NotPossible
from backend.example_till.identity import NotEnrolled
from backend.example_till.wire import Refused, Unreachable
from backend.ops.refused_option import refuse_option

ACTIONS = {action.name: action for action in [*sales.ACTIONS, *delivery.ACTIONS, *upkeep.ACTIONS]}
BASE_COMMAND_OPTIONS = frozenset(
    {"verbosity", "settings", "pythonpath", "traceback", "no_color", "force_color", "skip_checks", "stdout", "stderr"}
)


class Command(BaseCommand):
    help = (
        "Une caisse en ligne de commande : vendre hors ligne, envoyer, suivre, clôturer. "
        "Tant que son fichier n'a pas de jeton, TILL_TOKEN donne celui de l'appareil."
    )
    requires_system_checks = ()  # a till does not use the server's database

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        for action in ACTIONS.values():
            self._add(actions, action)

    def _add(self, actions: Any, action: Action) -> None:
        parser = actions.add_parser(action.name, help=action.help, description=action.help)
        # Once the till is enrolled, its file holds all of these.
        parser.add_argument("--url", help="le serveur (ou TILL_URL)")
        parser.add_argument("--serial", help="numéro de série (ou TILL_SERIAL)")
        sentence = "--token n'est plus une option : donner le jeton dans l'environnement, TILL_TOKEN=…"
        refuse_option(parser, "--token", sentence=sentence)
        parser.add_argument("--file", default=action.default_file, help="le fichier de la caisse")
        zone = os.environ.get("TILL_TIMEZONE", "Africa/Kinshasa")
        parser.add_argument("--timezone", default=zone, help="fuseau de la boutique (ou TILL_TIMEZONE)")
        action.add_arguments(parser)

    def handle(
        self, *, action: str, file: str, url: str | None, serial: str | None, timezone: str, **options: Any
    ) -> None:
        console = Console(self.stdout, file=file, url=url, serial=serial, timezone=timezone)
        arguments = {name: value for name, value in options.items() if name not in BASE_COMMAND_OPTIONS}
        try:
            ACTIONS[action].run(console, **arguments)
        except (NotPossible, NotEnrolled) as refused:
            raise CommandError(str(refused)) from refused
        except Unreachable as lost:
            raise CommandError(f"Serveur injoignable ({lost}). Rien n'est perdu.") from lost
        except Refused as refused:
            raise CommandError(f"Le serveur refuse : {refused}") from refused
        except KeyboardInterrupt:
            raise CommandError(
                "Arrêté. Rien n'est perdu : le fichier de la caisse garde tout.", returncode=130
            ) from None
