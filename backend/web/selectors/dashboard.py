"""What a shop did on a day, and what is not yet in that."""

import datetime
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Q, QuerySet, Sum

from backend.sales.models import RECORDED, OutcomeStatus, Pause, SaleOutcome
from backend.sales.money import takings
from backend.sales.money.takings import to_cents
from backend.sales.repair.open_entries import NEEDS_A_PERSON, open_entries
from backend.shops.models import Shop
from backend.web.formats import WITHOUT_CENTS

# How many days with late arrivals are told at once.
LATE_DAYS_MAX = 3


@dataclass(frozen=True)
class Amount:
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class ModeAmount(Amount):
    mode: str


@dataclass(frozen=True)
class Takings:
    """One day: what came in, what went back to customers, and what they still owe of that day's sales."""

    sale_count: int
    cash_in: list[Amount]
    cash_in_by_mode: list[ModeAmount]
    refunded: list[Amount]
    on_credit: list[Amount]
    credit_count: int
    # What a sale came to on average, whether it was paid or not.
    baskets: list[Amount]


@dataclass
class OpenEntries:
    """Sales that a person must decide about: in nobody's figures yet."""

    count: int = 0
    without_amount_count: int = 0
    sums: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @property
    def amounts(self) -> list[Amount]:
        return [Amount(amount=amount, currency=currency) for currency, amount in sorted(self.sums.items())]

    def add(self, group: dict) -> None:
        self.count += group["count"]
        self.without_amount_count += group["count"] - group["amount_count"]
        if group["amount_count"]:
            self.sums[group["currency"]] += to_cents(group["amount"])


@dataclass
class LateArrivals:
    """What was recorded today for one earlier day: sales, and what follows them (annulations, retours, paiements)."""

    day: datetime.date
    sale_count: int = 0
    other_count: int = 0
    sums: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    last_at: datetime.datetime | None = None

    @property
    def amounts(self) -> list[Amount]:
        return [Amount(amount=amount, currency=currency) for currency, amount in sorted(self.sums.items())]

    def add(self, group: dict) -> None:
        self.last_at = max(filter(None, (self.last_at, group["last_at"])))
        if group["status"] == OutcomeStatus.CREATED:
            self.sale_count += group["count"]
            self.sums[group["currency"]] += to_cents(group["amount"] or Decimal(0))
        else:
            self.other_count += group["count"]


@dataclass(frozen=True)
class NotInFigures:
    """Beside the figures of a day: what of it is to be corrected; today also of earlier days, and what came late."""

    of_day: OpenEntries
    earlier: OpenEntries
    # The newest day first.
    late: list[LateArrivals]

    @property
    def latest(self) -> list[LateArrivals]:
        return self.late[:LATE_DAYS_MAX]

    @property
    def late_before(self) -> list[LateArrivals]:
        """A till that comes back after weeks has sales of each of their days: these are folded away."""
        return self.late[LATE_DAYS_MAX:]


@dataclass(frozen=True)
class Waiting:
    """Sales that arrived and are not posted yet."""

    sale_count: int
    since: datetime.datetime | None


def takings_shown(found: takings.Takings, *, shop: Shop) -> Takings:
    """Return a day's takings as the page shows them, the shop's own currency first.

    A payment of an earlier credit came in today; what a void or a return brought back went out, and is shown apart.
    """
    by_mode = {key: flow.amount for key, flow in found.came_in.items()}
    refunded: dict[str, Decimal] = defaultdict(Decimal)
    for (currency, _mode), flow in found.went_back.items():
        refunded[currency] += flow.amount
    return Takings(
        sale_count=found.sale_count,
        refunded=[Amount(refunded[c], c) for c in ordered(refunded, shop=shop) if refunded[c]],
        cash_in=_per_currency(by_mode, shop=shop),
        cash_in_by_mode=_per_mode(by_mode, shop=shop),
        on_credit=[Amount(to_cents(found.owed[c]), c) for c in ordered(found.owed, shop=shop) if found.owed[c] > 0],
        credit_count=found.credit_count,
        baskets=[_basket(found.sold[c], c) for c in ordered(found.sold, shop=shop)],
    )


def ordered(currencies: Iterable[str], *, shop: Shop) -> list[str]:
    return sorted(currencies, key=lambda currency: (currency != shop.currency, currency))


def _basket(sold: takings.Flow, currency: str) -> Amount:
    place = Decimal(1) if currency in WITHOUT_CENTS else takings.CENT
    return Amount((sold.amount / sold.documents).quantize(place, rounding=ROUND_HALF_UP), currency)


def _per_currency(by_mode: dict[tuple[str, str], Decimal], *, shop: Shop) -> list[Amount]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for (currency, _mode), amount in by_mode.items():
        sums[currency] += amount
    # A day without sales still says how much: nothing, in the shop's currency.
    sums = sums or {shop.currency: Decimal(0)}
    return [Amount(amount=sums[currency], currency=currency) for currency in ordered(sums, shop=shop)]


def _per_mode(by_mode: dict[tuple[str, str], Decimal], *, shop: Shop) -> list[ModeAmount]:
    keys = sorted(by_mode, key=lambda key: (key[0] != shop.currency, key[0], -by_mode[key]))
    return [ModeAmount(amount=by_mode[key], currency=key[0], mode=key[1]) for key in keys]


def not_in_figures(*, shop: Shop, day: datetime.date, today: datetime.date, terminal_ids: list[int]) -> NotInFigures:
    """Return what is still to be corrected, and what came late. One query; terminal_ids: all of the shop's tills.

    An entry whose day could not be read counts for today: what is missing must be seen. Of an earlier day only its own
    entries are told.
    """
    found = NotInFigures(of_day=OpenEntries(), earlier=OpenEntries(), late=[])
    late: dict[datetime.date, LateArrivals] = {}
    groups = _by_day(open_entries(shop_id=shop.pk))
    if day == today:
        midnight = datetime.datetime.combine(today, datetime.time(), tzinfo=ZoneInfo(shop.timezone))
        # By the till: the index of what tills had lately is theirs. Of the shop it would be all that it ever sold.
        arrived = SaleOutcome.objects.filter(terminal_id__in=terminal_ids, at__gte=midnight, status__in=RECORDED)
        groups = groups.union(_by_day(arrived.filter(shop=shop, business_day__lt=today)), all=True)
    else:
        groups = groups.filter(business_day=day)
    for group in groups:
        of = group["business_day"]
        if group["status"] not in NEEDS_A_PERSON:
            late.setdefault(of, LateArrivals(of)).add(group)
        else:
            (found.earlier if of is not None and of < day else found.of_day).add(group)
    found.late.extend(late[of] for of in sorted(late, reverse=True))
    return found


def _by_day(outcomes: QuerySet[SaleOutcome]) -> QuerySet:
    sums = {"count": Count("*"), "amount_count": Count("amount"), "amount": Sum("amount"), "last_at": Max("at")}
    return outcomes.values("status", "business_day", "currency").annotate(**sums).order_by()


def pauses(*, shop: Shop, terminal_ids: list[int]) -> list[Pause]:
    """Return what stops this shop's posting, oldest first: everywhere, the shop, or one of these tills of it.

    A pause of a till names no shop, so it is told by the till: another shop's is nobody's business here.
    """
    whole_shop = Q(terminal=None) & (Q(shop=None) | Q(shop=shop))
    found = Pause.objects.filter(whole_shop | Q(terminal_id__in=terminal_ids))
    return list(found.select_related("terminal").order_by("since"))
