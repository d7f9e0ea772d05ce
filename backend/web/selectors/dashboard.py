"""What a shop did today, and what is not yet in that."""

import datetime
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import F, Min, Q, Sum

from backend.sales.models import Batch, Pause, Sale, SaleOutcome
from backend.sales.repair import open_entries
from backend.sales.takings import takings_of, to_cents
from backend.shops.models import Shop


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


@dataclass
class OpenEntries:
    """Sales that a person must decide about: in nobody's figures yet."""

    count: int = 0
    without_amount_count: int = 0
    sums: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @property
    def amounts(self) -> list[Amount]:
        return [Amount(amount=amount, currency=currency) for currency, amount in sorted(self.sums.items())]

    def add(self, entry: SaleOutcome) -> None:
        self.count += 1
        if entry.amount is None:
            self.without_amount_count += 1
        else:
            self.sums[entry.currency] += entry.amount


@dataclass(frozen=True)
class ToCorrect:
    today: OpenEntries
    earlier: OpenEntries


@dataclass(frozen=True)
class Waiting:
    """Sales that arrived and are not posted yet."""

    sale_count: int
    since: datetime.datetime | None


def takings_of_day(*, shop: Shop, day: datetime.date) -> Takings:
    """Return the takings of the business day `day`, the shop's own currency first; the rule is sales.takings'.

    A payment of an earlier credit came in today; what a void or a return brought back went out, and is shown apart.
    """
    found = takings_of(Sale.objects.filter(shop=shop, business_day=day))
    by_mode = {key: flow.amount for key, flow in found.came_in.items()}
    refunded: dict[str, Decimal] = defaultdict(Decimal)
    for (currency, _mode), flow in found.went_back.items():
        refunded[currency] += flow.amount
    return Takings(
        sale_count=found.sale_count,
        refunded=[Amount(refunded[c], c) for c in _ordered(refunded, shop=shop) if refunded[c]],
        cash_in=_per_currency(by_mode, shop=shop),
        cash_in_by_mode=_per_mode(by_mode, shop=shop),
        on_credit=[Amount(to_cents(found.owed[c]), c) for c in _ordered(found.owed, shop=shop) if found.owed[c] > 0],
        credit_count=found.credit_count,
    )


def _ordered(currencies: dict[str, Decimal], *, shop: Shop) -> list[str]:
    return sorted(currencies, key=lambda currency: (currency != shop.currency, currency))


def _per_currency(by_mode: dict[tuple[str, str], Decimal], *, shop: Shop) -> list[Amount]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for (currency, _mode), amount in by_mode.items():
        sums[currency] += amount
    # A day without sales still says how much: nothing, in the shop's currency.
    sums = sums or {shop.currency: Decimal(0)}
    return [Amount(amount=sums[currency], currency=currency) for currency in _ordered(sums, shop=shop)]


def _per_mode(by_mode: dict[tuple[str, str], Decimal], *, shop: Shop) -> list[ModeAmount]:
    keys = sorted(by_mode, key=lambda key: (key[0] != shop.currency, key[0], -by_mode[key]))
    return [ModeAmount(amount=by_mode[key], currency=key[0], mode=key[1]) for key in keys]


def to_correct(*, shop: Shop, today: datetime.date) -> ToCorrect:
    """Return what is still to be corrected: of today, and of the days before.

    An entry whose day could not be read counts for today: what is missing must be seen.
    """
    found = ToCorrect(today=OpenEntries(), earlier=OpenEntries())
    for entry in open_entries(shop_id=shop.pk).only("amount", "currency", "business_day"):
        is_earlier = entry.business_day is not None and entry.business_day < today
        (found.earlier if is_earlier else found.today).add(entry)
    return found


def waiting(*, shop: Shop) -> Waiting:
    open_batches = Batch.objects.filter(shop=shop, settled_at=None)
    found = open_batches.aggregate(
        sale_count=Sum(F("sale_count") - F("next_position") + 1),
        since=Min("received_at"),
    )
    return Waiting(sale_count=found["sale_count"] or 0, since=found["since"])


def pauses(*, shop: Shop, terminal_ids: list[int]) -> list[Pause]:
    """Return what stops this shop's posting, oldest first: everywhere, the shop, or one of these tills of it.

    A pause of a till names no shop, so it is told by the till: another shop's is nobody's business here.
    """
    whole_shop = Q(terminal=None) & (Q(shop=None) | Q(shop=shop))
    found = Pause.objects.filter(whole_shop | Q(terminal_id__in=terminal_ids))
    return list(found.select_related("terminal").order_by("since"))
