"""The documents of a simulated till: what a small grocery's customers buy, pay, return and owe. Pure functions."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from backend.demo.goods import GOODS, VAT_RATE, Goods, UnitName
from backend.inventory.models import UnitLevel

USD_RATE = 2850
USD_NOTE = 5
CASH, MOBILE = "CASH", "MOBILE_MONEY"
# Invented labels, not names of people.
CREDIT_CUSTOMERS = tuple(f"Client à crédit {number}" for number in range(1, 7))
WEIGHTS_KG = ("0.5", "1", "1", "1.5", "2", "3", "5")
CARTON_SHARE, DISCOUNT_SHARE, CREDIT_SHARE, USD_SHARE, MOBILE_SHARE = 0.03, 0.05, 0.03, 0.25, 0.30
VOID_SHARE, RETURN_SHARE = 0.015, 0.02
DISCOUNT_STEP = 50
PAID_BACK_SHARE = 0.6
# No goods are returned after this time, because the tills hand over.
SHUT = time(20, 5)


@dataclass(frozen=True, slots=True)
class TillName:
    """A simulated till: its device, the digit in its numbers, its cashier, and its share of the customers."""

    serial: str
    digit: int
    share: float

    @property
    def cashier(self) -> dict[str, str]:
        return {"code": f"C{self.digit}", "nom": f"Caisse {self.digit}"}


@dataclass(frozen=True, slots=True)
class BasketLine:
    """One line of a basket."""

    unit: UnitName
    quantity: Decimal
    price: int
    discount: int = 0

    @property
    def total(self) -> Decimal:
        return self.quantity * self.price - self.discount


@dataclass(frozen=True, slots=True)
class Document:
    """What a till sends, its amount, the money that it moved by (mode, currency), and the units that it takes."""

    at: datetime
    wire: dict[str, Any]
    amount: Decimal
    moves: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    basket: tuple[BasketLine, ...] = ()

    @property
    def number(self) -> str:
        return self.wire["numero_facture"]


@dataclass(frozen=True, slots=True)
class Debt:
    sale: Document
    due: date


class TillDay:
    """One till's day, document by document."""

    def __init__(self, till: TillName, day: date, rng: Random) -> None:
        self.till = till
        self.day = day
        self.rng = rng
        self.documents: list[Document] = []
        self.debts: list[Debt] = []
        self.has_trouble = False
        self._counts: dict[str, int] = {}

    def sell(self, at: datetime) -> None:
        """Sell to one customer; sometimes a void or a return follows on the same day."""
        basket = self._basket()
        sale = self._sale(at, basket)
        self.documents.append(sale)
        # Sales in dollars or on credit are not undone, nor sales of scarce goods, so that those run out as planned.
        may_come_back = list(sale.moves) in ([(CASH, "CDF")], [(MOBILE, "CDF")]) and not any(map(is_scarce, basket))
        later = at + timedelta(minutes=self.rng.randint(4, 50))
        chance = self.rng.random()
        if not may_come_back or later.time() > SHUT:
            return
        if chance < VOID_SHARE:
            self._void(later, sale)
        elif chance < VOID_SHARE + RETURN_SHARE and not sale.wire.get("remise"):
            self._bring_back(later, sale)

    def settle(self, debt: Debt, at: datetime) -> None:
        """Take a payment of a customer's debt: all of it, or half."""
        amount = debt.sale.amount if self.rng.random() < PAID_BACK_SHARE else debt.sale.amount // 2
        wire = self._wire("PAI", at, type="paiement", montant=str(amount), mode_paiement=CASH, **_follows(debt.sale))
        self.documents.append(Document(at, wire, amount, {(CASH, "CDF"): amount}))

    def unusual(self, at: datetime, line: dict[str, Any], **fields: Any) -> None:
        """Send a sale that the server will not record: it moves neither money nor goods there."""
        self.has_trouble = True
        wire = self._wire("FAC", at, lignes=[line], **fields)
        self.documents.append(Document(at, wire, Decimal(0)))

    def _basket(self) -> tuple[BasketLine, ...]:
        count = self.rng.choices((1, 2, 3, 4), (45, 30, 17, 8))[0]
        chosen: dict[str, Goods] = {}
        for goods in self.rng.choices(GOODS, [goods.popularity for goods in GOODS], k=count):
            chosen[goods.code] = goods
        return tuple(self._line(goods) for goods in chosen.values())

    def _line(self, goods: Goods) -> BasketLine:
        if goods.carton and self.rng.random() < CARTON_SHARE:
            return BasketLine(goods.box, Decimal(1), goods.carton.price)
        if goods.is_weighed:
            weights = [Decimal(weight) for weight in WEIGHTS_KG if Decimal(weight) <= goods.most]
            return BasketLine(goods.piece, self.rng.choice(weights), goods.price)
        quantity = min(self.rng.randint(1, goods.most), self.rng.randint(1, goods.most))
        discount = 0
        if self.rng.random() < DISCOUNT_SHARE:
            discount = quantity * goods.price // 20 // DISCOUNT_STEP * DISCOUNT_STEP
        return BasketLine(goods.piece, Decimal(quantity), goods.price, discount)

    def _sale(self, at: datetime, basket: tuple[BasketLine, ...]) -> Document:
        total = sum((item.total for item in basket), Decimal(0))
        fields: dict[str, Any] = {"lignes": [write_line(item) for item in basket], "devise": "CDF"}
        if total > 40_000 and self.rng.random() < DISCOUNT_SHARE:
            fields["remise"] = 1000
            total -= 1000
        paid, moves = self._payment(total)
        wire = self._wire("FAC", at, type="vente", montant_total=str(total), **fields, **paid)
        sale = Document(at, wire, total, moves, basket)
        if not moves:
            self.debts.append(Debt(sale, self.day + timedelta(days=self.rng.randint(3, 9))))
        return sale

    def _payment(self, total: Decimal) -> tuple[dict[str, Any], dict[tuple[str, str], Decimal]]:
        """Return the payment's fields for the API, and the money received by mode and currency."""
        chance = self.rng.random()
        notes = total // (USD_NOTE * USD_RATE)
        if chance < CREDIT_SHARE:
            return {"paye": False, "client": {"nom": self.rng.choice(CREDIT_CUSTOMERS)}}, {}
        if notes and chance < CREDIT_SHARE + USD_SHARE:
            dollars = notes * USD_NOTE
            rest = total - dollars * USD_RATE
            payments = [{"mode": CASH, "devise": "USD", "montant": str(dollars), "taux": USD_RATE}]
            moves = {(CASH, "USD"): dollars}
            if rest:
                payments.append({"mode": CASH, "devise": "CDF", "montant": str(rest)})
                moves[CASH, "CDF"] = rest
            return {"mode_paiement": CASH, "paiements": payments}, moves
        mode = MOBILE if chance > 1 - MOBILE_SHARE else CASH
        return {"mode_paiement": mode}, {(mode, "CDF"): total}

    def _void(self, at: datetime, sale: Document) -> None:
        mode = sale.wire["mode_paiement"]
        wire = self._wire("AVO", at, type="annulation", mode_paiement=mode, motif="erreur de saisie", **_follows(sale))
        self.documents.append(Document(at, wire, sale.amount, {(mode, "CDF"): -sale.amount}))

    def _bring_back(self, at: datetime, sale: Document) -> None:
        line = self.rng.randrange(len(sale.basket))
        item = sale.basket[line]
        if item.discount or item.quantity < 1:
            return
        amount = Decimal(item.price)
        mode = sale.wire["mode_paiement"]
        wire = self._wire(
            "RET", at, type="retour", lignes=[{"ligne": line + 1, "quantite": 1}], mode_paiement=mode,
            motif="article abîmé", **_follows(sale),
        )  # fmt: skip
        self.documents.append(Document(at, wire, amount, {(mode, "CDF"): -amount}))

    def _wire(self, series: str, at: datetime, **fields: Any) -> dict[str, Any]:
        count = self._counts[series] = self._counts.get(series, 0) + 1
        return {
            "numero_facture": f"{series}{self.till.digit}-{self.day:%y%m%d}-{count:03}",
            "date_vente": at.isoformat(timespec="seconds"),
            "caissier": self.till.cashier,
            **fields,
        }


def _follows(sale: Document) -> dict[str, Any]:
    return {"origine": {"numero_facture": sale.number}}


def is_scarce(item: BasketLine) -> bool:
    return any(goods.is_scarce for goods in GOODS if goods.code == item.unit.code)


def write_line(item: BasketLine) -> dict[str, Any]:
    line = {
        "unite_uuid": str(item.unit.uuid),
        "quantite": str(item.quantity),
        "prix_unitaire": item.price,
        "taux_tva": VAT_RATE,
    }
    return line | ({"remise": item.discount} if item.discount else {})


def piece_line(code: str, quantity: int) -> dict[str, Any]:
    """Return a line of `quantity` pieces of an article at its price."""
    goods = next(goods for goods in GOODS if goods.code == code)
    assert goods.piece.level == UnitLevel.PIECE
    return write_line(BasketLine(goods.piece, Decimal(quantity), goods.price))
