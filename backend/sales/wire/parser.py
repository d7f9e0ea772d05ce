"""One sale's bytes to a frozen struct, rounded and added up. Pure: no database, no clock.

A sale that cannot be read is refused alone, with the path of what is wrong.
"""

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from backend.sales.errors import FieldInvalid, KindUnknown, Reason
from backend.sales.money.amounts import MONEY_PLACES, QUANTITY_PLACES, RATE_PLACES, bounded, round_half_up
from backend.sales.money.movements import CREDIT, CREDIT_ASSUMED, mode_key
from backend.sales.wire import structs
from backend.sales.wire.business_day import read_till_clock
from backend.sales.wire.fields import read_currency, read_mode, read_money, read_number, read_rounded, read_vat_rate
from backend.sales.wire.fingerprints import Origin, UnitKey, fingerprint
from backend.sales.wire.strict_json import find_fault
from backend.sales.wire.structs import WireChange, WireLine, WireOrigin, WirePayment, WirePerson, WireSale, path_of

# Ten times what two hundred long lines need. Reading 5 MiB of small tokens takes longer than a session may be idle.
SALE_BYTES_MAX = 512 * 1024

KINDS = ("vente", "annulation", "retour", "paiement")


class Line(msgspec.Struct, frozen=True):
    """A line, rounded. `key` holds every name of the unit, as sent: (("unite_uuid", "…"),), (("article_id", 15),)…"""

    key: UnitKey
    quantity: Decimal
    unit_price: Decimal
    discount: Decimal
    vat_rate: Decimal | None
    total: Decimal


class ReturnedLine(msgspec.Struct, frozen=True):
    """How much of a sale's line comes back. `line` counts from 1, as the receipt does."""

    line: int
    quantity: Decimal


class Payment(msgspec.Struct, frozen=True):
    mode: str
    currency: str | None
    amount: Decimal
    rate: Decimal | None


class ParsedSale(msgspec.Struct, frozen=True):
    """A sale that could be read. Amounts have two places, quantities three; `total` is the sum of the lines."""

    kind: str
    number: str
    fingerprint: str
    lines: tuple[Line, ...] = ()
    returned: tuple[ReturnedLine, ...] = ()
    origin: Origin | None = None
    currency: str | None = None
    discount: Decimal = Decimal(0)
    total: Decimal = Decimal(0)
    date_text: str | None = None
    sold: datetime | date | None = None
    # None where the till does not say: a sale is then paid in cash, a document that follows it in the sale's mode.
    payment_mode: str | None = None
    is_paid: bool = True
    payments: tuple[Payment, ...] = ()
    change: tuple[Payment, ...] = ()
    # Of a payment: its currency's rate.
    rate: Decimal | None = None
    cashier: WirePerson = WirePerson()
    customer: WirePerson = WirePerson()
    reason: str = ""
    fiscal: str | None = None
    warnings: tuple[str, ...] = ()


_read = msgspec.json.Decoder(WireSale)


def read_sale(raw: bytes) -> ParsedSale:
    """Read one sale.

    Raises FieldInvalid with the path of what is wrong, or KindUnknown: refusals, for this sale alone.
    """
    if len(raw) > SALE_BYTES_MAX:
        raise FieldInvalid("", Reason.SALE_TOO_LARGE(count=SALE_BYTES_MAX))
    fault = find_fault(raw)
    if fault is not None:
        raise FieldInvalid(*fault)
    try:
        wire = _read.decode(raw)
    except msgspec.ValidationError as error:
        raise FieldInvalid(path_of(error), Reason.UNEXPECTED()) from error
    except msgspec.DecodeError as error:
        raise FieldInvalid("", Reason.JSON_UNREADABLE()) from error
    number = read_number(wire.numero_facture)
    kind = wire.type if wire.type is not None else "vente"
    if kind not in KINDS:
        raise KindUnknown(kind)
    return _sale(wire, number) if kind == "vente" else _follower(wire, kind, number)


