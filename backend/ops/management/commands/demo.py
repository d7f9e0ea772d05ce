"""`manage.py demo`: loads the demo shop, once."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from backend.ops.demo import SERIAL, TOKEN_SERIAL, load_demo


class Command(BaseCommand):
    help = "Loads the demo shop BTQ-009 with two tills, and a second shop. Run again, it changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--password", required=True, help="of the demo's users, where they are new")
        parser.add_argument("--token", required=True, help="of the till that has one, where it is new")

    def handle(self, *, password: str, token: str, **_: object) -> None:
        load_demo(password=password, token=token)
        self.stdout.write(f"Shop BTQ-009: tills {SERIAL} (serial) and {TOKEN_SERIAL} (token)")
