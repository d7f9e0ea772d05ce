"""A shop in plain Python, without a database: it decides what tills send by the promises and the tills' contract.

It is written from these and not from the code, and does everything in the simplest way: with dictionaries, and with
exact fractions until an amount is rounded. Where it and the real system disagree, one of them is wrong.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.properties import money
from tests.properties.arithmetic import Refused, half_up
from tests.properties.money import Money, Movement, Place

Wire = dict[str, Any]

RECORDED_AS = {"vente": "created", "annulation": "voided", "retour": "returned", "paiement": "paid"}
NOT_YET = ("rejected", "conflict", "deferred", "failed")
PAST_DAYS_MAX, FUTURE_DAYS_MAX = 40, 1


@dataclass(eq=False)
class Unit:
    uuid: str
    article: "Article"
    level: str
    mark: str
    stock: Decimal = Decimal(0)
    holds: Decimal | None = None


@dataclass(eq=False)
class Article:
    id: int
    uuid: str
    name: str
    units: dict[str, Unit] = field(default_factory=dict)  # by level
    base: Unit | None = None


@dataclass(eq=False)
class Line:
    """A document's line, with the names of that time."""

    unit: Unit
    name: str
    mark: str
    quantity: Decimal
    total: Decimal
    returned: Decimal = Decimal(0)

    def worth(self, quantity: Decimal) -> Decimal:
        return half_up(Fraction(self.total) * Fraction(quantity) / Fraction(self.quantity))


@dataclass(eq=False)
class Document:
    kind: str
    till: "Till"
    device: str
    number: str
    variant: int
    content: tuple
    currency: str
    total: Decimal
    lines: list[Line]
    day: date
    movements: list[Movement]
    warnings: set[str]  # those about money
    is_paid: bool = True  # nothing is owed, whatever came in
    mode: str = ""
    origin: "Document | None" = None
    followers: list["Document"] = field(default_factory=list)
    came_back: Decimal = Decimal(0)  # goods, in money
    is_voided: bool = False
    registered: str = ""

    @property
    def standing(self) -> list[Movement]:
        """Return the money of a sale and of all that followed it."""
        return [one for document in (self, *self.followers) for one in document.movements]

    @property
    def owed(self) -> Decimal:
        """Return a sale's total less what was paid and what came back; 0 if the till said paid, or it was voided."""
        if self.kind != "vente" or self.is_paid or self.is_voided:
            return Decimal(0)
        return max(Decimal(0), self.total - self.came_back - money.value_of(self.standing))

    def worth_back(self, more: "Counter[Line] | None" = None) -> Decimal:
        """Return the worth of all that has come back, and of `more`: the discount is shared out over the lines."""
        gross = sum(line.total for line in self.lines)
        if not gross:
            return Decimal(0)
        back = sum(line.worth(line.returned + (more[line] if more else 0)) for line in self.lines)
        return half_up(Fraction(back) * Fraction(self.total) / Fraction(gross))


@dataclass(eq=False)
class Outcome:
    status: str
    code: str = ""
    document: Document | None = None
    awaits: str = ""


@dataclass(eq=False)
class Batch:
    id: int
    device: str
    arrived: date  # the shop's day
    sales: list[Wire]
    outcomes: list[Outcome] = field(default_factory=list)


@dataclass(eq=False)
class Till:
    id: int
    is_office: bool = False  # the shop's own pages
    batches: list[Batch] = field(default_factory=list)
    documents: dict[str, list[Document]] = field(default_factory=dict)  # by number, variant after variant

    @property
    def unsettled(self) -> list[Batch]:
        return [batch for batch in self.batches if len(batch.outcomes) < len(batch.sales)]

    @property
    def waiting(self) -> int:
        return sum(len(batch.sales) - len(batch.outcomes) for batch in self.batches)


