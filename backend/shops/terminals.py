"""Tills: creating them, their shop, and whether they may call."""

import structlog
from django.db import transaction

from backend.db.transients import retrying
from backend.shops.errors import NoHardware, TillKeepsItsShop, TillNameTaken
from backend.shops.models import Shop, Terminal, TerminalState

log = structlog.get_logger("caisse.shops")


def create_till(*, shop: Shop | None, name: str) -> Terminal:
    """Create a till. Without a shop, its devices are refused until it gets one."""
    return Terminal.objects.create(shop=shop, name=name)


def add_till(*, shop: Shop, name: str) -> Terminal:
    """Create a till. Raises TillNameTaken if another till of the shop has this name, in any case of letters."""

    def add() -> Terminal:
        with transaction.atomic(durable=True):
            # The second of two simultaneous requests waits here, and then finds the first one's till.
            Shop.objects.select_for_update().get(pk=shop.pk)
            namesake = Terminal.objects.filter(shop=shop, name__iexact=name).first()
            if namesake is not None:
                raise TillNameTaken(terminal_id=namesake.pk)
            return create_till(shop=shop, name=name)

    terminal = retrying(add, name="add_till")
    log.info("till_added", terminal=terminal.pk, shop=shop.pk)
    return terminal


def shop_of(terminal: Terminal) -> Shop:
    """Return the till's shop; every till that may call has one."""
    assert terminal.shop is not None
    return terminal.shop


def shop_id_of(terminal: Terminal) -> int:
    """Return the id of the till's shop, without a query."""
    assert terminal.shop_id is not None
    return terminal.shop_id


def assign_shop(terminal: Terminal, *, shop: Shop) -> None:
    """Give a till without a shop its shop. A repeat changes nothing.

    Raises TillKeepsItsShop for a till of another shop, which owns its batches, stock and receipts. Make a new till and
    move the device to it (`move_device`).
    """
    # Conditional: of two simultaneous calls, the first sets the shop and the second sees it below.
    if Terminal.objects.filter(pk=terminal.pk, shop=None).update(shop=shop):
        log.info("till_placed", terminal=terminal.pk, shop=shop.pk)
    terminal.refresh_from_db(fields=["shop"])
    if terminal.shop_id != shop.pk:
        raise TillKeepsItsShop


def disable_till(terminal: Terminal) -> None:
    """Refuse the calls of all the till's devices. The batches they handed over before are still posted."""
    _set_state(terminal, TerminalState.DISABLED)


def enable_till(terminal: Terminal) -> None:
    _set_state(terminal, TerminalState.ACTIVE)


def _set_state(terminal: Terminal, state: TerminalState) -> None:
    if terminal.is_office:
        raise NoHardware
    terminal.state = state
    terminal.save(update_fields=["state"])
    log.info("till_state", terminal=terminal.pk, state=state.value)
