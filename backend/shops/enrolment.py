"""Enrolment: a one-time code puts a device under a till, as its first one or in place of another."""

import ipaddress
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac

from backend.db.transients import retrying
from backend.shops.devices import check_serial, holders_of, issue_token, refuse_if_held, register_device
from backend.shops.errors import (
    CodeExpired,
    CodeUnknown,
    NotOfThisTill,
    SerialTaken,
    TerminalDisabled,
    TerminalWithoutShop,
    TooManyGuesses,
)
from backend.shops.models import Device, DeviceState, EnrolmentCode, EnrolmentGuess, Shop, Terminal, TerminalState

log = structlog.get_logger("caisse.shops")

# Without I, L, O and U, which people read as 1, 0 or V. Eight of 32 characters are 40 bits.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 8
_READ_AS = str.maketrans("ILOU", "110V")
LIFE = timedelta(hours=1)
LIFE_MAX = timedelta(days=7)
# With a hundred valid codes, this many guesses an hour need a thousand years to hit one.
GUESSES_MAX = 1000
GUESSES_OF_ONE_SOURCE_MAX = 20
GUESSES_KEPT = timedelta(hours=1)
IPV6_CUSTOMER_BITS = 64


@dataclass(frozen=True, slots=True)
class NewCode:
    """A new code, to be shown once: `text` is not stored."""

    text: str
    terminal: Terminal
    expires_at: datetime

    @property
    def spaced(self) -> str:
        """The code as people read it out: `K7Q4 9XTD`."""
        return f"{self.text[:4]} {self.text[4:]}"


@dataclass(frozen=True, slots=True)
class Applicant:
    """A device that asks to be enrolled: what it says about itself, and its address."""

    serial: str
    app_version: str = ""
    model: str = ""
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The device with its till and shop, and its token, shown once."""

    device: Device
    token: str


def create_enrolment_code(
    *,
    terminal: Terminal,
    replaces: Device | None = None,
    life: timedelta = LIFE,
    created_by: User | None = None,
) -> NewCode:
    """Return a new code for `terminal`, and expire its earlier unused ones.

    replaces: the device to replace, by another one or by itself with a new token; required if a device holds the till.
    life: positive, at most LIFE_MAX.
    Raises ValueError for any other life, TillIsHeld, NotOfThisTill, NoHardware.
    """
    if not timedelta(0) < life <= LIFE_MAX:
        raise ValueError(f"an enrolment code lives for {LIFE_MAX} at most")
    text = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))

    def create() -> EnrolmentCode:
        now = datetime.now(UTC)
        with transaction.atomic(durable=True):
            Terminal.objects.select_for_update().get(pk=terminal.pk)
            if replaces is None:
                refuse_if_held(terminal)
            elif not Device.objects.filter(pk=replaces.pk, terminal=terminal, terminal__is_office=False).exists():
                raise NotOfThisTill
            unused = EnrolmentCode.objects.filter(terminal=terminal, used_at=None, expires_at__gt=now)
            unused.update(expires_at=now)
            return EnrolmentCode.objects.create(
                code_hash=_hash(text),
                terminal=terminal,
                replaces=replaces,
                created_by=created_by,
                expires_at=now + life,
            )

    code = retrying(create, name="create_enrolment_code")
    log.info("code_created", terminal=terminal.pk, replaces=replaces and replaces.pk, expires_at=str(code.expires_at))
    return NewCode(text=text, terminal=terminal, expires_at=code.expires_at)


def code_payload(code: NewCode, *, server_url: str) -> str:
    """Return the content of the QR code: the server's address, then `#` and the code.

    A phone that opens it as an address does not send the part after the `#`, so no server logs the code.
    """
    return f"{server_url.rstrip('/')}/#{code.text}"


def enrol_device(*, code: str, applicant: Applicant) -> Enrolled:
    """Make the applicant the device of the code's till, in one transaction, and return it with a token.

    code: as typed. A repeat with the same serial while the code is valid returns a fresh token, because the first
    answer may have been lost; a token that was never used is void then.
    Raises SerialInvalid, or an EnrolmentRefused; a refusal does not use the code up.
    """
    check_serial(applicant.serial)
    source = source_of(applicant.address)
    _refuse_guesser(source)
    text = read_code(code)
    if text is None:
        raise CodeUnknown
    found = EnrolmentCode.objects.filter(code_hash=_hash(text)).first()
    if found is None:
        _note_guess(source)
        raise CodeUnknown

    def enrol() -> Enrolled:
        return _enrol(found, applicant)

    try:
        enrolled = retrying(enrol, name="enrol_device")
    except IntegrityError:
        # The same serial was enrolled at the same moment: its row exists now.
        enrolled = retrying(enrol, name="enrol_device")
    device = enrolled.device
    log.info("device_enrolled", device=device.pk, serial=device.serial, terminal=device.terminal_id)
    return enrolled


def read_code(typed: str) -> str | None:
    """Return the code that was typed: any case, spaces and hyphens ignored, O read as 0. None if it is not a code."""
    text = "".join(letter for letter in typed.upper() if letter.isalnum()).translate(_READ_AS)
    is_code = len(text) == CODE_LENGTH and set(text) <= set(ALPHABET)
    return text if is_code else None


def _hash(text: str) -> str:
    """Return a keyed hash: against a plain one, a reader of the table could try all codes in minutes."""
    return salted_hmac("backend.shops.enrolment", text, algorithm="sha256").hexdigest()


def _enrol(found: EnrolmentCode, applicant: Applicant) -> Enrolled:
    now = datetime.now(UTC)
    with transaction.atomic(durable=True):
        # The till first, as in create_enrolment_code: no other enrolment or move to this till can run meanwhile.
        terminal = Terminal.objects.select_for_update().get(pk=found.terminal_id)
        code = EnrolmentCode.objects.select_for_update().get(pk=found.pk)
        _check_code(code, applicant, now)
        shop = _check_till(terminal)
        device = _own_device(terminal, applicant)
        if code.used_at is None:
            device = _take_over(code, terminal, device, applicant, now)
            code.used_at, code.used_by_serial = now, applicant.serial
            code.save(update_fields=["used_at", "used_by_serial"])
        elif device is None:
            raise CodeExpired
        token = issue_token(device)
    terminal.shop = shop
    device.terminal = terminal
    return Enrolled(device, token)


def _check_code(code: EnrolmentCode, applicant: Applicant, now: datetime) -> None:
    is_anothers = code.used_at is not None and code.used_by_serial != applicant.serial
    if code.expires_at <= now or is_anothers:
        raise CodeExpired


def _check_till(terminal: Terminal) -> Shop:
    if terminal.state == TerminalState.DISABLED:
        raise TerminalDisabled
    if terminal.shop_id is None:
        raise TerminalWithoutShop
    return Shop.objects.get(pk=terminal.shop_id)


def _own_device(terminal: Terminal, applicant: Applicant) -> Device | None:
    """Return the till's device with this serial, or None if no device has it."""
    device = Device.objects.select_for_update().filter(serial=applicant.serial).first()
    if device is None:
        return None
    if device.terminal_id != terminal.pk:
        raise SerialTaken
    if device.state == DeviceState.DISABLED:
        raise TerminalDisabled
    return device


