"""What both halves of the plain model use: rounding, and a refusal."""

from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.properties.model import Document


def half_up(value: Fraction | Decimal, places: int = 2) -> Decimal:
    """Round half up a value; a negative one like its amount without the sign."""
    steps = 10**places
    rounded = Decimal(floor(abs(Fraction(value)) * steps + Fraction(1, 2))) / steps
    return -rounded if value < 0 else rounded


class Refused(Exception):
    """A sale, or a person's stock work, is refused with this code and changes nothing."""

    def __init__(self, code: str, status: str = "rejected", document: "Document | None" = None) -> None:
        super().__init__(code)
        self.code, self.status, self.document = code, status, document
