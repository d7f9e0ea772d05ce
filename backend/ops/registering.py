"""Tills and shops as operators name them on the command line. What is not found is said."""

from collections.abc import Callable
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from backend.ops import lookup
from backend.shops.models import Device, Shop, Terminal
from backend.shops.terminals import create_till

Found = TypeVar("Found")


def find_shop(code: str) -> Shop:
    return _told(lookup.find_shop, code)


def find_device(serial: str) -> Device:
    return _told(lookup.find_device, serial)


def find_terminal(serial: str) -> Terminal:
    return _told(lookup.find_terminal, serial)


def _told(find: Callable[[str], Found], name: str) -> Found:
    try:
        return find(name)
    except lookup.NobodyCalledThat as error:
        raise CommandError(str(error)) from error


def find_till(shop: Shop, name: str) -> Terminal | None:
    """Return the shop's till of this name, or None; of two, nobody can say which is meant."""
    found = list(Terminal.objects.filter(shop=shop, name=name)[:2])
    if len(found) > 1:
        raise CommandError(f"{shop} has more than one till called {name}")
    return found[0] if found else None


def find_or_create_till(shop: Shop, name: str) -> Terminal:
    found = find_till(shop, name)
    if found is not None:
        return found
    try:
        Terminal(shop=shop, name=name).clean_fields()
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    return create_till(shop=shop, name=name)
