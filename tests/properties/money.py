"""The money of the plain model: which movements a document makes, and what they add up to.

Written from the contract and promise P13, not from the code; in the simplest way, with dictionaries and fractions.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.properties.arithmetic import Refused, half_up

Wire = dict[str, Any]
# By (mode, currency): amount, and its value in the sale's currency.
Sums = dict[tuple[str, str], tuple[Decimal, Decimal]]

IN, CHANGE, BACK, PAYMENT = "ENCAISSEMENT", "RENDU", "REMBOURSEMENT", "PAIEMENT"
CENT = Fraction(1, 100)


@dataclass(frozen=True)
class Place:
    """A drawer on a till's day, and the shop's day that its money counts for."""

    till: int
    cashier: str
    till_day: date
    day: date


@dataclass(frozen=True)
class Handed:
    """Money that passed over the counter, either way: the amount has no sign."""

    mode: str
    currency: str
    amount: Decimal
    rate: Fraction

    @property
    def value(self) -> Decimal:
        return half_up(Fraction(self.amount) * self.rate)


@dataclass(frozen=True)
class Movement:
    """Money into the drawer or, negative, out of it."""

    kind: str
    mode: str
    currency: str
    amount: Decimal
    value: Decimal
    place: Place | None = None


@dataclass
class Money:
    """What a document moves, and what the shop is warned of."""

    movements: list[Movement]
    warnings: set[str]


def money_of_sale(wire: Wire, *, total: Decimal, currency: str, currencies: set[str]) -> Money:
    """Return one movement for each of `paiements`, or one of the whole total if it was paid; and the change."""
    rows = read_handed(wire, "paiements", currency=currency, currencies=currencies)
    change = read_handed(wire, "rendu", currency=currency, currencies=currencies, rates=rows)
    mode = mode_of(wire)
    out = [_moved(CHANGE, row, -1) for row in change if row.mode != "CREDIT"]
    if rows:
        came = [_moved(IN, row) for row in rows if row.mode != "CREDIT"]
    elif is_paid(wire) and mode != "CREDIT":
        # The change was given out of more than the total.
        whole = total - value_of(out)
        came = [Movement(IN, mode, currency, whole, whole)]
    else:
        came = []
    warnings = {"credit_suppose"} if "paye" not in wire and not is_paid(wire) else set()
    # What a till calls paid is not owed, so the part that it calls credit is missing.
    on_credit = sum((row.value for row in rows if row.mode == "CREDIT" and not is_paid(wire)), Decimal(0))
    is_down_payment = not is_paid(wire) and not on_credit and 0 <= value_of(came + out) < total
    if not is_down_payment and _differs(value_of(came + out) + on_credit, total, [*rows, *change], currency):
        warnings.add("paiements_differents")
    return Money(came + out, warnings)


def money_of_payment(wire: Wire, *, currency: str, currencies: set[str], owed: Decimal) -> Money:
    """Return what a payment of a credit brings: `montant`, or `paiements`, and the change. At most what is owed."""
    whole = {"montant": wire["montant"], "mode": named_mode(wire) or "CASH"}
    whole |= {name: wire[name] for name in ("devise", "taux") if name in wire}
    (said,) = read_handed({"montant": [whole]}, "montant", currency=currency, currencies=currencies)
    rows = read_handed(wire, "paiements", currency=currency, currencies=currencies)
    change = read_handed(wire, "rendu", currency=currency, currencies=currencies, rates=rows or [said])
    out = [_moved(CHANGE, row, -1) for row in change if row.mode != "CREDIT"]
    if rows:
        came = [_moved(PAYMENT, row) for row in rows if row.mode != "CREDIT"]
    else:
        more = -value_of(out)
        amount = said.amount + half_up(Fraction(more) / said.rate)
        came = [Movement(PAYMENT, said.mode, said.currency, amount, said.value + more)]
    paid = value_of(came + out)
    if paid <= 0:
        raise Refused("champ_invalide")
    # What is owed cannot always be paid to the cent in another currency.
    handed = [*(rows or [said]), *change]
    if paid > owed and paid - owed >= 2 * _half_cents(handed, currency):
        raise Refused("paiement_excessif")
    warnings = {"paiements_differents"} if _differs(paid, said.value, handed, currency) else set()
    if "mode_paiement" in wire and not named_mode(wire) and not rows:
        warnings.add("mode_suppose")
    return Money(came + out, warnings)


def money_of_void(wire: Wire, standing: Iterable[Movement], *, currency: str, currencies: set[str]) -> Money:
    """Return what gives back exactly what stands: in its modes, in the one that is named, or as `paiements` say."""
    rows = read_handed(wire, "paiements", currency=currency, currencies=currencies)
    standing = list(standing)
    if rows:
        return _given_back(rows, value_of(standing), currency)
    named = named_mode(wire)
    if named:
        standing = [Movement(one.kind, named, one.currency, one.amount, one.value) for one in standing]
    return Money(undone(standing), set())


def undone(standing: Iterable[Movement]) -> list[Movement]:
    return [
        Movement(BACK, mode, currency, -amount, -value)
        for (mode, currency), (amount, value) in sums_of(standing).items()
        if amount
    ]


def undone_in_place(standing: Iterable[Movement]) -> list[Movement]:
    """Return what undoes money in the drawers, and on the days, in which it moved."""
    places: dict[Place, list[Movement]] = {}
    for one in standing:
        places.setdefault(one.place, []).append(one)
    return [
        Movement(one.kind, one.mode, one.currency, one.amount, one.value, place)
        for place, movements in places.items()
        for one in undone(movements)
    ]


def money_of_return(
    wire: Wire, standing: Iterable[Movement], *, due: Decimal, currency: str, currencies: set[str], sale_mode: str
) -> Money:
    """Return what gives back `due`: as `paiements` say, in the mode that is named, or in the one it was paid in."""
    rows = read_handed(wire, "paiements", currency=currency, currencies=currencies)
    if rows:
        return _given_back(rows, due, currency)
    if not due:
        return Money([], set())
    named = named_mode(wire)
    warnings = set()
    if not named:
        ways = {way for way, (amount, _) in sums_of(standing).items() if amount > 0}
        modes = {mode for mode, _ in ways}
        named = modes.pop() if len(modes) == 1 else "CASH" if sale_mode == "CREDIT" else sale_mode
        if ways != {(named, currency)}:
            warnings.add("mode_suppose")
    return Money([Movement(BACK, named, currency, -due, -due)], warnings)


def read_handed(
    wire: Wire, name: str, *, currency: str, currencies: set[str], rates: Iterable[Handed] = ()
) -> list[Handed]:
    """Return the amounts of a list. Its own currency has the rate 1, another has one of its own or one of `rates`."""
    known = {one.currency: one.rate for one in rates}
    handed = []
    for row in wire.get(name, []):
        used = row.get("devise", currency).upper()
        if used not in currencies:
            raise Refused("devise_inconnue")
        rate = Fraction(half_up(Decimal(row["taux"]), 8)) if "taux" in row else None
        if used == currency:
            if rate not in (None, 1):
                raise Refused("champ_invalide")
            rate = Fraction(1)
        rate = rate or known.get(used)
        if rate is None:
            raise Refused("champ_invalide")
        handed.append(Handed(row.get("mode", "CASH").strip().upper(), used, half_up(Decimal(row["montant"])), rate))
    return handed


def is_paid(wire: Wire) -> bool:
    """Return whether nothing is owed: as the till says, else unless any of it is on credit."""
    modes = {mode_of(wire), *(row.get("mode", "CASH").strip().upper() for row in wire.get("paiements", []))}
    return wire.get("paye", "CREDIT" not in modes)


def mode_of(wire: Wire) -> str:
    return wire.get("mode_paiement", "CASH").strip().upper()


def named_mode(wire: Wire) -> str:
    """Return the mode that a document after a sale names; CREDIT names none."""
    named = wire.get("mode_paiement", "").strip().upper()
    return "" if named == "CREDIT" else named


def cashier_of(wire: Wire) -> str:
    """Return the cashier's code, or the name of one who has no code."""
    cashier = wire.get("caissier", {})
    return cashier.get("code", "").strip() or cashier.get("nom", "").strip()


