"""Decimals: how they are rounded, and how large they may be."""

from decimal import ROUND_HALF_UP, Context, Decimal

from backend.sales.errors import FieldInvalid, Reason

MONEY_PLACES = 2
QUANTITY_PLACES = 3
RATE_PLACES = 8
DIGITS_MAX = 14  # of a column, places included: DECIMAL(14, …)
RATE_DIGITS_MAX = 18
# A C# double writes 17 digits. No real amount has more digits than this, and each digit costs time.
SENT_DIGITS_MAX = 40

_WIDE = Context(prec=2 * SENT_DIGITS_MAX, rounding=ROUND_HALF_UP)
_STEPS = {places: Decimal(1).scaleb(-places) for places in (MONEY_PLACES, QUANTITY_PLACES, RATE_PLACES)}


def round_half_up(value: Decimal, places: int) -> Decimal:
    return value.quantize(_STEPS[places], context=_WIDE)


def bounded(value: Decimal, path: str, *, places: int) -> Decimal:
    """Return `value` if it can be stored once rounded to `places`; raise FieldInvalid at `path` otherwise.

    Refuses a value that is not finite, negative, longer than SENT_DIGITS_MAX digits, or too large for its column. For
    the last, the database would raise an error that looks like a bug of ours.
    """
    if not value.is_finite():
        raise FieldInvalid(path, Reason.NOT_A_NUMBER())
    if value < 0:
        raise FieldInvalid(path, Reason.NEGATIVE())
    digits = RATE_DIGITS_MAX if places == RATE_PLACES else DIGITS_MAX
    if len(value.as_tuple().digits) > SENT_DIGITS_MAX or value.adjusted() < -SENT_DIGITS_MAX:
        raise FieldInvalid(path, Reason.TOO_MANY_DIGITS())
    # One digit is kept free, because 99.999 rounds up to 100.00.
    if value and value.adjusted() >= digits - places - 1:
        raise FieldInvalid(path, Reason.NUMBER_TOO_LARGE())
    return value
