"""A shop's figures of a day, and what is not in them yet."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping
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
from backend.web.selectors.credits import owed_of_day

# How many days with late arrivals are shown unfolded.
LATE_DAYS_MAX = 3


@dataclass(frozen=True)
class Amount:
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class ModeAmount(Amount):
    mode: str


@dataclass(frozen=True)
class Credit(Amount):
    """What is still owed for a day's sales, in one currency, and how many sales that is."""

    sale_count: int


@dataclass(frozen=True)
class Takings:
    """One day: what was sold, the money that came in and went back, and what is still owed for that day's sales."""

    # The day's sales, without those voided the same day; `baskets`: their average amount, paid or not.
    sale_count: int
    baskets: list[Amount]
    # Sales less voids and returns.
    sold: list[Amount]
    cash_in: list[Amount]
    refunded: list[Amount]
    in_hand: list[Amount]
    in_hand_by_mode: list[ModeAmount]
    credits: list[Credit]


@dataclass
class OpenEntries:
    """Sales that a person must decide about. No figures contain them."""

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
    """Documents recorded today for one earlier day: sales, and voids, returns and payments."""

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
    """What a day's figures do not contain: its entries to correct; for today also earlier ones and late arrivals."""

    of_day: OpenEntries
    earlier: OpenEntries
    # Newest day first.
    late: list[LateArrivals]

    @property
    def latest(self) -> list[LateArrivals]:
        return self.late[:LATE_DAYS_MAX]

    @property
    def late_before(self) -> list[LateArrivals]:
        """Late arrivals of older days, shown folded: a till that was away for weeks has many."""
        return self.late[LATE_DAYS_MAX:]


@dataclass(frozen=True)
class Waiting:
    """Sales that arrived and are not posted yet."""

    sale_count: int
    since: datetime.datetime | None


def takings_shown(found: takings.Takings, *, shop: Shop, day: datetime.date) -> Takings:
    """Return a day's takings as the page shows them, the shop's own currency first. One query, for the credits.

    Came in − went back = in hand, in each currency; in hand is what the closings of the tills compare.
    """
    net = {key: flow.amount for key, flow in found.net().items()}
    sold, standing = found.net_sold(), found.standing()
    went_back = _per_currency(found.went_back, shop=shop)
    owed = owed_of_day(shop=shop, day=day)
    return Takings(
        sale_count=found.sale_count,
        baskets=[_basket(standing[c], c) for c in ordered(standing, shop=shop) if standing[c].documents],
        sold=[Amount(sold[c], c) for c in ordered(sold, shop=shop)] or [Amount(Decimal(0), shop.currency)],
        cash_in=_per_currency(found.came_in, shop=shop) or [Amount(Decimal(0), shop.currency)],
        refunded=[each for each in went_back if each.amount],
        in_hand=_per_currency(found.net(), shop=shop) or [Amount(Decimal(0), shop.currency)],
        in_hand_by_mode=_per_mode(net, shop=shop),
        credits=[Credit(each.amount, each.currency, each.count) for each in owed],
    )


def ordered(currencies: Iterable[str], *, shop: Shop) -> list[str]:
    return sorted(currencies, key=lambda currency: (currency != shop.currency, currency))


def _basket(sold: takings.Flow, currency: str) -> Amount:
    place = Decimal(1) if currency in WITHOUT_CENTS else takings.CENT
    return Amount((sold.amount / sold.documents).quantize(place, rounding=ROUND_HALF_UP), currency)


def _per_currency(flows: Mapping[tuple[str, str], takings.Flow], *, shop: Shop) -> list[Amount]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for (currency, _mode), flow in flows.items():
        sums[currency] += flow.amount
    return [Amount(amount=sums[currency], currency=currency) for currency in ordered(sums, shop=shop)]


def _per_mode(by_mode: dict[tuple[str, str], Decimal], *, shop: Shop) -> list[ModeAmount]:
    keys = sorted(by_mode, key=lambda key: (key[0] != shop.currency, key[0], -by_mode[key]))
    return [ModeAmount(amount=by_mode[key], currency=key[0], mode=key[1]) for key in keys]


def not_in_figures(*, shop: Shop, day: datetime.date, today: datetime.date, terminal_ids: list[int]) -> NotInFigures:
    """Return the entries to correct and the late arrivals, in one query. terminal_ids: all of the shop's tills.

    An entry whose day could not be read counts as today's, so that it is seen. For an earlier day, only its own entries
    are returned.
    """
    found = NotInFigures(of_day=OpenEntries(), earlier=OpenEntries(), late=[])
    late: dict[datetime.date, LateArrivals] = {}
    groups = _by_day(open_entries(shop_id=shop.pk))
    if day == today:
        midnight = datetime.datetime.combine(today, datetime.time(), tzinfo=ZoneInfo(shop.timezone))
        # Filtered by till, whose index has the time of the outcome; by shop, all it ever sold would be read.
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
    """Return the pauses that stop this shop's posting, oldest first: global ones, the shop's, and its tills'.

    A till's pause names no shop, so `terminal_ids`, the shop's tills, keeps other shops' pauses out.
    """
    whole_shop = Q(terminal=None) & (Q(shop=None) | Q(shop=shop))
    found = Pause.objects.filter(whole_shop | Q(terminal_id__in=terminal_ids))
    return list(found.select_related("terminal").order_by("since"))
