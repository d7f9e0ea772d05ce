"""`manage.py device`: registers a device under a till, gives it a token, changes its modes, disables or moves it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from backend.ops.lookup import find_or_create_till, find_shop
from backend.shops.devices import (
    check_serial,
    disable_device,
    enable_device,
    issue_token,
    move_device,
    refuse_if_held,
    refuse_office,
    register_device,
)
from backend.shops.errors import ShopsRefused
from backend.shops.models import AnswerMode, AuthMode, Device, DeviceState, Shop, TerminalState
from backend.shops.terminals import assign_shop, disable_till, enable_till


class Command(BaseCommand):
    help = "Registers or changes the device SERIAL. A token is printed once and kept only as a hash."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("serial")
        parser.add_argument("--shop", metavar="CODE", help="register: the shop of its till; or give its till a shop")
        parser.add_argument("--till", metavar="NAME", help="register: the till's name, new or not")
        parser.add_argument("--move", action="store_true", help="hold the till named by --shop and --till, new or not")
        parser.add_argument("--token", action="store_true", help="print a new token; its first use ends the old one")
        parser.add_argument("--auth-mode", choices=AuthMode.values)
        parser.add_argument("--answer-mode", choices=AnswerMode.values)
        parser.add_argument("--state", choices=[DeviceState.ACTIVE, DeviceState.DISABLED])
        parser.add_argument("--till-state", choices=TerminalState.values, help="of the till, with all its devices")

    def handle(self, *, serial: str, **options: object) -> None:
        try:
            device = self._registered(serial, options)
            self._change(device, options)
            device = Device.objects.select_related("terminal__shop").get(pk=device.pk)
            till = device.terminal
            self.stdout.write(
                f"{device.serial}: till {till.name}, shop {till.shop}, "
                f"{device.auth_mode}, {device.answer_mode}, {device.state}"
            )
            if options["token"]:
                self.stdout.write(f"Token, shown once: {issue_token(device)}")
        except ShopsRefused as refusal:
            raise CommandError(str(refusal)) from refusal

    def _registered(self, serial: str, options: dict[str, Any]) -> Device:
        """Return the device of this serial, after registering it, moving it or giving its till a shop as asked."""
        shop = find_shop(options["shop"]) if options["shop"] else None
        name = options["till"]
        device = Device.objects.filter(serial=serial).select_related("terminal__shop").first()
        if device is None:
            return self._register(serial, shop, name)
        refuse_office(device.terminal)
        till = device.terminal
        if options["move"]:
            self._move(device, shop, name)
        elif name not in (None, till.name) or (shop and till.shop and shop != till.shop):
            raise CommandError(
                f"{serial} is registered already: till {till.name}, shop {till.shop}. To move it: --move."
            )
        elif shop:
            assign_shop(till, shop=shop)
        return device

    def _register(self, serial: str, shop: Shop | None, name: str | None) -> Device:
        if not (shop and name):
            raise CommandError(f"No device has the serial {serial}. To register it, name --shop and --till.")
        check_serial(serial)
        with transaction.atomic():
            terminal = find_or_create_till(shop, name)
            refuse_if_held(terminal)
            return register_device(terminal=terminal, serial=serial)

    def _move(self, device: Device, shop: Shop | None, name: str | None) -> None:
        if not (shop and name):
            raise CommandError("To move it, name --shop and --till.")
        move_device(device, terminal=find_or_create_till(shop, name))
        self.stdout.write("Moved. What it has not sent yet will count for the till it holds now.")

    def _change(self, device: Device, options: dict[str, Any]) -> None:
        changes = {name: options[name] for name in ("auth_mode", "answer_mode") if options[name]}
        for name, value in changes.items():
            setattr(device, name, value)
        if changes:
            device.save(update_fields=list(changes))
        if options["state"]:
            {DeviceState.ACTIVE: enable_device, DeviceState.DISABLED: disable_device}[options["state"]](device)
        if options["till_state"]:
            switch = {TerminalState.ACTIVE: enable_till, TerminalState.DISABLED: disable_till}
            switch[options["till_state"]](device.terminal)
