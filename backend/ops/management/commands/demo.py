"""`manage.py demo`: loads the demo shop once, and simulates its last days.

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
        "Loads the demo shop BTQ-009 with its tills, and a second shop. A second run changes nothing. From the "
        "environment: DEMO_PASSWORD, for the demo's users if they are new, and DEMO_TOKEN, for the till that has one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        for option, name in (("--password", "DEMO_PASSWORD"), ("--token", "DEMO_TOKEN")):
            sentence = f"{option} is no longer an option: set {name} in the environment instead"
            refuse_option(parser, option, sentence=sentence)
        parser.add_argument(
            "--days",
            type=int,
            default=0,
            help=f"how many days of sales simulated tills hand over, up to {DAYS_MAX}; none by default",
        )

    def handle(self, *, days: int, **_: object) -> None:
        if not 0 <= days <= DAYS_MAX:
            raise CommandError(f"--days: 0 to {DAYS_MAX}")
        load_demo(password=_secret("DEMO_PASSWORD"), token=_secret("DEMO_TOKEN"))
        self.stdout.write(f"Shop BTQ-009: tills {SERIAL} (serial) and {TOKEN_SERIAL} (token)")
        if days:
            self._load_days(days)

    def _load_days(self, days: int) -> None:
        began = time.monotonic()
        try:
            count = load_days(shop=Shop.objects.get(code="BTQ-009"), days=days)
        except NotPosted as error:
            raise CommandError(
                f"Batch {error} is not posted. Posting may be paused, or a worker may be busy with the same till."
            ) from error
        took_s = time.monotonic() - began
        loaded = f"{count} documents of its last days, in {took_s:.1f} s"
        self.stdout.write(loaded if count else "Its last days are loaded already.")


def _secret(name: str) -> str:
    secret = os.environ.get(name)
    if not secret:
        raise CommandError(f"{name} is not set in the environment")
    return secret