class Shop:
    """Tills, articles, a register; `refuses`: the shop refuses to sell below zero stock."""

    def __init__(self, *, code: str, currency: str, currencies: set[str], refuses: bool) -> None:
        self.code, self.currency, self.currencies, self.refuses = code, currency, currencies, refuses
        self.tills: dict[int, Till] = {}
        self.articles: dict[int, Article] = {}
        self.units: dict[str, Unit] = {}
        self.register: Counter[str] = Counter()  # by month
        self.closed_months: set[str] = set()

    # What tills do.

    def receive(self, till: Till, *, batch_id: int, device: str, arrived: date, sales: list[Wire]) -> None:
        till.batches.append(Batch(batch_id, device, arrived, sales))

    def post_next(self, till: Till) -> None:
        """Decide the till's next sale, in the order of its batches, then of their sales."""
        batch = till.unsettled[0]
        outcome = self._decide(till, batch, batch.sales[len(batch.outcomes)])
        batch.outcomes.append(outcome)
        self._take_effect(till, outcome)

    def try_again(self, till: Till, batch: Batch, position: int) -> None:
        """Decide a sale again unless it is recorded, a duplicate or set aside."""
        if batch.outcomes[position - 1].status in NOT_YET:
            batch.outcomes[position - 1] = self._decide(till, batch, batch.sales[position - 1])
            self._take_effect(till, batch.outcomes[position - 1])

    def _take_effect(self, till: Till, outcome: Outcome) -> None:
        """Decide the followers of a recorded document, then their followers; then number them all, in that order."""
        recorded = [outcome.document] if outcome.status in RECORDED_AS.values() else []
        for document in recorded:
            for batch, at in self._waiting_for(till, document.number):
                batch.outcomes[at] = self._decide(till, batch, batch.sales[at])
                if batch.outcomes[at].status in RECORDED_AS.values():
                    recorded.append(batch.outcomes[at].document)
        for document in recorded:
            self._number(document)

    def _waiting_for(self, till: Till, number: str) -> list[tuple[Batch, int]]:
        return [
            (batch, at)
            for batch in till.batches
            for at, outcome in enumerate(batch.outcomes)
            if outcome.status == "deferred" and outcome.awaits == number
        ]

    def _number(self, document: Document) -> None:
        month = f"{document.day:%Y%m}"
        self.register[month] += 1
        document.registered = f"FAC-{self.code}-{month}-{self.register[month]:06}"

    def _decide(self, till: Till, batch: Batch, wire: Wire) -> Outcome:
        try:
            document = self._record(till, batch, wire, day=self._day(wire, batch.arrived))
        except Refused as refusal:
            awaits = str(wire["origine"]["numero_facture"]) if refusal.status == "deferred" else ""
            return Outcome(refusal.status, refusal.code, refusal.document, awaits)
        if document.origin is not None:
            document.origin.followers.append(document)
        till.documents.setdefault(document.number, []).append(document)
        return Outcome(RECORDED_AS[document.kind], document=document)

    def _record(self, till: Till, batch: Batch, wire: Wire, *, day: date) -> Document:
        kind = wire.get("type", "vente")
        if kind not in RECORDED_AS:
            raise Refused("type_inconnu")
        check_amounts(wire, kind)
        variant = self._variant(till, batch.device, wire)
        start = {
            "kind": kind,
            "till": till,
            "device": batch.device,
            "number": wire["numero_facture"],
            "variant": variant,
            "content": content_of(wire),
            "day": day,
        }
        if kind == "vente":
            return self._sell(wire, start)
        origin = self._origin(till, batch.device, wire["origine"])
        if origin.is_voided:
            raise Refused("deja_annulee")
        start |= {"origin": origin, "currency": origin.currency}
        return {"annulation": self._void, "retour": self._bring_back, "paiement": self._pay}[kind](wire, start)

    def _variant(self, till: Till, device: str, wire: Wire) -> int:
        """Before the shop's rules: is it a duplicate, is its number taken, or is it the next variant?"""
        known = till.documents.get(wire["numero_facture"], [])
        for document in known:
            if document.content == content_of(wire) or self._only_names_differ(document, wire):
                raise Refused("deja_existante", "duplicate", document)
        for document in known:
            if document.device == device:
                raise Refused("numero_deja_pris", "conflict", document)
        return len(known) + 1

    def _only_names_differ(self, known: Document, wire: Wire) -> bool:
        """An updated till may name units differently: the units that it means are compared with those sold."""
        if known.kind != "vente" or nameless(known.content) != nameless(content_of(wire)):
            return False
        try:
            units = [self._unit(line) for line in wire["lignes"]]
        except Refused:
            return False
        return units == [line.unit for line in known.lines]

    def _unit(self, line: Wire) -> Unit:
        """Return a unit by its uuid, or an article's base unit; of this shop only."""
        named = self.units.get(line["unite_uuid"]) if "unite_uuid" in line else None
        if "unite_uuid" in line and named is None:
            raise Refused("unite_inconnue")
        if "article_id" not in line:
            return named
        article = self.articles.get(line["article_id"])
        if article is None:
            raise Refused("article_inconnu")
        if named is not None and named.article is not article:
            raise Refused("unite_ambigue")
        return named or article.base

    def _sell(self, wire: Wire, start: dict[str, Any]) -> Document:
        currency = wire.get("devise", self.currency)
        if currency not in self.currencies:
            raise Refused("devise_inconnue")
        total = sale_total(wire)
        moved = money.money_of_sale(wire, total=total, currency=currency, currencies=self.currencies)
        lines = []
        for sent in wire["lignes"]:
            unit = self._unit(sent)
            lines.append(
                Line(unit, unit.article.name, unit.mark, half_up(Decimal(sent["quantite"]), 3), line_total(sent))
            )
        left = {line.unit: line.unit.stock for line in lines}
        for line in lines:
            left[line.unit] -= line.quantity
            if self.refuses and left[line.unit] < 0:
                raise Refused("stock_insuffisant")
        placed = self._placed(moved, wire, start)
        for unit, stock in left.items():
            unit.stock = stock
        return Document(
            **start,
            **placed,
            currency=currency,
            total=total,
            lines=lines,
            is_paid=money.is_paid(wire),
            mode=money.mode_of(wire),
        )

    def _placed(self, moved: Money, wire: Wire, start: dict[str, Any]) -> dict[str, Any]:
        """Put money into the drawer that it passed through: the till's and its cashier's, or the one a page chose."""
        till, day = start["till"], start["day"]
        chosen = wire.get("tiroir", {}) if till.is_office else {}
        till_day = date.fromisoformat(wire["date_vente"]) if "date_vente" in wire else day
        place = Place(till.id, money.cashier_of(wire), till_day, day)
        if "caisse" in chosen:
            if chosen["caisse"] not in self.tills:
                raise Refused("champ_invalide")
            place = Place(chosen["caisse"], chosen.get("caissier", ""), till_day, day)
        movements = [one if one.place else replace(one, place=place) for one in moved.movements]
        return {"movements": movements, "warnings": moved.warnings}

    def _origin(self, till: Till, device: str, origin: Wire) -> Document:
        """Return the sale with a till's own number, or with a number of the shop's register."""
        if "numero_facture" in origin:
            known = till.documents.get(origin["numero_facture"], [])
            if not known:
                raise Refused("origine_inconnue", "deferred")
            meant = [document for document in known if document.device == device] or known
            if len(meant) > 1:
                raise Refused("origine_ambigue")
            found = meant[0]
        else:
            wanted = origin["numero_enregistrement"]
            found = next((document for document in self.documents() if document.registered == wanted), None)
        if found is None or found.kind != "vente":
            raise Refused("origine_invalide")
        return found

    def _void(self, wire: Wire, start: dict[str, Any]) -> Document:
        """Bring back what the sale took less what came back, to the same units, whatever their names are now."""
        origin = start["origin"]
        back = [(line, line.quantity - line.returned) for line in origin.lines if line.returned < line.quantity]
        if start["till"].is_office and wire.get("tiroir", {}).get("origine"):
            moved = Money([self._in_open_month(one, start) for one in money.undone_in_place(origin.standing)], set())
        else:
            moved = money.money_of_void(wire, origin.standing, currency=origin.currency, currencies=self.currencies)
        document = self._take_back(back, start, self._placed(moved, wire, start))
        origin.is_voided = True
        return document

    def _in_open_month(self, one: Movement, start: dict[str, Any]) -> Movement:
        if f"{one.place.day:%Y%m}" in self.closed_months:
            return replace(one, place=replace(one.place, day=start["day"]))
        return one

    def _bring_back(self, wire: Wire, start: dict[str, Any]) -> Document:
        origin, back = start["origin"], []
        asked: Counter[Line] = Counter()
        for sent in wire["lignes"]:
            if not 1 <= sent["ligne"] <= len(origin.lines):
                raise Refused("origine_invalide")
            line, quantity = origin.lines[sent["ligne"] - 1], half_up(Decimal(sent["quantite"]), 3)
            asked[line] += quantity
            if asked[line] > line.quantity - line.returned:
                raise Refused("retour_excessif")
            back.append((line, quantity))
        worth = origin.worth_back(asked) - origin.came_back
        # First it lessens what is owed; the rest is given back, at most what was paid.
        due = max(Decimal(0), min(worth - origin.owed, money.value_of(origin.standing)))
        moved = money.money_of_return(
            wire,
            origin.standing,
            due=due,
            currency=origin.currency,
            currencies=self.currencies,
            sale_mode=origin.mode,
        )
        return self._take_back(back, start, self._placed(moved, wire, start))

    def _take_back(self, back: list[tuple[Line, Decimal]], start: dict[str, Any], placed: dict[str, Any]) -> Document:
        origin, lines = start["origin"], []
        for line, quantity in back:
            before = line.worth(line.returned)
            line.returned += quantity
            line.unit.stock += quantity
            lines.append(Line(line.unit, line.name, line.mark, quantity, line.worth(line.returned) - before))
        worth = origin.worth_back()
        total, origin.came_back = worth - origin.came_back, worth
        return Document(**start, **placed, total=total, lines=lines)

    def _pay(self, wire: Wire, start: dict[str, Any]) -> Document:
        origin = start["origin"]
        moved = money.money_of_payment(wire, currency=origin.currency, currencies=self.currencies, owed=origin.owed)
        return Document(**start, **self._placed(moved, wire, start), total=money.value_of(moved.movements), lines=[])

    def _day(self, wire: Wire, arrived: date) -> date:
        """Return the till's own day if it is plausible and its month is open, else the day of arrival."""
        day = date.fromisoformat(wire["date_vente"]) if "date_vente" in wire else arrived
        is_believed = timedelta(days=-PAST_DAYS_MAX) <= day - arrived <= timedelta(days=FUTURE_DAYS_MAX)
        return day if is_believed and f"{day:%Y%m}" not in self.closed_months else arrived

    def documents(self) -> Iterator[Document]:
        for till in self.tills.values():
            for variants in till.documents.values():
                yield from variants

    # What people do.

    def move(self, unit: Unit, quantity: Decimal, movement_type: str) -> None:
        """An exit takes at most what there is, if the shop refuses more; a count is never below zero."""
        after = unit.stock + quantity
        if quantity < 0 and after < 0:
            if movement_type == "AJUSTEMENT":
                raise Refused("compte_negatif")
            if self.refuses:
                raise Refused("stock_insuffisant")
        unit.stock = after

    def open(self, unit: Unit, count: int) -> None:
        """Open cartons into the next smaller unit that the article has."""
        levels = ("CARTON", "MILLIER", "PIECE")
        below = levels[levels.index(unit.level) + 1 :]
        smaller = next((unit.article.units[level] for level in below if level in unit.article.units), None)
        if smaller is None:
            raise Refused("pas_d_unite_plus_petite")
        if not unit.holds:
            raise Refused("contenance_inconnue")
        if unit.stock < count:
            raise Refused("stock_insuffisant")
        unit.stock -= count
        smaller.stock += count * unit.holds


