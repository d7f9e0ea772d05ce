"""A poster's memory while it works at one terminal: its shop's rules, the units and the bytes it has read."""

import itertools
import uuid
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.backends.utils import CursorWrapper

from backend.sales.posting import sql
from backend.sales.posting.sql import BatchRow
from backend.sales.posting.unit_lookup import ResolvedUnit, UnitCache
from backend.sales.wire.fingerprints import UnitKey
from backend.sales.wire.parser import ParsedSale
from backend.sales.wire.split import cut, peek_units
from backend.shops.models import Shop, StockPolicy, Terminal

# For how many sales a slice reads the units ahead: about as many as it posts, and no more than one query takes.
AHEAD_SALES = 200
AHEAD_LINES_MAX = 1000
# SQLite has one writer: without a pause between sales, three posters starve the intake (3.9 s at the 99th percentile).
SQLITE_BREATH_S = 0.003


@dataclass(frozen=True, slots=True)
class ShopRules:
    """What a posting needs to know of its shop, read once a slice."""

    id: int
    code: str
    currency: str
    currencies: frozenset[str]
    zone: ZoneInfo
    refuses_short_stock: bool

    @classmethod
    def of(cls, shop: Shop) -> "ShopRules":
        return cls(
            id=shop.pk,
            code=shop.code,
            currency=shop.currency,
            currencies=shop.accepted_currencies,
            zone=ZoneInfo(shop.timezone),
            refuses_short_stock=shop.stock_policy == StockPolicy.REFUSE,
        )

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()


class Inspection(Enum):
    """How much of a sale that is settled as failed may still be read: reading it may kill the process too."""

    FULL = "full"
    HEADER = "header"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Override:
    """What a person allowed one sale, at the repair desk, that the shop's rules would refuse."""

    accepts_short_stock: bool = False
    # A conflict becomes a sale of its own, the next variant under its number.
    accepts_variant: bool = False
    # The sale was set aside and is decided again.
    reopens: bool = False
    # The index of a line, from 0 → the unit that it means here.
    units: Mapping[int, uuid.UUID] = field(default_factory=dict)


NO_OVERRIDE = Override()


class SaleRead(NamedTuple):
    sale: ParsedSale
    shop: ShopRules


@dataclass(slots=True)
class Attempt:
    """The sale that is being posted, from its first try in a slice to its last."""

    # (batch, position).
    place: tuple[int, int] = (0, 0)
    override: Override = NO_OVERRIDE
    # Whether this terminal has sales that a person set aside: read with the lane.
    has_set_aside: bool = False
    # How often its posting raised a bug.
    bugs: int = 0
    # Kept in case its posting raises.
    sale_read: SaleRead | None = None


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class PostingContext:
    """One poster's slice at one terminal. Nothing in it needs to be kept: the database holds the state."""

    terminal_id: int
    # Called before each attempt: an attempt that waits for a lock takes seconds and must not look frozen.
    alive: Callable[[], None] = lambda: None
    # Stamps a sale's outcome, and its stock movements under the units' locks.
    clock: Callable[[], datetime] = utc_now
    breath_s: float = SQLITE_BREATH_S
    has_committed: bool = False
    attempt: Attempt = field(default_factory=Attempt)
    # Set once a posting raised: a follower may have caused it, so sales are then posted without their followers.
    skips_followers: bool = False
    closed_months: set[tuple[int, int, int]] = field(default_factory=set)
    _terminal: tuple[str, bool] | None = None
    _shops: dict[int, ShopRules] = field(default_factory=dict)
    _units: dict[int, UnitCache] = field(default_factory=dict)
    # Batch → the positions whose units have been read.
    _named: dict[int, range] = field(default_factory=dict)
    _batch_id: int = 0
    _sales: list[bytes] = field(default_factory=list)

    def raw_sales(self, cursor: CursorWrapper, batch: BatchRow) -> list[bytes]:
        """Return the batch's sales, undecoded. The last batch's are kept, so that its bytes are inflated once."""
        if self._batch_id != batch.id:
            self._sales = self.read_sales(cursor, batch.id)
            self._batch_id = batch.id
        return self._sales

    def read_sales(self, cursor: CursorWrapper, batch_id: int) -> list[bytes]:
        """Return the sales of any batch, undecoded, without keeping them."""
        return cut(zlib.decompress(sql.read_body(cursor, batch_id=batch_id)))

    def shop(self, shop_id: int) -> ShopRules:
        if shop_id not in self._shops:
            self._shops[shop_id] = ShopRules.of(Shop.objects.get(pk=shop_id))
        return self._shops[shop_id]

    def resolve(self, shop_id: int, keys: list[UnitKey]) -> list[ResolvedUnit]:
        """Return the units that these keys name, in order. Raises as UnitCache.resolve does.

        The units of the next AHEAD_SALES sales are read with them: one query for each new article took half of a
        slice's time.
        """
        units = self._units.setdefault(shop_id, UnitCache(shop_id=shop_id))
        batch, position = self.attempt.place
        if position not in self._named.get(batch, ()):
            self._named[batch] = range(position, position + AHEAD_SALES)
            coming = self._sales[position - 1 : position - 1 + AHEAD_SALES]
            keys_ahead = itertools.chain.from_iterable(map(peek_units, coming))
            units.read(itertools.islice(keys_ahead, AHEAD_LINES_MAX))
        return units.resolve(keys)

    @property
    def terminal_name(self) -> str:
        return self._till()[0]

    @property
    def is_office(self) -> bool:
        """Tell whether the documents come from the shop's own pages."""
        return self._till()[1]

    def _till(self) -> tuple[str, bool]:
        if self._terminal is None:
            self._terminal = Terminal.objects.values_list("name", "is_office").get(pk=self.terminal_id)
        return self._terminal

    def is_closed(self, shop_id: int, day: date) -> bool:
        return (shop_id, day.year, day.month) in self.closed_months
