"""Simulates a month of a small grocery, the same at every run: deliveries, sales, ends of days. Pure functions."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_CEILING, Decimal
from random import Random
from typing import Any

from backend.demo.baskets import CASH, Debt, TillDay, TillName, piece_line
from backend.demo.goods import GOODS, Goods, UnitName
from backend.demo.loader import SERIAL, SILENT_SERIAL, TOKEN_SERIAL
from backend.inventory.comments import Comment, Phrase

SEED = 2024
MAIN = TillName(SERIAL, 1, 0.45)
SECOND = TillName(TOKEN_SERIAL, 2, 0.33)
# This till stops calling: the shop's figures are complete only up to its last heartbeat.
SILENT = TillName(SILENT_SERIAL, 3, 0.22)
TILLS = (MAIN, SECOND, SILENT)
SILENT_DAYS = 2

# Customers a day, from Monday: Wednesday and Saturday are market days.
CUSTOMERS = (34, 36, 46, 35, 42, 58, 28)
# Customers an hour, from seven in the morning to eight in the evening: a small peak at noon, a high one after work.
HOURS = {7: 4, 8: 6, 9: 6, 10: 7, 11: 10, 12: 9, 13: 5, 14: 4, 15: 5, 16: 8, 17: 14, 18: 16, 19: 11}
NOON, EVENING, NIGHT, MORNING = time(13, 30), time(20, 10), time(20, 40), time(8, 15)
MONTH_CLOSED_ON, MONTH_CLOSED_AT = 2, time(9)
FLOAT_CDF = 20_000
# SHORT_DAY days ago, SHORT_CDF was missing from the main till's drawer.
SHORT_DAY, SHORT_CDF = 5, 1_500
OTHER_SHOPS_ARTICLE = {"article_id": 999, "quantite": 1, "prix_unitaire": 50000}


@dataclass(frozen=True, slots=True)
class Step:
    at: datetime


@dataclass(frozen=True, slots=True)
class Delivery(Step):
    unit: UnitName
    quantity: Decimal
    reference: str
    comment: str | Phrase


@dataclass(frozen=True, slots=True)
class Opening(Step):
    unit: UnitName
    count: int


@dataclass(frozen=True, slots=True)
class Handover(Step):
    """A till posts its sales, and then sends a heartbeat that says it holds nothing more."""

    till: TillName
    body: bytes


@dataclass(frozen=True, slots=True)
class DayEnd(Step):
    till: TillName
    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class MonthEnd(Step):
    year: int
    month: int


def make_steps(*, until: datetime, days: int) -> list[Step]:
    """Return the steps of `days` days, in order, up to `until` (aware, in the shop's time zone)."""
    return _Story(until=until, days=days, rng=Random(SEED)).steps()


class _Story:
    def __init__(self, *, until: datetime, days: int, rng: Random) -> None:
        self.until = until
        self.rng = rng
        self.days = [until.date() - timedelta(days=back) for back in reversed(range(days))]
        self.debts: dict[TillName, list[Debt]] = defaultdict(list)
        self.till_days: dict[date, list[TillDay]] = {}

    def steps(self) -> list[Step]:
        for day in self.days:
            self.till_days[day] = self._sell(day)
        steps = [*self._deliveries(), *self._month_ends()]
        for day, till_days in self.till_days.items():
            for till_day in till_days:
                steps += self._handovers(day, till_day)
                steps += self._day_end(day, till_day)
        # The sort is stable: of two steps at one moment, a delivery comes before the opening of its carton.
        return sorted((step for step in steps if step.at <= self.until), key=lambda step: step.at)

    def at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, tzinfo=self.until.tzinfo)

    def ago(self, day: date) -> int:
        return (self.until.date() - day).days

    def _sell(self, day: date) -> list[TillDay]:
        till_days = [TillDay(till, day, self.rng) for till in TILLS]
        for till_day in till_days:
            self._settle_debts(till_day)
        for at, till_day in self._customers(day, till_days):
            is_time_for_trouble = self.ago(day) == 1 and till_day.till is SECOND and at.time() > NOON
            if is_time_for_trouble and not till_day.has_trouble:
                self._trouble(till_day)
            if self._serves(till_day.till, at):
                till_day.sell(at)
        for till_day in till_days:
            self.debts[till_day.till] += till_day.debts
            till_day.documents.sort(key=lambda document: document.at)
        return till_days

    def _customers(self, day: date, till_days: list[TillDay]) -> list[tuple[datetime, TillDay]]:
        """Return each customer's time and till, in order of time, so that a till's numbers rise with its day."""
        weights = [till.share for till in TILLS]
        count = round(CUSTOMERS[day.weekday()] * self.rng.uniform(0.9, 1.12))
        customers = []
        for hour in self.rng.choices(tuple(HOURS), tuple(HOURS.values()), k=count):
            at = self.at(day, time(hour, self.rng.randrange(60), self.rng.randrange(60)))
            customers.append((at, self.rng.choices(till_days, weights)[0]))
        return sorted(customers, key=lambda customer: customer[0])

    def _serves(self, till: TillName, at: datetime) -> bool:
        if till is SILENT and at > self.at(self.until.date() - timedelta(days=SILENT_DAYS), NOON):
            return False
        return at < self.until - timedelta(minutes=5)

    def _settle_debts(self, till_day: TillDay) -> None:
        due = [debt for debt in self.debts[till_day.till] if debt.due == till_day.day]
        for minute, debt in enumerate(due):
            at = self.at(till_day.day, time(10, minute))
            # A third of the debts is not paid.
            if self.rng.random() < 2 / 3 and self._serves(till_day.till, at):
                till_day.settle(debt, at)

    def _trouble(self, till_day: TillDay) -> None:
        """Send what the shop must correct: more than the stock, another shop's article, a number used before."""
        used = next(document.number for document in reversed(till_day.documents) if document.basket)
        till_day.unusual(self.at(till_day.day, time(13, 24)), piece_line("EAU15", 400))
        till_day.unusual(self.at(till_day.day, time(13, 26)), OTHER_SHOPS_ARTICLE)
        till_day.unusual(self.at(till_day.day, time(13, 28)), piece_line("SAT01", 2), numero_facture=used)

    def _handovers(self, day: date, till_day: TillDay) -> Iterator[Step]:
        """Hand over twice a day. The second till's evenings of Sunday and yesterday arrive the morning after."""
        cuts = [(self.at(day, NOON), self.at(day, NOON)), (self.at(day, EVENING), self.at(day, EVENING))]
        is_late = till_day.till is SECOND and (day.weekday() == 6 or self.ago(day) == 1)
        morning = self.at(day + timedelta(days=1), MORNING)
        if is_late and morning < self.until:
            cuts[1] = (cuts[1][0], morning)
        if day == self.until.date():
            # Early enough for the last till, which hands over len(TILLS) - 1 minutes later.
            last = self.until - timedelta(minutes=len(TILLS))
            cuts = [(cut, sent) for cut, sent in cuts if sent < last] + [(last, last)]
        left = till_day.documents
        for cut, sent_at in cuts:
            ready = [document.wire for document in left if document.at <= cut]
            left = [document for document in left if document.at > cut]
            if ready:
                # A minute apart, so that no two tills post at the same moment.
                at = sent_at + timedelta(minutes=TILLS.index(till_day.till))
                yield Handover(at, till_day.till, json.dumps(ready, ensure_ascii=False).encode())

    def _day_end(self, day: date, till_day: TillDay) -> Iterator[Step]:
        if not till_day.documents or day == self.until.date() or (till_day.till is SILENT and self.ago(day) == 2):
            return
        if till_day.till is SECOND and self.ago(day) == 1:
            # Left open, so that a visitor can close this day.
            return
        is_late = till_day.till is SECOND and day.weekday() == 6
        at = self.at(day + timedelta(days=1), time(8, 30)) if is_late else self.at(day, NIGHT)
        cash: dict[str, Decimal] = defaultdict(Decimal, CDF=Decimal(FLOAT_CDF))
        for document in till_day.documents:
            for (mode, currency), amount in document.moves.items():
                cash[currency] += amount if mode == CASH else 0
        if till_day.till is MAIN and self.ago(day) == SHORT_DAY:
            cash["CDF"] -= SHORT_CDF
        yield DayEnd(at, till_day.till, {
            "jour": day.isoformat(),
            "ventes": [{"numero_facture": one.number, "montant": str(one.amount)} for one in till_day.documents],
            "caisse": {
                "caissier": till_day.till.cashier["code"],
                "fond_ouverture": [{"devise": "CDF", "montant": str(FLOAT_CDF)}],
                "especes_comptees": [{"devise": one, "montant": str(cash[one])} for one in cash],
            },
        })  # fmt: skip

    def _deliveries(self) -> Iterator[Step]:
        demand: dict[UnitName, dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for day, till_days in self.till_days.items():
            for item in (one for till_day in till_days for document in till_day.documents for one in document.basket):
                demand[item.unit][day] += item.quantity
        for rank, goods in enumerate(GOODS):
            yield from self._deliveries_of(goods, rank, demand[goods.piece], demand[goods.box])

    def _deliveries_of(
        self, goods: Goods, rank: int, pieces: dict[date, Decimal], cartons: dict[date, Decimal]
    ) -> Iterator[Step]:
        """Deliver every few days what will be sold until the next delivery: in parcels, or in cartons to open."""

        parcel = goods.carton.holds if goods.carton else goods.parcel
        brought, needed = Decimal(0), Decimal(goods.left)
        brought_cartons, needed_cartons = Decimal(0), Decimal(2)
        every = 5 + rank % 4
        first = 0
        while first < len(self.days):
            coming = self.days[first : first + every]
            needed += sum(pieces[day] for day in coming)
            needed_cartons += sum(cartons[day] for day in coming)
            parcels = ((needed - brought) / parcel).to_integral_value(ROUND_CEILING)
            at = self.at(coming[0], time(6, 10 + rank))
            reference = f"BL-{coming[0]:%y%m%d}-{rank + 1:02}"
            comment = "Livraison" if first else Comment.FIRST_STOCK()
            if goods.carton:
                more = needed_cartons - brought_cartons + parcels
                if more:
                    yield Delivery(at, goods.box, more, reference, comment)
                if parcels:
                    yield Opening(at + timedelta(seconds=40), goods.box, int(parcels))
                brought_cartons = needed_cartons
            elif parcels:
                yield Delivery(at, goods.piece, parcels * parcel, reference, comment)
            brought += parcels * parcel
            first += every

    def _month_ends(self) -> Iterator[Step]:
        for day in self.days:
            last = day.replace(day=1) - timedelta(days=1)
            if day.day == MONTH_CLOSED_ON and last in self.till_days:
                yield MonthEnd(self.at(day, MONTH_CLOSED_AT), last.year, last.month)
