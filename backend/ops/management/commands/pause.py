"""`manage.py pause`: stops posting, not intake. Tills hand over as before; nothing is posted until `--resume`."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from backend.ops.lookup import find_shop, find_terminal
from backend.sales.models import Pause
from backend.sales.tills.pauses import pause, resume


class Command(BaseCommand):
    help = "Stops posting everywhere, or for one shop or till. --resume lifts the pause, --list shows all pauses."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--shop", metavar="CODE")
        parser.add_argument("--terminal", metavar="SERIAL", help="the serial of a device of the till")
        parser.add_argument("--reason", default="")
        parser.add_argument("--resume", action="store_true")
        parser.add_argument("--list", action="store_true")

    def handle(self, *, shop: str | None, terminal: str | None, reason: str, **options: object) -> None:
        if options["list"]:
            for row in Pause.objects.order_by("since"):
                self.stdout.write(f"{row.scope}\t{row.since:%Y-%m-%d %H:%M} UTC\t{row.reason}")
            return
        if shop and terminal:
            raise CommandError("--shop or --terminal, not both")
        # An empty name is an error: it must not pause everything.
        of_shop = None if shop is None else find_shop(shop)
        of_till = None if terminal is None else find_terminal(terminal)
        if options["resume"]:
            done = resume(shop=of_shop, terminal=of_till)
            self.stdout.write("Resumed." if done else "It was not paused.")
        else:
            self.stdout.write(f"Paused: {pause(shop=of_shop, terminal=of_till, reason=reason).scope}. Intake goes on.")