def _take_over(
    code: EnrolmentCode, terminal: Terminal, device: Device | None, applicant: Applicant, now: datetime
) -> Device:
    """Make the applicant the till's active device, and mark the one it replaces as replaced."""
    if code.replaces_id is None and holders_of(terminal).exclude(serial=applicant.serial).exists():
        # The code was made when no device held the till.
        raise CodeExpired
    if device is None:
        device = register_device(terminal=terminal, serial=applicant.serial)
    device.state, device.replaced_at = DeviceState.ACTIVE, None
    device.model = applicant.model or device.model
    device.app_version = applicant.app_version or device.app_version
    device.save(update_fields=["state", "replaced_at", "model", "app_version"])
    # A disabled device stays refused; if it is enabled later, it comes back as replaced.
    others = Device.objects.filter(terminal=terminal).exclude(pk=device.pk)
    others.filter(Q(pk=code.replaces_id) | Q(state=DeviceState.DISABLED), replaced_at=None).update(replaced_at=now)
    if code.replaces_id is not None:
        others.filter(pk=code.replaces_id, state=DeviceState.ACTIVE).update(state=DeviceState.REPLACED)
    return device


def source_of(address: str | None) -> str:
    """Return the key by which failures are counted: an IPv4 address, or the IPv6 network of one customer."""
    if not address:
        return ""
    ip = ipaddress.ip_address(address)
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.version == 4:
        return str(ip)
    return str(ipaddress.ip_network((ip, IPV6_CUSTOMER_BITS), strict=False))


def _refuse_guesser(source: str) -> None:
    """Refuse a source that tried too many wrong codes, and every source while too many are tried in total.

    Counted in the database: memory would count per process, and a cache that is down counts nothing. A few simultaneous
    calls may pass together.
    """
    recent = EnrolmentGuess.objects.filter(at__gt=datetime.now(UTC) - GUESSES_KEPT)
    if recent.filter(source=source).count() >= GUESSES_OF_ONE_SOURCE_MAX or recent.count() >= GUESSES_MAX:
        raise TooManyGuesses


def _note_guess(source: str) -> None:
    def note() -> None:
        now = datetime.now(UTC)
        EnrolmentGuess.objects.create(source=source, at=now)
        EnrolmentGuess.objects.filter(at__lte=now - GUESSES_KEPT).delete()

    retrying(note, name="note_guess")
    log.warning("wrong_code", source=source)
