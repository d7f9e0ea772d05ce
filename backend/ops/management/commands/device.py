"""`manage.py device`: registers a device under a till, gives it a token, changes its modes, disables it."""

from argparse import ArgumentParser

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from backend.shops.devices import issue_token, register_device
from backend.shops.models import AnswerMode, AuthMode, Device, DeviceState, Shop, Terminal


class Command(BaseCommand):
    help = "Registers or changes the device SERIAL. A token is printed once and kept only as a hash."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("serial")
        parser.add_argument("--shop", metavar="CODE", help="register: the shop of a new till")
        parser.add_argument("--till", metavar="NAME", help="register: the till's name, new or not")
        parser.add_argument("--token", action="store_true", help="print a new token")
        parser.add_argument("--auth-mode", choices=AuthMode.values)
        parser.add_argument("--answer-mode", choices=AnswerMode.values)
        parser.add_argument("--state", choices=[DeviceState.ACTIVE, DeviceState.DISABLED])

    def handle(self, *, serial: str, **options: object) -> None:
        device = Device.objects.filter(serial=serial).first()
        if device is None:
            device = self._register(serial, options["shop"], options["till"])
        till = device.terminal
        if options["shop"] not in (None, till.shop and till.shop.code) or options["till"] not in (None, till.name):
            raise CommandError(f"{serial} is registered already: till {till.name}, shop {till.shop}.")
        changes = {name: options[name] for name in ("auth_mode", "answer_mode", "state") if options[name]}
        for name, value in changes.items():
            setattr(device, name, value)
        device.save(update_fields=list(changes))
        self.stdout.write(
            f"{device.serial}: till {device.terminal.name}, shop {device.terminal.shop}, "
            f"{device.auth_mode}, {device.answer_mode}, {device.state}"
        )
        if options["token"]:
            self.stdout.write(f"Token, shown once: {issue_token(device)}")

    def _register(self, serial: str, shop_code: object, till_name: object) -> Device:
        if not (shop_code and till_name):
            raise CommandError(f"No device has the serial {serial}. To register it, name --shop and --till.")
        try:
            shop = Shop.objects.get(code=shop_code)
        except Shop.DoesNotExist as error:
            raise CommandError(f"No shop has the code {shop_code}") from error
        terminals = list(Terminal.objects.filter(shop=shop, name=till_name)[:2])
        if len(terminals) > 1:
            raise CommandError(f"{shop} has more than one till called {till_name}")
        with transaction.atomic():
            terminal = terminals[0] if terminals else Terminal(shop=shop, name=till_name)
            self._check(terminal, Device(serial=serial))
            if not terminals:
                terminal.save(force_insert=True)
            return register_device(terminal=terminal, serial=serial)

    def _check(self, terminal: Terminal, device: Device) -> None:
        """A serial that no header can carry would name a device that is never found."""
        if device.serial != device.serial.strip() or not device.serial.isprintable():
            raise CommandError("A serial has printable characters only, and no spaces around them")
        try:
            terminal.clean_fields()
            device.clean_fields(exclude=["terminal"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
