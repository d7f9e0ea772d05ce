"""What makes two sales under one number the same sale: a versioned hash of what was sold, not of how it was told."""

import hashlib
from decimal import Context, Decimal

import msgspec

# Prefixed to every fingerprint: a new rule gets a new version, and old fingerprints stay what they were.
VERSION = "1"

# All that names a unit on a line, as sent: (("unite_uuid", "…"), ("article_id", 15)).
UnitKey = tuple[tuple[str, str | int], ...]
# What a document follows, as sent: ("numero_facture", "FAC-1").
Origin = tuple[str, str | int]
FingerprintLine = tuple[UnitKey, Decimal | None, Decimal | None, Decimal | None]

_EXACT = Context(prec=100)


def fingerprint(
    *,
    kind: str,
    origin: Origin | None,
    date_text: str | None,
    currency: str | None,
    discount: Decimal | None,
    amount: Decimal | None,
    lines: list[FingerprintLine],
) -> str:
    """Return the fingerprint of a sale: type, origin, date, currency, discount, a payment's amount, lines in order.

    Numbers are compared as decimals (2, 2.0 and 2.000 are one), and what is absent stays absent. Sequence, totals,
    cashier, customer and unknown fields take no part: a till may tell them anew.
    """
    content = [
        kind,
        origin,
        date_text,
        currency,
        _canonical(discount),
        _canonical(amount),
        [[key, *map(_canonical, numbers)] for key, *numbers in lines],
    ]
    return f"{VERSION}:{hashlib.sha256(msgspec.json.encode(content)).hexdigest()}"


def fingerprint_of_bytes(raw: bytes) -> str:
    """Return what stands in for the fingerprint of a sale that cannot be read."""
    return f"0:{hashlib.sha256(raw).hexdigest()}"


def _canonical(value: Decimal | None) -> str | None:
    if value is None:
        return None
    return f"{value.normalize(_EXACT):f}" if value else "0"
