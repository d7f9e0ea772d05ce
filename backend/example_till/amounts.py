"""Exact amounts: rounded half-up as on the ticket, written as text, never through a float. Standard library only."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT, THOUSANDTH, RATE_STEP = Decimal("0.01"), Decimal("0.001"), Decimal("1e-8")


def exact(value: Decimal | float | str) -> Decimal:
    """Return the exact Decimal. Raises TypeError for a float, which is not exact (0.1 + 0.2 is not 0.3)."""
    if isinstance(value, float):
        raise TypeError("montant en virgule flottante : donner un Decimal, un entier ou du texte")
    return Decimal(value)


def money(value: Decimal | int | str) -> Decimal:
    """Two places, half-up."""
    return exact(value).quantize(CENT, rounding=ROUND_HALF_UP)


def quantity(value: Decimal | int | str) -> Decimal:
    """Three places, half-up."""
    return exact(value).quantize(THOUSANDTH, rounding=ROUND_HALF_UP)


def rate_of(value: Decimal | int | str) -> Decimal:
    """Eight places, half-up: how many units of the sale's currency one unit of another is worth."""
    return exact(value).quantize(RATE_STEP, rounding=ROUND_HALF_UP)


def line_total(line: dict[str, Any]) -> Decimal:
    """The total of a line, computed as the server does: quantity times price, rounded, less the rounded discount."""
    return money(quantity(line["quantite"]) * money(line["prix_unitaire"])) - money(line.get("remise") or 0)


def ticket_total(lines: list[dict[str, Any]], *, discount: Decimal | int | str = 0) -> Decimal:
    """The total on the ticket: the sum of its lines, less the discount of the whole sale."""
    return sum(map(line_total, lines), Decimal(0)) - money(discount)


def exact_json(value: Any) -> str:
    """JSON with every decimal as text. A lone surrogate in a customer's name becomes "?", so that the sale goes on."""

    def written(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: written(member) for name, member in part.items()}
        if isinstance(part, list | tuple):
            return [written(member) for member in part]
        return format(exact(part), "f") if isinstance(part, Decimal | float) else part

    text = json.dumps(written(value), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode()


def read_json(text: str | bytes) -> Any:
    """The inverse of `exact_json`: numbers with a point become Decimals."""
    return json.loads(text, parse_float=Decimal)
