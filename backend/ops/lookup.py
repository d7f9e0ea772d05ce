"""Shops and tills by the names that operators know them by: a shop's code, the serial of a till's device."""

from backend.shops.models import Device, Shop, Terminal


class NobodyCalledThat(Exception):
    """Nothing bears the name that was given."""


def find_shop(code: str) -> Shop:
    try:
        return Shop.objects.get(code=code)
    except Shop.DoesNotExist as error:
        raise NobodyCalledThat(f"No shop has the code {code}") from error


def find_device(serial: str) -> Device:
    try:
        return Device.objects.select_related("terminal__shop").get(serial=serial)
    except Device.DoesNotExist as error:
        raise NobodyCalledThat(f"No device has the serial {serial}") from error


def find_terminal(serial: str) -> Terminal:
    """Return the till that the device with this serial holds."""
    return find_device(serial).terminal
