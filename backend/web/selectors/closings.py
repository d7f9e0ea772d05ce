"""The closings of the tills' days: what the till, or a person for it, reported, and what is recorded for that day."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from django.db.models import Exists, OuterRef, QuerySet

from backend.db.keyset import KeysetPage, read_page
from backend.sales.days.answers import DIFFERENT
from backend.sales.days.day_closing import TYPED_BY
from backend.sales.models import Sale, SaleOutcome, TillClosing
from backend.sales.money.movements import CASH
from backend.sales.repair.open_entries import open_entries
from backend.shops.models import Shop, Terminal

PAGE_CLOSINGS_MAX = 50
if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

# Of each list a page shows this many; the till's answer has them all.
NUMBERS_SHOWN_MAX = 100
OTHERS_SHOWN_MAX = 20
ZERO = Decimal(0)


class Repeats(TypedDict):
    is_repeated: bool


ShownClosing: TypeAlias = "WithAnnotations[TillClosing, Repeats]"


@dataclass(frozen=True)
class Gap:
    """A drawer's difference in one currency; None where the till did not say what it counted."""

    currency: str
    amount: Decimal | None


@dataclass(frozen=True)
class ClosingRow:
    closing: "ShownClosing"
    # How many numbers are missing, extra, different, waiting or to be corrected.
    number_count: int
    gaps: list[Gap]
    typed_by: str

    @property
    def is_repeated(self) -> bool:
        """Tell whether the same till and cashier closed the same day again later."""
        return self.closing.is_repeated

    @property
    def is_only_uncounted(self) -> bool:
        """Tell whether all that differs is that nobody counted a currency."""
        return (
            self.closing.result == DIFFERENT
            and not self.number_count
            and any(gap.amount is None for gap in self.gaps)
            and not any(gap.amount for gap in self.gaps)
            and _sums_agree(self.closing)
        )


@dataclass(frozen=True)
class Named:
    """A number that the comparison names, with what is recorded under it today."""

    number: str
    sale: Sale | None
    # An entry under this number that still needs a person.
    entry: SaleOutcome | None = None


@dataclass(frozen=True)
class Difference:
    named: Named
    said: Decimal
    recorded: Decimal


@dataclass(frozen=True)
class SumLine:
    """One mode and currency. `said` is None where the till gave no sums."""

    mode: str
    currency: str
    recorded: Decimal
    said: Decimal | None

    @property
    def gap(self) -> Decimal:
        return ZERO if self.said is None else self.said - self.recorded


@dataclass(frozen=True)
class DrawerLine:
    currency: str
    opening: Decimal
    cash_in: Decimal
    paid_out: Decimal
    expected: Decimal
    # None where the till did not say what it counted.
    counted: Decimal | None

    @property
    def gap(self) -> Decimal | None:
        return None if self.counted is None else self.counted - self.expected

    @property
    def went_out(self) -> Decimal:
        return -self.paid_out


@dataclass(frozen=True)
class NumberList:
    """The first numbers of a list, and how many more it has."""

    named: list[Named]
    more_count: int


@dataclass(frozen=True)
class ClosingView:
    row: ClosingRow
    missing: NumberList
    extra: NumberList
    waiting: NumberList
    to_correct: NumberList
    differences: list[Difference]
    differences_more_count: int
    sums: list[SumLine]
    has_said_sums: bool
    has_list: bool
    drawer: list[DrawerLine]
    payouts: list[dict[str, Any]]
    # Other closings of the same till and day, newest first.
    others: list[TillClosing]

    @property
    def closing(self) -> TillClosing:
        return self.row.closing


def closings_page(
    *,
    shop: Shop,
    terminal_id: int | None = None,
    day: datetime.date | None = None,
    cursor: str | None = None,
) -> "KeysetPage[ShownClosing]":
    """Return a page of the shop's closings, latest day first. Raises BadCursor."""
    closings = _with_repeats(TillClosing.objects.filter(shop=shop).select_related("terminal", "shop"))
    if terminal_id is not None:
        closings = closings.filter(terminal_id=terminal_id)
    if day is not None:
        closings = closings.filter(day=day)
    return read_page(closings, by="day", cursor=cursor, size=PAGE_CLOSINGS_MAX)


def row_of(closing: "ShownClosing") -> ClosingRow:
    answered = closing.answered
    lists = ("manquantes", "en_trop", "differentes", "en_attente", "a_corriger")
    return ClosingRow(
        closing=closing,
        number_count=sum(len(answered[name]) for name in lists),
        gaps=[Gap(line.currency, line.gap) for line in drawer_lines(closing)],
        typed_by=closing.said.get(TYPED_BY, ""),
    )


def tills_left_open(*, shop: Shop, day: datetime.date) -> list[Terminal]:
    """Return the tills with documents of this till day that has not been closed."""
    sold = Sale.objects.filter(terminal_id=OuterRef("pk"), till_day=day, shop_id=shop.pk)
    closed = TillClosing.objects.filter(shop=shop, day=day).values("terminal_id")
    return list(Terminal.objects.filter(Exists(sold), shop=shop).exclude(pk__in=closed).order_by("name", "pk"))


def closing_of_shops(*, closing_id: int, shop_ids: list[int]) -> "ShownClosing | None":
    closings = _with_repeats(TillClosing.objects.filter(pk=closing_id, shop_id__in=shop_ids))
    return closings.select_related("terminal", "shop", "device").first()


