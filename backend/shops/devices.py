"""Devices and their tokens: registering one under a till, moving it, and finding out whether a caller is it."""

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
# The serials of what stands for the shops' pages among their tills: no hardware may claim one.
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
    """Raise SerialInvalid for what no header could carry, and for what is not hardware's to claim."""
    if not 1 <= len(serial) <= SERIAL_LENGTH_MAX or not serial.isprintable() or serial != serial.strip():
        raise SerialInvalid
    if serial.startswith(OFFICE_SERIAL_PREFIX):
        raise SerialInvalid(_("Ce numéro de série est réservé au bureau d'une boutique"))


def issue_token(device: Device) -> str:
    """Return a new token, shown once: only its hash is kept.

    The one that was in use works until the new one is first used; one that was issued and never used dies now. A device
    in mode `serial` goes on without a token until then.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    device.next_token_hash = hash_token(token)
    # This column alone: another request may be making the one before the token in use.
    device.save(update_fields=["next_token_hash"])
    return token


def accepts_token(device: Device, token: str) -> bool:
    """Tell whether `token` is the device's. At a new one's first use the old one dies, and the serial alone with it."""
    hashed = hash_token(token)
    if device.next_token_hash and hmac.compare_digest(device.next_token_hash, hashed):
        # Conditional: of two first uses at once one does it, and a token issued meanwhile has taken this one's place.
        promoted = Device.objects.filter(pk=device.pk, next_token_hash=hashed).update(
            token_hash=hashed, next_token_hash="", auth_mode=AuthMode.TOKEN
        )
        if promoted:
            log.info("token_in_use", device=device.pk, terminal=device.terminal_id)
        return bool(promoted) or Device.objects.filter(pk=device.pk, token_hash=hashed).exists()
    if not device.token_hash or not hmac.compare_digest(device.token_hash, hashed):
        return False
    if device.auth_mode == AuthMode.SERIAL:
        # Set back by an operator, for a till that had lost its token: it has found it.
        Device.objects.filter(pk=device.pk, token_hash=hashed).update(auth_mode=AuthMode.TOKEN)
    return True


def hash_token(token: str) -> str:
    """SHA-256 will do: a token has 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def disable_device(device: Device) -> None:
    """Refuse its calls from now on. What it handed over before is posted all the same."""
    _set_state(device, Value(DeviceState.DISABLED))


def enable_device(device: Device) -> None:
    """Let it call again. One whose till another took over meanwhile comes back as replaced, and not as its rival."""
    is_rival = When(replaced_at__isnull=False, then=Value(DeviceState.REPLACED))
    _set_state(device, Case(is_rival, default=Value(DeviceState.ACTIVE)))


def _set_state(device: Device, state: Case | Value) -> None:
    refuse_office(device.terminal)
    Device.objects.filter(pk=device.pk).update(state=state)
    device.refresh_from_db(fields=["state"])
    log.info("device_state", device=device.pk, terminal=device.terminal_id, state=device.state)


def move_device(device: Device, *, terminal: Terminal) -> None:
    """Make it hold `terminal`, with the token it has. Its batches and receipts stay with the till it leaves.

    Doing it again changes nothing. Raises TillIsHeld if another device holds that till, NoHardware for an office.
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
    """Raise NoHardware for what stands for the shop's pages among its tills."""
    if terminal.is_office:
        raise NoHardware


def holders_of(terminal: Terminal) -> QuerySet[Device]:
    """Return the devices that hold a till: one, or none yet; more only of old tills that were set up by hand."""
    return Device.objects.filter(terminal=terminal, state=DeviceState.ACTIVE).order_by("pk")
