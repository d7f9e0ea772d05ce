"""A shop's exchange rates of the day: people set them, none is ever changed, and the newest of a pair counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User

from backend.shops.models import ExchangeRate, Shop

# One unit of these is worth so little that people say what one unit of the other currency is worth in them.
SMALL_CURRENCIES = frozenset({"CDF", "XAF", "XOF"})


@dataclass(frozen=True)
class Pair:
    """Two currencies in the order in which people say a rate: "1 `base` is so many `quote`"."""

    base: str
    quote: str


@dataclass(frozen=True)
class ExchangeRates:
    """What the shop's foreign currencies are worth. `rates`: by foreign currency, the rate of its pair."""

    currency: str
    rates: Mapping[str, Decimal] = field(default_factory=dict)

    def exchange(self, amount: Decimal, *, source: str, target: str) -> Decimal | None:
        """Return what `amount` is worth in `target`, not rounded; None where a rate is missing."""
        worth = self._in_own(amount, source)
        if worth is None or target == self.currency:
            return worth
        rate = self.rates.get(target)
        if rate is None:
            return None
        return worth / rate if _is_foreign_first(self.currency, target) else worth * rate

    def _in_own(self, amount: Decimal, source: str) -> Decimal | None:
        if source == self.currency:
            return amount
        rate = self.rates.get(source)
        if rate is None:
            return None
        return amount * rate if _is_foreign_first(self.currency, source) else amount / rate


def pair_of(currency: str, foreign: str) -> Pair:
    """Return the pair of a shop's own currency and another one."""
    return Pair(foreign, currency) if _is_foreign_first(currency, foreign) else Pair(currency, foreign)


def foreign_currencies(shop: Shop) -> list[str]:
    return sorted(shop.accepted_currencies - {shop.currency})


def newest_rates(shop: Shop) -> dict[str, ExchangeRate]:
    """Return the rate that counts for each foreign currency that the shop accepts and has a rate for."""
    found = {}
    for foreign in foreign_currencies(shop):
        pair = pair_of(shop.currency, foreign)
        newest = ExchangeRate.objects.filter(shop=shop, base=pair.base, quote=pair.quote).order_by("-pk").first()
        if newest is not None:
            found[foreign] = newest
    return found


def rates_of_the_day(shop: Shop) -> ExchangeRates:
    return ExchangeRates(shop.currency, {foreign: one.rate for foreign, one in newest_rates(shop).items()})


def set_rate(*, shop: Shop, foreign: str, rate: Decimal, user: User) -> ExchangeRate | None:
    """Keep the rate of a foreign currency from today on, and return it; None if today's is the same already.

    foreign: a currency that the shop accepts beside its own. rate: positive, of the pair as pair_of returns it.
    """
    now = datetime.now(UTC)
    today = today_of(shop, now)
    newest = newest_rates(shop).get(foreign)
    if newest is not None and (newest.rate, newest.since) == (rate, today):
        return None
    pair = pair_of(shop.currency, foreign)
    return ExchangeRate.objects.create(
        shop=shop,
        base=pair.base,
        quote=pair.quote,
        rate=rate,
        since=today,
        author=user.get_username(),
        created_at=now,
    )


def today_of(shop: Shop, now: datetime) -> date:
    return now.astimezone(ZoneInfo(shop.timezone)).date()


def _is_foreign_first(currency: str, foreign: str) -> bool:
    return currency in SMALL_CURRENCIES or foreign not in SMALL_CURRENCIES
