"""`manage.py demo`: loads the demo shop, once, and tells its last days."""

import time
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from backend.ops.demo import SERIAL, TOKEN_SERIAL, load_demo
from backend.ops.demo_days import DAYS_MAX, NotPosted, load_days
from backend.shops.models import Shop


class Command(BaseCommand):
    help = "Loads the demo shop BTQ-009 with its tills, and a second shop. Run again, it changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--password", required=True, help="of the demo's users, where they are new")
        parser.add_argument("--token", required=True, help="of the till that has one, where it is new")
        parser.add_argument(
            "--days",
            type=int,
            default=0,
            help=f"how many days of sales simulated tills hand over, up to {DAYS_MAX}; none unless given",
        )

    def handle(self, *, password: str, token: str, days: int, **_: object) -> None:
        if not 0 <= days <= DAYS_MAX:
            raise CommandError(f"--days: 0 to {DAYS_MAX}")
        load_demo(password=password, token=token)
        self.stdout.write(f"Shop BTQ-009: tills {SERIAL} (serial) and {TOKEN_SERIAL} (token)")
        if days:
            self._tell(days)

    def _tell(self, days: int) -> None:
        began = time.monotonic()
        try:
            count = load_days(shop=Shop.objects.get(code="BTQ-009"), days=days)
        except NotPosted as error:
            raise CommandError(f"batch {error} is not posted: is posting paused, or a worker at it?") from error
        took_s = time.monotonic() - began
        told = f"{count} documents of its last days, in {took_s:.1f} s" if count else "Its last days were told before."
        self.stdout.write(told)