def _sale(wire: WireSale, number: str) -> ParsedSale:
    warnings: list[str] = []
    lines = _lines(wire, warnings)
    discount = read_money(wire.remise, "remise", warnings) or Decimal(0)
    total = sum(line.total for line in lines) - discount
    if total < 0:
        raise FieldInvalid("remise", Reason.ABOVE_SALE())
    bounded(total, "lignes", places=MONEY_PLACES)
    if wire.montant_total is not None:
        claimed = bounded(wire.montant_total, "montant_total", places=MONEY_PLACES)
        if round_half_up(claimed, MONEY_PLACES) != total:
            warnings.append("montant_total_different")
    return ParsedSale(
        kind="vente",
        number=number,
        fingerprint=_fingerprint(wire, "vente"),
        lines=lines,
        discount=discount,
        total=total,
        is_paid=_is_paid(wire, warnings),
        **_circumstances(wire, warnings),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _is_paid(wire: WireSale, warnings: list[str]) -> bool:
    """Return whether nothing is owed for the sale: as the till says, or, if it does not, unless it is on credit."""
    if wire.paye is not None:
        return wire.paye
    # A credit sale may come with a first payment: the mode of the whole counts, as the modes of its payments do.
    modes = [wire.mode_paiement or "", *(payment.mode for payment in wire.paiements or ())]
    is_on_credit = any(mode_key(mode.strip()) == CREDIT for mode in modes)
    if is_on_credit:
        warnings.append(CREDIT_ASSUMED)
    return not is_on_credit


def _follower(wire: WireSale, kind: str, number: str) -> ParsedSale:
    """Read a document that follows another: an annulation, a retour with its lines, a paiement with its amount."""
    _check_amounts(wire)
    warnings: list[str] = []
    origin = _origin(wire.origine)
    if origin is None:
        raise FieldInvalid("origine", Reason.MISSING_FEMININE())
    amount = read_money(wire.montant, "montant", warnings) if kind == "paiement" else None
    if kind == "paiement" and not amount:
        raise FieldInvalid("montant", Reason.NOT_POSITIVE())
    returned = _returned_lines(wire, warnings) if kind == "retour" else ()
    return ParsedSale(
        kind=kind,
        number=number,
        fingerprint=_fingerprint(wire, kind),
        origin=origin,
        returned=returned,
        total=amount or Decimal(0),
        rate=_rate(wire.taux, "taux") if kind == "paiement" else None,
        **_circumstances(wire, warnings),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _returned_lines(wire: WireSale, warnings: list[str]) -> tuple[ReturnedLine, ...]:
    returned = []
    for index, line in enumerate(_counted_lines(wire)):
        path = f"lignes[{index}]"
        if line.ligne is None:
            raise FieldInvalid(f"{path}.ligne", Reason.MISSING_FEMININE())
        returned.append(ReturnedLine(line.ligne, _quantity(line, path, warnings)))
    return tuple(returned)


def _check_amounts(wire: WireSale) -> None:
    """Refuse amounts that no column holds before they are hashed: a text may say NaN, or 1E+999999999."""
    amounts = [("montant", wire.montant), ("remise", wire.remise)]
    for index, line in enumerate(wire.lignes or []):
        amounts += [
            (f"lignes[{index}].{name}", getattr(line, name)) for name in ("quantite", "prix_unitaire", "remise")
        ]
    for path, amount in amounts:
        bounded(amount or Decimal(0), path, places=MONEY_PLACES)


def _circumstances(wire: WireSale, warnings: list[str]) -> dict[str, Any]:
    """Return the fields of every kind: currency, date, people, money."""
    fiscal = None
    if bytes(wire.fiscal) not in (b"", b"null"):
        if len(bytes(wire.fiscal)) > structs.FISCAL_BYTES_MAX:
            raise FieldInvalid("fiscal", Reason.TOO_MANY_BYTES(count=structs.FISCAL_BYTES_MAX))
        fiscal = bytes(wire.fiscal).decode()
    date_text = wire.date_vente.strip() if wire.date_vente is not None else None
    return {
        "currency": read_currency(wire.devise, "devise"),
        "date_text": date_text,
        "sold": read_till_clock(date_text) if date_text is not None else None,
        "payment_mode": None if wire.mode_paiement is None else read_mode(wire.mode_paiement, "mode_paiement"),
        "payments": _payments(wire.paiements, "paiements", warnings),
        # Only what is sold or paid has change: on other documents the field has no meaning.
        "change": _payments(wire.rendu, "rendu", warnings) if wire.type in (None, "vente", "paiement") else (),
        "cashier": wire.caissier or WirePerson(),
        "customer": wire.client or WirePerson(),
        "reason": wire.motif or "",
        "fiscal": fiscal,
    }


def _lines(wire: WireSale, warnings: list[str]) -> tuple[Line, ...]:
    return tuple(_line(line, f"lignes[{index}]", warnings) for index, line in enumerate(_counted_lines(wire)))


def _counted_lines(wire: WireSale) -> list[WireLine]:
    """Return the lines of a document that must have lines. Raises FieldInvalid for none, or too many."""
    if not wire.lignes:
        raise FieldInvalid("lignes", Reason.NO_LINES())
    if len(wire.lignes) > structs.LINES_MAX:
        raise FieldInvalid("lignes", Reason.TOO_MANY_LINES(count=structs.LINES_MAX))
    return wire.lignes


def _quantity(wire: WireLine, path: str, warnings: list[str]) -> Decimal:
    if wire.quantite is None:
        raise FieldInvalid(f"{path}.quantite", Reason.MISSING_FEMININE())
    quantity = read_rounded(wire.quantite, f"{path}.quantite", warnings, places=QUANTITY_PLACES)
    if quantity <= 0:
        raise FieldInvalid(f"{path}.quantite", Reason.NOT_POSITIVE_FEMININE())
    return quantity


def _line(wire: WireLine, path: str, warnings: list[str]) -> Line:
    if wire.prix_unitaire is None:
        raise FieldInvalid(f"{path}.prix_unitaire", Reason.MISSING())
    quantity = _quantity(wire, path, warnings)
    unit_price = read_money(wire.prix_unitaire, f"{path}.prix_unitaire", warnings)
    discount = read_money(wire.remise, f"{path}.remise", warnings) or Decimal(0)
    gross = round_half_up(quantity * unit_price, MONEY_PLACES)
    if discount > gross:
        raise FieldInvalid(f"{path}.remise", Reason.ABOVE_LINE())
    return Line(
        key=_unit_key(wire, path),
        quantity=quantity,
        unit_price=unit_price,
        discount=discount,
        vat_rate=read_vat_rate(wire.taux_tva, f"{path}.taux_tva"),
        total=bounded(gross - discount, f"{path}.quantite", places=MONEY_PLACES),
    )


def _unit_key(wire: WireLine, path: str) -> UnitKey:
    """Return every name of the unit, so that a unit and an article that disagree are noticed later."""
    given: list[tuple[str, str | int]] = []
    for name in ("unite_uuid", "article_uuid"):
        text = getattr(wire, name)
        if text is not None:
            try:
                given.append((name, str(uuid.UUID(text))))
            except ValueError as error:
                raise FieldInvalid(f"{path}.{name}", Reason.UUID_UNREADABLE()) from error
    if wire.article_id is not None:
        given.append(("article_id", wire.article_id))
    if not given:
        raise FieldInvalid(f"{path}.article_id", Reason.UNIT_MISSING())
    return tuple(given)


def _line_key(wire: WireLine, path: str, kind: str) -> UnitKey:
    """Return what names the line: on a return its number, where it has one; a sale's `ligne` is an unknown field."""
    return _unit_key(wire, path) if kind == "vente" or wire.ligne is None else (("ligne", wire.ligne),)


def _payments(sent: Sequence[WirePayment | WireChange] | None, name: str, warnings: list[str]) -> tuple[Payment, ...]:
    if sent is not None and len(sent) > structs.PAYMENTS_MAX:
        raise FieldInvalid(name, Reason.TOO_MANY_PAYMENTS(count=structs.PAYMENTS_MAX))
    return tuple(
        Payment(
            mode=read_mode(payment.mode, f"{name}[{index}].mode"),
            currency=read_currency(payment.devise, f"{name}[{index}].devise"),
            amount=read_money(payment.montant, f"{name}[{index}].montant", warnings),
            rate=_rate(payment.taux, f"{name}[{index}].taux"),
        )
        for index, payment in enumerate(sent or ())
    )


def _rate(rate: Decimal | None, path: str) -> Decimal | None:
    if rate is None:
        return None
    rounded = round_half_up(bounded(rate, path, places=RATE_PLACES), RATE_PLACES)
    if rounded <= 0:
        raise FieldInvalid(path, Reason.NOT_POSITIVE())
    return rounded


def _origin(wire: WireOrigin | None) -> Origin | None:
    if wire is None:
        return None
    for name in ("vente_id", "numero_enregistrement", "numero_facture"):
        value = getattr(wire, name)
        if value is not None:
            return name, value.strip() if isinstance(value, str) else value
    return None


def fingerprint_without_names(raw: bytes) -> str:
    """Return the fingerprint that a sale which can be read would have if its lines named no unit."""
    wire = _read.decode(raw)
    return _fingerprint(wire, wire.type or "vente", names_units=False)


def _fingerprint(wire: WireSale, kind: str, *, names_units: bool = True) -> str:
    sent = wire.lignes or [] if kind in ("vente", "retour") else []
    lines = [
        (_line_key(line, f"lignes[{index}]", kind) if names_units else (), line) for index, line in enumerate(sent)
    ]
    return fingerprint(
        kind=kind,
        origin=_origin(wire.origine),
        date_text=wire.date_vente,
        currency=wire.devise,
        discount=wire.remise,
        amount=wire.montant if kind == "paiement" else None,
        lines=[(key, line.quantite, line.prix_unitaire, line.remise) for key, line in lines],
    )
