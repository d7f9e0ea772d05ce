"""`manage.py demo`: loads the demo shop, once, and tells its last days.

Its secrets come from the environment: DEMO_PASSWORD and DEMO_TOKEN.
"""

import os
import time
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from backend.demo.days import DAYS_MAX, NotPosted, load_days
from backend.demo.loader import SERIAL, TOKEN_SERIAL, load_demo
from backend.ops.refused_option import refuse_option
from backend.shops.models import Shop


class Command(BaseCommand):
    help = (
        "Loads the demo shop BTQ-009 with its tills, and a second shop. Run again, it changes nothing. From the "
        "environment: DEMO_PASSWORD, of the demo's users where they are new, and DEMO_TOKEN, of the till that has one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        for option, name in (("--password", "DEMO_PASSWORD"), ("--token", "DEMO_TOKEN")):
            sentence = f"{option} is no option any more: set {name} in the environment instead"
            refuse_option(parser, option, sentence=sentence)
        parser.add_argument(
            "--days",
            type=int,
            default=0,
            help=f"how many days of sales simulated tills hand over, up to {DAYS_MAX}; none unless given",
        )

    def handle(self, *, days: int, **_: object) -> None:
        if not 0 <= days <= DAYS_MAX:
            raise CommandError(f"--days: 0 to {DAYS_MAX}")
        load_demo(password=_secret("DEMO_PASSWORD"), token=_secret("DEMO_TOKEN"))
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


def _secret(name: str) -> str:
    secret = os.environ.get(name)
    if not secret:
        raise CommandError(f"{name} is not set in the environment")
    return secret
