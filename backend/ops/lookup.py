"""Finds shops and tills by the names that operators use: a shop's code, the serial of a till's device."""

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from backend.shops.models import Device, Shop, Terminal
from backend.shops.terminals import create_till


class NameUnknown(CommandError):
    """Nothing has the name that was given."""


def find_shop(code: str) -> Shop:
    try:
        return Shop.objects.get(code=code)
    except Shop.DoesNotExist as error:
        raise NameUnknown(f"No shop has the code {code}") from error


def find_device(serial: str) -> Device:
    try:
        return Device.objects.select_related("terminal__shop").get(serial=serial)
    except Device.DoesNotExist as error:
        raise NameUnknown(f"No device has the serial {serial}") from error


def find_terminal(serial: str) -> Terminal:
    """Return the till that the device with this serial holds."""
    return find_device(serial).terminal


def find_till(shop: Shop, name: str) -> Terminal | None:
    """Return the shop's till of this name, or None. Raises CommandError if two tills have the name."""
    tills = list(Terminal.objects.filter(shop=shop, name=name)[:2])
    if len(tills) > 1:
        raise CommandError(f"{shop} has more than one till called {name}")
    return tills[0] if tills else None


def find_or_create_till(shop: Shop, name: str) -> Terminal:
    till = find_till(shop, name)
    if till is not None:
        return till
    try:
        Terminal(shop=shop, name=name).clean_fields()
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    return create_till(shop=shop, name=name)
