"""`manage.py enrol`: makes a one-time code that enrols a device under a till, and prints it once, with its QR code."""

import io
from argparse import ArgumentParser
from datetime import timedelta

import segno
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from backend.ops.lookup import find_device, find_or_create_till, find_shop, find_till
from backend.shops.enrolment import LIFE, LIFE_MAX, NewCode, code_payload, create_enrolment_code
from backend.shops.errors import ShopsRefused

MINUTE = timedelta(minutes=1)


class Command(BaseCommand):
    help = "Makes a one-time enrolment code for a till, new or not. Its earlier unused codes become invalid."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--shop", metavar="CODE", required=True)
        parser.add_argument("--till", metavar="NAME", required=True, help="the till's name, new or not")
        parser.add_argument(
            "--replaces", metavar="SERIAL", help="the device that holds the till now: it is replaced, or lost its token"
        )
        parser.add_argument("--minutes", type=int, default=LIFE // MINUTE, help="how long the code lives (60)")
        parser.add_argument("--server", metavar="URL", default=settings.PUBLIC_URL, help="PUBLIC_URL")

    def handle(self, *, shop: str, till: str, replaces: str | None, minutes: int, server: str, **_: object) -> None:
        if not settings.SECRET_KEY_IS_KEPT:
            raise CommandError("Set SECRET_KEY to the server's own key: the server would not recognise the code.")
        if not 1 <= minutes <= LIFE_MAX // MINUTE:
            raise CommandError(f"--minutes is between 1 and {LIFE_MAX // MINUTE}")
        try:
            code = self._create(shop, till, replaces, life=minutes * MINUTE)
        except ShopsRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self._print(code, payload=code_payload(code, server_url=server))

    def _create(self, shop_code: str, name: str, serial: str | None, *, life: timedelta) -> NewCode:
        shop = find_shop(shop_code)
        if serial is None:
            return create_enrolment_code(terminal=find_or_create_till(shop, name), life=life)
        replaced = find_device(serial)
        terminal = find_till(shop, name)
        if terminal is None:
            raise CommandError(f"{shop} has no till called {name}")
        return create_enrolment_code(terminal=terminal, replaces=replaced, life=life)

    def _print(self, code: NewCode, *, payload: str) -> None:
        picture = io.StringIO()
        segno.make_qr(payload).terminal(out=picture, compact=True)
        self.stdout.write(f"Till {code.terminal.name}, shop {code.terminal.shop}")
        self.stdout.write(f"Code, shown once: {code.spaced}")
        self.stdout.write(f"Valid for one device until {code.expires_at:%Y-%m-%d %H:%M} UTC")
        self.stdout.write(payload)
        self.stdout.write(picture.getvalue())
