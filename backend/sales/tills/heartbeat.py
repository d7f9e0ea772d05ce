"""A till's heartbeat between two batches: its clock, what it still holds, how far it has counted."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from backend.sales.errors import FieldInvalid, Reason
from backend.sales.models import Heartbeat
from backend.sales.wire.business_day import DATE_LENGTH_MAX, YEAR_MAX, YEAR_MIN
from backend.sales.wire.fields import AMOUNTS_MAX, WireAmount, read_amounts
from backend.sales.wire.structs import DATE, Counter
from backend.shops.models import Device, Shop
from backend.shops.terminals import shop_id_of

HELD_COUNT_MAX = 1_000_000
DATE_ONLY_LENGTH_MAX = len("2024-11-04")


Moment = Annotated[
    str,
    Meta(
        description=DATE,
        examples=["2024-11-04T18:00:00+01:00"],
        extra_json_schema={
            "format": "date-time",
            "minLength": len("2024-11-04T18:00"),
            "maxLength": DATE_LENGTH_MAX,
        },
    ),
]


class WireHeld(msgspec.Struct, frozen=True):
    nombre: Annotated[int, Meta(ge=0, le=HELD_COUNT_MAX)]
    montants: Annotated[list[WireAmount], Meta(extra_json_schema={"maxItems": AMOUNTS_MAX})] | None = None
    plus_ancienne: Moment | None = None


class WireHeartbeat(msgspec.Struct, frozen=True):
    """A heartbeat as the contract writes it; each of the three may be left out."""

    heure: Moment | None = None
    a_envoyer: Annotated[
        WireHeld | None,
        Meta(description="Ce que la caisse garde encore ; `nombre` 0 dit qu'elle ne garde rien, et sans montant"),
    ] = None
    sequence: (
        Annotated[
            Counter,
            Meta(description="Le dernier compteur que la caisse a donné : ce qui manque à la fin paraît dans `trous`"),
        ]
        | None
    ) = None


@dataclass(frozen=True, slots=True)
class Held:
    """What a till says it has not handed over yet. A count of 0 is a statement too: the watermark is made of it."""

    count: int
    amounts: dict[str, Decimal]
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class ParsedHeartbeat:
    """A heartbeat, read. What the till did not say is None, and is never taken for 0."""

    clock_at: datetime | None
    held: Held | None
    sequence: int | None


def read_heartbeat(wire: WireHeartbeat, *, shop: Shop) -> ParsedHeartbeat:
    """Return the heartbeat, its times as instants. A clock that is wrong by decades is accepted.

    Raises FieldInvalid with the path of a value that makes no sense.
    """
    zone = ZoneInfo(shop.timezone)
    clock_at = _read_moment(wire.heure, "heure", zone) if wire.heure is not None else None
    held = _read_held(wire.a_envoyer, shop=shop, zone=zone) if wire.a_envoyer is not None else None
    return ParsedHeartbeat(clock_at, held, wire.sequence)


def record_heartbeat(*, device: Device, heartbeat: ParsedHeartbeat, now: datetime) -> None:
    """Keep the heartbeat, and how far the till's clock is ahead of `now`: in the device's row, and on `device`.

    At most one row a device and minute: a later heartbeat of the same minute replaces the earlier. A heartbeat that
    does not say what the till holds leaves no row: the watermark cannot use it. The device's row is written on its own:
    no posting waits for it.
    """
    skew_s = None
    if heartbeat.clock_at is not None:
        skew_s = round((heartbeat.clock_at - now).total_seconds(), 3)
        Device.objects.filter(pk=device.pk).update(clock_skew_s=skew_s)
        device.clock_skew_s = skew_s
    if heartbeat.held is not None:
        _keep(device, heartbeat, heartbeat.held, skew_s=skew_s, now=now)


def _keep(device: Device, heartbeat: ParsedHeartbeat, held: Held, *, skew_s: float | None, now: datetime) -> None:
    columns = {
        "held_count": held.count,
        "held_amounts": [{"currency": currency, "amount": str(held.amounts[currency])} for currency in held.amounts],
        "oldest_held_at": held.oldest_at,
        "sequence": heartbeat.sequence,
        "till_clock_at": _storable(heartbeat.clock_at),
        "clock_skew_s": skew_s,
        "at": now,
    }
    own = Heartbeat.objects.filter(terminal_id=device.terminal_id, device_id=device.pk)
    this_minute = own.filter(at__gte=now.replace(second=0, microsecond=0)).order_by("-at").values_list("pk", flat=True)
    # Two heartbeats of one device at the same moment may make two rows. Every reader copes with that.
    if (heartbeat_id := this_minute.first()) is not None:
        Heartbeat.objects.filter(pk=heartbeat_id).update(**columns)
    else:
        Heartbeat.objects.create(
            shop_id=shop_id_of(device.terminal), terminal_id=device.terminal_id, device_id=device.pk, **columns
        )


def _read_held(wire: WireHeld, *, shop: Shop, zone: ZoneInfo) -> Held:
    amounts = read_amounts(wire.montants, "a_envoyer.montants", default_currency=shop.currency)
    if wire.nombre == 0 and any(amounts.values()):
        # It would be read as "holds nothing", although the till names an amount.
        raise FieldInvalid("a_envoyer.nombre", Reason.AMOUNT_OF_NOTHING())
    oldest_at = None
    if wire.plus_ancienne is not None:
        oldest_at = _storable(_read_moment(wire.plus_ancienne, "a_envoyer.plus_ancienne", zone))
    return Held(wire.nombre, amounts, oldest_at if wire.nombre else None)


def _read_moment(text: str, path: str, zone: ZoneInfo) -> datetime:
    """Return the instant that a till's clock shows; without an offset it is the shop's time, as in `date_vente`."""
    text = text.strip()
    try:
        if not DATE_ONLY_LENGTH_MAX < len(text) <= DATE_LENGTH_MAX:
            raise ValueError(text)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise FieldInvalid(path, Reason.INSTANT_EXPECTED()) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _storable(moment: datetime | None) -> datetime | None:
    """Return the moment, or None for an impossible year; `clock_skew_s` then says how wrong the clock is."""
    return moment if moment is not None and YEAR_MIN <= moment.year <= YEAR_MAX else None