def line_total(line: Wire) -> Decimal:
    """Return quantity × price less discount, each rounded as it is stored; the product half-up, line by line."""
    quantity, price = half_up(Decimal(line["quantite"]), 3), half_up(Decimal(line["prix_unitaire"]))
    return half_up(Fraction(quantity) * Fraction(price)) - half_up(Decimal(line.get("remise", 0)))


def sale_total(wire: Wire) -> Decimal:
    return sum(line_total(line) for line in wire["lignes"]) - half_up(Decimal(wire.get("remise", 0)))


def check_amounts(wire: Wire, kind: str) -> None:
    """Refuse a sale that is malformed for every shop."""
    lines = wire.get("lignes", [])
    is_wrong = any(half_up(Decimal(line["quantite"]), 3) <= 0 for line in lines)
    if kind == "paiement":
        is_wrong = half_up(Decimal(wire["montant"])) <= 0
    if kind == "vente":
        is_wrong = is_wrong or any(line_total(line) < 0 for line in lines) or sale_total(wire) < 0
    if is_wrong:
        raise Refused("champ_invalide")


def content_of(wire: Wire) -> tuple:
    """Return what makes two sales under one number equal: numbers compare as numbers, absent fields stay absent."""
    kind = wire.get("type", "vente")
    lines = [
        (
            tuple(sorted((name, line[name]) for name in ("unite_uuid", "article_id", "ligne") if name in line)),
            *(_number(line, name) for name in ("quantite", "prix_unitaire", "remise")),
        )
        for line in wire.get("lignes", [])
    ]
    return (
        kind,
        tuple(wire.get("origine", {}).items()),
        wire.get("date_vente"),
        wire.get("devise"),
        _number(wire, "remise"),
        _number(wire, "montant") if kind == "paiement" else None,
        tuple(lines),
    )


def nameless(content: tuple) -> tuple:
    """Return the content without the keys of the lines' units."""
    return *content[:-1], tuple(numbers for _, *numbers in content[-1])


def _number(wire: Wire, name: str) -> Decimal | None:
    return Decimal(wire[name]) if name in wire else None
