"""Devices and their tokens: registering a device under a till, moving it, and checking its token."""

import hashlib
import hmac
import secrets

import structlog
from django.db import transaction
from django.db.models import Case, QuerySet, Value, When
from django.utils.translation import gettext_noop as _

from backend.db.transients import retrying
from backend.shops.errors import NoHardware, SerialInvalid, TillIsHeld
from backend.shops.models import AnswerMode, AuthMode, Device, DeviceState, Terminal

log = structlog.get_logger("caisse.shops")

TOKEN_BYTES = 32
SERIAL_LENGTH_MAX = 64
# Serials of the shops' offices, which stand for the web pages among the tills: no hardware may claim one.
OFFICE_SERIAL_PREFIX = "bureau-"


def register_device(
    *,
    terminal: Terminal,
    serial: str,
    auth_mode: str = AuthMode.TOKEN,
    answer_mode: str = AnswerMode.RECEIPT,
) -> Device:
    """Create the device that holds `terminal`. It has no token yet. Raises IntegrityError if the serial is taken."""
    return Device.objects.create(terminal=terminal, serial=serial, auth_mode=auth_mode, answer_mode=answer_mode)


def check_serial(serial: str) -> None:
    """Raise SerialInvalid for a serial that no header can carry, or that is reserved for an office."""
    if not 1 <= len(serial) <= SERIAL_LENGTH_MAX or not serial.isprintable() or serial != serial.strip():
        raise SerialInvalid
    if serial.startswith(OFFICE_SERIAL_PREFIX):
        raise SerialInvalid(_("Ce numéro de série est réservé au bureau d'une boutique"))


def issue_token(device: Device) -> str:
    """Return a new token, shown once: only its hash is kept.

    The token in use stays valid until the first use of the new one; a token issued earlier and never used is void now.
    A device in mode `serial` may call without a token until then.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    device.next_token_hash = hash_token(token)
    # Only this column: another request may be promoting the previous new token right now.
    device.save(update_fields=["next_token_hash"])
    return token


def accepts_token(device: Device, token: str) -> bool:
    """Tell whether `token` is the device's. The first use of a new token ends the old one and the mode `serial`."""
    hashed = hash_token(token)
    if device.next_token_hash and hmac.compare_digest(device.next_token_hash, hashed):
        # Conditional: of two simultaneous first uses one promotes it, and a token issued meanwhile has replaced it.
        promoted = Device.objects.filter(pk=device.pk, next_token_hash=hashed).update(
            token_hash=hashed, next_token_hash="", auth_mode=AuthMode.TOKEN
        )
        if promoted:
            log.info("token_in_use", device=device.pk, terminal=device.terminal_id)
        return bool(promoted) or Device.objects.filter(pk=device.pk, token_hash=hashed).exists()
    if not device.token_hash or not hmac.compare_digest(device.token_hash, hashed):
        return False
    if device.auth_mode == AuthMode.SERIAL:
        # An operator set the device back to `serial` because it had lost its token; it has the token again.
        Device.objects.filter(pk=device.pk, token_hash=hashed).update(auth_mode=AuthMode.TOKEN)
    return True


def hash_token(token: str) -> str:
    """Return the SHA-256 of a token. A slow hash is not needed: a token has 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def disable_device(device: Device) -> None:
    """Refuse the device's calls from now on. The batches it handed over before are still posted."""
    _set_state(device, Value(DeviceState.DISABLED))


def enable_device(device: Device) -> None:
    """Let the device call again: as replaced if another device took its till over meanwhile."""
    if_replaced = When(replaced_at__isnull=False, then=Value(DeviceState.REPLACED))
    _set_state(device, Case(if_replaced, default=Value(DeviceState.ACTIVE)))


def _set_state(device: Device, state: Case | Value) -> None:
    refuse_office(device.terminal)
    Device.objects.filter(pk=device.pk).update(state=state)
    device.refresh_from_db(fields=["state"])
    log.info("device_state", device=device.pk, terminal=device.terminal_id, state=device.state)


def move_device(device: Device, *, terminal: Terminal) -> None:
    """Move the device to `terminal`; it keeps its token. Its batches and receipts stay with the till it leaves.

    A repeat changes nothing. Raises TillIsHeld if another device holds that till, NoHardware for an office.
    """
    if device.terminal_id == terminal.pk:
        return

    def move() -> None:
        with transaction.atomic(durable=True):
            Terminal.objects.select_for_update().get(pk=terminal.pk)
            refuse_if_held(terminal)
            device.terminal = terminal
            device.replaced_at = None
            if device.state == DeviceState.REPLACED:
                device.state = DeviceState.ACTIVE
            device.save(update_fields=["terminal", "replaced_at", "state"])

    refuse_office(device.terminal)
    refuse_office(terminal)
    retrying(move, name="move_device")
    log.info("device_moved", device=device.pk, terminal=terminal.pk)


def refuse_if_held(terminal: Terminal) -> None:
    """Raise TillIsHeld if an active device holds the till, NoHardware for a shop's office."""
    refuse_office(terminal)
    holder = holders_of(terminal).first()
    if holder is not None:
        template = _("L'appareil %(serial)s tient déjà cette caisse : dire lequel est remplacé")
        raise TillIsHeld(template, serial=holder.serial)


def refuse_office(terminal: Terminal) -> None:
    """Raise NoHardware for a shop's office, the till that stands for its web pages."""
    if terminal.is_office:
        raise NoHardware


def holders_of(terminal: Terminal) -> QuerySet[Device]:
    """Return the active devices of a till: at most one, except on old tills that were set up by hand."""
    return Device.objects.filter(terminal=terminal, state=DeviceState.ACTIVE).order_by("pk")
