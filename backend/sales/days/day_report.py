"""A till's report of one of its days: read and bounded, or refused with the path of what is wrong. Pure."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.inventory.models import REASON_LENGTH_MAX
from backend.sales.errors import FieldInvalid, Reason
from backend.sales.posting.document import plain
from backend.sales.wire.business_day import YEAR_MAX, YEAR_MIN
from backend.sales.wire.fields import (
    AMOUNTS_MAX,
    WireAmount,
    check_length,
    read_amount,
    read_amounts,
    read_currency,
    read_mode,
    read_signed_amount,
)
from backend.sales.wire.split import number_fault
from backend.sales.wire.structs import MODE_LENGTH_MAX, Amount, Currency, Number
from backend.shops.models import Shop

NUMBERS_MAX = 5000
SUMS_MAX = 100
PAYOUTS_MAX = 100
COUNT_MAX = 1_000_000
CASHIER_LENGTH_MAX = 120

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

Day = Annotated[
    str, Meta(examples=["2024-11-04"], extra_json_schema={"format": "date", "pattern": r"^20\d{2}-\d{2}-\d{2}$"})
]


def _at_most(length: int, description: str = "") -> Meta:
    """Return the schema of a list whose length is checked here and not by msgspec."""
    return Meta(description=description or None, extra_json_schema={"maxItems": length})


def _amounts(description: str) -> Meta:
    return _at_most(AMOUNTS_MAX, f"{description} ; une devise donnée deux fois compte pour la somme")


class WireListed(msgspec.Struct, frozen=True):
    numero_facture: Number
    montant: Annotated[Amount, Meta(description="Sans signe, aussi pour un retour ou une annulation")]


class WireSum(msgspec.Struct, frozen=True):
    montant: Annotated[
        Amount,
        Meta(
            description="Négatif quand il a été rendu plus qu'encaissé",
            extra_json_schema={"minimum": -(10**11) + 1, "pattern": r"^-?\d{1,11}(\.\d{1,20})?$"},
        ),
    ]
    mode: Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": MODE_LENGTH_MAX})] = "CASH"
    devise: Currency | None = None
    nombre: Annotated[int, Meta(ge=0, le=COUNT_MAX, description="Comparé quand il est donné")] | None = None


class WirePayout(WireAmount, frozen=True):
    motif: Annotated[str, Meta(extra_json_schema={"maxLength": REASON_LENGTH_MAX})] | None = None


class WireDrawer(msgspec.Struct, frozen=True):
    caissier: (
        Annotated[
            str,
            Meta(
                description="Son code, ou son nom s'il n'en a pas. Seuls ses documents comptent, si un document de "
                "la journée en nomme un",
                extra_json_schema={"maxLength": CASHIER_LENGTH_MAX},
            ),
        ]
        | None
    ) = None
    fond_ouverture: Annotated[list[WireAmount], _amounts("Ce qu'il y avait d'abord dans le tiroir")] | None = None
    sorties: Annotated[list[WirePayout], _at_most(PAYOUTS_MAX)] | None = None
    especes_comptees: Annotated[list[WireAmount], _amounts("Ce qui a été compté à la fin")] | None = None


class WireDay(msgspec.Struct, frozen=True):
    """The end of a day as the contract writes it."""

    jour: Annotated[Day, Meta(description="Le jour de la caisse elle-même")]
    ventes: (
        Annotated[
            list[
                Annotated[
                    WireListed,
                    Meta(description="Un document de la caisse : vente, annulation, retour ou paiement"),
                ]
            ],
            _at_most(NUMBERS_MAX),
        ]
        | None
    ) = None
    totaux: Annotated[list[WireSum], _at_most(SUMS_MAX)] | None = None
    caisse: WireDrawer | None = None


@dataclass(frozen=True, slots=True)
class SaidSum:
    amount: Decimal
    # None where the till does not say.
    count: int | None


@dataclass(frozen=True, slots=True)
class Drawer:
    """A cash drawer, by currency: what was in it at first, what was paid out of it, what was counted at the end."""

    cashier: str
    float_amounts: dict[str, Decimal]
    payouts: dict[str, Decimal]
    counted: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class DayReport:
    """A till's day. A part that the till did not give is None.

    `listed` holds (number, amount), repeated where the till repeated them; `sums` are by (currency, mode in capitals).
    """

    day: date
    listed: list[tuple[str, Decimal]] | None
    sums: dict[tuple[str, str], SaidSum] | None
    drawer: Drawer | None


def read_day_report(wire: WireDay, *, shop: Shop) -> DayReport:
    """Return the report. Raises FieldInvalid with the path of what is wrong, and for a report without any figures."""
    if wire.ventes is None and wire.totaux is None and wire.caisse is None:
        raise FieldInvalid("ventes", Reason.DAY_WITHOUT_FIGURES())
    return DayReport(
        day=_read_day(wire.jour),
        listed=_read_listed(wire.ventes) if wire.ventes is not None else None,
        sums=_read_sums(wire.totaux, shop=shop) if wire.totaux is not None else None,
        drawer=_read_drawer(wire.caisse, shop=shop) if wire.caisse is not None else None,
    )


def _read_day(text: str) -> date:
    try:
        if not _DAY.fullmatch(text):
            raise ValueError(text)
        day = date.fromisoformat(text)
    except ValueError as error:
        raise FieldInvalid("jour", Reason.DATE_EXPECTED()) from error
    if not YEAR_MIN <= day.year <= YEAR_MAX:
        raise FieldInvalid("jour", Reason.YEAR_IMPLAUSIBLE(first=YEAR_MIN, last=YEAR_MAX))
    return day


def _read_listed(listed: list[WireListed]) -> list[tuple[str, Decimal]]:
    check_length(listed, "ventes", at_most=NUMBERS_MAX)
    entries = []
    for index, one in enumerate(listed):
        number = one.numero_facture.strip()
        fault = number_fault(number)
        if fault:
            raise FieldInvalid(f"ventes[{index}].numero_facture", fault)
        entries.append((number, read_amount(one.montant, f"ventes[{index}].montant")))
    return entries


def _read_sums(sums: list[WireSum], *, shop: Shop) -> dict[tuple[str, str], SaidSum]:
    check_length(sums, "totaux", at_most=SUMS_MAX)
    said: dict[tuple[str, str], SaidSum] = {}
    for index, one in enumerate(sums):
        path = f"totaux[{index}]"
        key = (
            read_currency(one.devise, f"{path}.devise") or shop.currency,
            read_mode(one.mode, f"{path}.mode").upper(),
        )
        if key in said:
            raise FieldInvalid(path, Reason.GIVEN_TWICE())
        said[key] = SaidSum(read_signed_amount(one.montant, f"{path}.montant"), one.nombre)
    return said


def _read_drawer(wire: WireDrawer, *, shop: Shop) -> Drawer:
    if len(wire.caissier or "") > CASHIER_LENGTH_MAX:
        raise FieldInvalid("caisse.caissier", Reason.TOO_MANY_CHARACTERS(count=CASHIER_LENGTH_MAX))
    check_length(wire.sorties, "caisse.sorties", at_most=PAYOUTS_MAX)
    for index, payout in enumerate(wire.sorties or ()):
        if len(payout.motif or "") > REASON_LENGTH_MAX:
            raise FieldInvalid(f"caisse.sorties[{index}].motif", Reason.TOO_MANY_CHARACTERS(count=REASON_LENGTH_MAX))
    default = shop.currency
    return Drawer(
        cashier=plain(wire.caissier, CASHIER_LENGTH_MAX),
        float_amounts=read_amounts(wire.fond_ouverture, "caisse.fond_ouverture", default_currency=default),
        payouts=read_amounts(wire.sorties, "caisse.sorties", default_currency=default),
        counted=read_amounts(wire.especes_comptees, "caisse.especes_comptees", default_currency=default),
    )
