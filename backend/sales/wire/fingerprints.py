"""Fingerprints: a versioned hash of what was sold, equal for the same sale however its JSON is written."""

import hashlib
from decimal import Context, Decimal

import msgspec

# Prefixed to every fingerprint: a new rule gets a new version, and stored fingerprints stay valid.
VERSION = "1"

# Every name of a line's unit, as sent: (("unite_uuid", "…"), ("article_id", 15)).
UnitKey = tuple[tuple[str, str | int], ...]
# The name of the sale that a document follows, as sent: ("numero_facture", "FAC-1").
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

    Numbers count as decimals (2, 2.0 and 2.000 are equal), and an absent field is not the same as its default.
    Sequence, totals, cashier, customer and unknown fields do not count: they may differ when a sale is sent again.
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
    """Return the fingerprint of a sale that cannot be read: a hash of its bytes."""
    return f"0:{hashlib.sha256(raw).hexdigest()}"


def _canonical(value: Decimal | None) -> str | None:
    if value is None:
        return None
    return f"{value.normalize(_EXACT):f}" if value else "0"