def closing_view(closing: "ShownClosing") -> ClosingView:
    """Return the closing with what is recorded today under the numbers that it names. Four more queries."""
    answered, said = closing.answered, closing.said
    differing = answered["differentes"][:NUMBERS_SHOWN_MAX]
    named = {difference["numero_facture"] for difference in differing}
    for name in ("manquantes", "en_trop", "en_attente", "a_corriger"):
        named.update(answered[name][:NUMBERS_SHOWN_MAX])
    sales = _sales_under(closing, named)
    entries = _entries_under(closing, named)

    def look_up(number: str) -> Named:
        return Named(number=number, sale=sales.get(number), entry=entries.get(number))

    def listed(name: str) -> NumberList:
        numbers = answered[name]
        shown = [look_up(number) for number in numbers[:NUMBERS_SHOWN_MAX]]
        return NumberList(named=shown, more_count=len(numbers) - len(shown))

    others = TillClosing.objects.filter(shop_id=closing.shop_id, day=closing.day, terminal_id=closing.terminal_id)
    return ClosingView(
        row=row_of(closing),
        missing=listed("manquantes"),
        extra=listed("en_trop"),
        waiting=listed("en_attente"),
        to_correct=listed("a_corriger"),
        differences=[
            Difference(
                look_up(each["numero_facture"]), Decimal(each["montant_caisse"]), Decimal(each["montant_serveur"])
            )
            for each in differing
        ],
        differences_more_count=len(answered["differentes"]) - len(differing),
        sums=_sums(closing),
        has_said_sums=said.get("totaux") is not None,
        has_list=said.get("ventes") is not None,
        drawer=drawer_lines(closing),
        payouts=payouts_of(closing),
        others=list(others.exclude(pk=closing.pk).order_by("-pk")[:OTHERS_SHOWN_MAX]),
    )


def _with_repeats(closings: QuerySet[TillClosing]) -> "QuerySet[ShownClosing]":
    same = {name: OuterRef(name) for name in ("shop_id", "day", "terminal_id", "cashier")}
    return closings.annotate(is_repeated=Exists(TillClosing.objects.filter(**same, pk__gt=OuterRef("pk"))))


def _sales_under(closing: TillClosing, numbers: Iterable[str]) -> dict[str, Sale]:
    own = {"terminal_id": closing.terminal_id, "shop_id": closing.shop_id}
    # The first variant stands for the number; its page names the others.
    found = Sale.objects.filter(**own, number__in=list(numbers)).order_by("-variant")
    return {sale.number: sale for sale in found}


def _entries_under(closing: TillClosing, numbers: Iterable[str]) -> dict[str, SaleOutcome]:
    entries = open_entries(shop_id=closing.shop_id, terminal_id=closing.terminal_id)
    return {entry.number: entry for entry in entries.filter(number__in=list(numbers)).order_by("batch_id", "position")}


def _sums(closing: TillClosing) -> list[SumLine]:
    """Return our sums beside the till's. A mode that the till leaves out of its sums counts as zero."""
    shop_currency = closing.shop.currency
    given = closing.said.get("totaux")
    said = {
        (each.get("devise") or shop_currency, each["mode"].upper()): Decimal(each["montant"]) for each in given or ()
    }
    recorded = {(each["devise"], each["mode"]): Decimal(each["montant"]) for each in closing.answered["totaux"]}
    return [
        SumLine(
            mode=mode,
            currency=currency,
            recorded=recorded.get((currency, mode), ZERO),
            said=None if given is None else said.get((currency, mode), ZERO),
        )
        for currency, mode in sorted(
            {*said, *recorded}, key=lambda key: (key[0] != shop_currency, key[0], key[1] != CASH, key)
        )
    ]


def _sums_agree(closing: TillClosing) -> bool:
    said = {
        (each.get("devise") or closing.shop.currency, each["mode"].upper()): each.get("nombre")
        for each in closing.said.get("totaux") or ()
    }
    counts = {(each["devise"], each["mode"]): each["nombre"] for each in closing.answered["totaux"]}
    return not any(line.gap for line in _sums(closing)) and all(
        count in (None, counts.get(key, 0)) for key, count in said.items()
    )


def drawer_lines(closing: TillClosing) -> list[DrawerLine]:
    """Return the drawer as the closing compared it, a line a currency.

    Answers of older versions do not say which currencies were not counted; what the till said does.
    """
    drawer = closing.said.get("caisse") or {}
    opening = _by_currency(drawer.get("fond_ouverture"), closing)
    paid_out = _by_currency(drawer.get("sorties"), closing)
    counted = _by_currency(drawer.get("especes_comptees"), closing)
    lines = []
    for line in closing.answered["caisse"]:
        currency, expected = line["devise"], Decimal(line["attendu"])
        first, out = opening.get(currency, ZERO), paid_out.get(currency, ZERO)
        lines.append(
            DrawerLine(
                currency=currency,
                opening=first,
                cash_in=expected - first + out,
                paid_out=out,
                expected=expected,
                counted=Decimal(line["compte"]) if currency in counted else None,
            )
        )
    return lines


def payouts_of(closing: TillClosing) -> list[dict[str, Any]]:
    listed = (closing.said.get("caisse") or {}).get("sorties") or []
    return [
        {
            "reason": payout.get("motif") or "",
            "amount": Decimal(payout["montant"]),
            "currency": payout.get("devise") or closing.shop.currency,
        }
        for payout in listed
    ]


def _by_currency(listed: list[dict[str, Any]] | None, closing: TillClosing) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for amount in listed or ():
        currency = amount.get("devise") or closing.shop.currency
        sums[currency] = sums.get(currency, ZERO) + Decimal(amount["montant"])
    return sums
