"""Devices and their tokens: registering one under a till, and finding out whether a caller is it."""

import hashlib
import hmac
import secrets

from backend.shops.models import AnswerMode, AuthMode, Device, Terminal

TOKEN_BYTES = 32


def register_device(
    *,
    terminal: Terminal,
    serial: str,
    auth_mode: str = AuthMode.TOKEN,
    answer_mode: str = AnswerMode.RECEIPT,
) -> Device:
    """Create the device that holds `terminal`. It has no token yet. Raises IntegrityError if the serial is taken."""
    return Device.objects.create(terminal=terminal, serial=serial, auth_mode=auth_mode, answer_mode=answer_mode)


def issue_token(device: Device) -> str:
    """Return a new token, shown once: only its hash is kept. The one before works until the new one is first used."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    if device.token_hash:
        device.next_token_hash = hash_token(token)
    else:
        device.token_hash = hash_token(token)
    device.save(update_fields=["token_hash", "next_token_hash"])
    return token


def accepts_token(device: Device, token: str) -> bool:
    """Tell whether `token` is the device's, and let a new one replace the old at its first use."""
    hashed = hash_token(token)
    if device.next_token_hash and hmac.compare_digest(device.next_token_hash, hashed):
        # Conditional, so that two first uses at once do no more than one.
        Device.objects.filter(pk=device.pk, next_token_hash=hashed).update(token_hash=hashed, next_token_hash="")
        return True
    return bool(device.token_hash) and hmac.compare_digest(device.token_hash, hashed)


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
