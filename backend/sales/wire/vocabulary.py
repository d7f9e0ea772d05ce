"""The types of answers' fields: how a value is written, its bounds, and its description.

The structs and their fields have the wire's own names, because msgspec makes the OpenAPI document of them. Encoding
checks none of the bounds; the tests compare real answers with the document.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct


class Answer(Struct, frozen=True):
    """The base of all answers. Keys are written in the order of the fields; a field that is UNSET is left out."""


class OneOf(Answer, frozen=True):
    """The base of a choice: each direct subclass is answered only as one of its own subclasses."""


def one_of(*values: str) -> Meta:
    """Return the constraint that a text is one of these."""
    return Meta(extra_json_schema={"enum": [str(value) for value in values]})


Place = Annotated[int, Meta(ge=1, description="Compté à partir de 1")]
Count = Annotated[int, Meta(ge=0)]
AtLeastOne = Annotated[int, Meta(ge=1)]
# Two places, as the database gives it: msgspec writes a Decimal as its text.
Amount = Annotated[Decimal, Meta(examples=["25000.00"], extra_json_schema={"pattern": r"^-?\d+\.\d{2}$"})]
Quantity = Annotated[float, Meta(examples=[2, 1.5])]
Instant = Annotated[
    str,
    Meta(
        pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$",
        examples=["2024-11-04T17:01:02.123456Z"],
        extra_json_schema={"format": "date-time"},
    ),
]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", examples=["CDF"])]
Url = Annotated[str, Meta(extra_json_schema={"format": "uri-reference"})]
Cursor = Annotated[str, Meta(min_length=1, max_length=200, description="Opaque : à rendre tel quel")]


def timestamp(moment: datetime) -> str:
    """Return ISO 8601 in UTC with microseconds and `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def number(value: Decimal) -> int | float:
    """Return a quantity as JSON shows it: 2 and not 2.000. A float holds fourteen digits exactly."""
    return int(value) if value == value.to_integral_value() else float(value)