def value_of(movements: Iterable[Movement]) -> Decimal:
    return sum((one.value for one in movements), Decimal(0))


def sums_of(movements: Iterable[Movement]) -> Sums:
    sums: Sums = {}
    for one in movements:
        amount, value = sums.get((one.mode, one.currency), (Decimal(0), Decimal(0)))
        sums[one.mode, one.currency] = amount + one.amount, value + one.value
    return sums


def _moved(kind: str, row: Handed, sign: int = 1) -> Movement:
    return Movement(kind, row.mode, row.currency, sign * row.amount, sign * row.value)


def _given_back(rows: list[Handed], due: Decimal, currency: str) -> Money:
    movements = [_moved(BACK, row, -1) for row in rows if row.mode != "CREDIT"]
    differs = _differs(-value_of(movements), due, rows, currency)
    return Money(movements, {"paiements_differents"} if differs else set())


def _differs(said: Decimal, wanted: Decimal, handed: Iterable[Handed], currency: str) -> bool:
    """Return whether they differ by more than rounding explains: half a cent of each amount in another currency."""
    return abs(Fraction(said) - Fraction(wanted)) > _half_cents(handed, currency)


def _half_cents(handed: Iterable[Handed], currency: str) -> Fraction:
    """Return the worth of half a cent of each amount that is money, and not in the sale's own currency."""
    return sum(
        (CENT / 2 * row.rate for row in handed if row.mode != "CREDIT" and row.currency != currency), Fraction(0)
    )
