"""The money of every kind of document, as the till reckons it, as the server records it, and as it is counted."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from backend.example_till import Till
from backend.example_till.amounts import read_json
from backend.sales.models import MoneyMovement, Sale
from backend.testing import Cast
from tests.acceptance.conftest import MakeTill
from tests.acceptance.test_till import rice

CDF, USD, MOBILE = ("CASH", "CDF"), ("CASH", "USD"), ("MOBILE_MONEY", "CDF")
RATE = 2850
FLOAT = 50000

Key = tuple[str, str]
Moves = dict[Key, Decimal]


def money(amount: object, key: Key = CDF, **fields: Any) -> dict[str, Any]:
    mode, currency = key
    rate = {"taux": RATE} if currency == "USD" else {}
    return {"mode": mode, "devise": currency, "montant": amount} | rate | fields


@dataclass
class MoneyDay:
    """A till at work, and by hand: the money that each of its documents moves, in whose drawer and on which day."""

    till: Till
    moved: dict[str, Moves] = field(default_factory=dict)
    drawers: dict[tuple[str, str], Moves] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Decimal)))
    counts: dict[str, dict[Key, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))

    def did(self, cashier: str, write: Callable[..., str], *given: Any, moves: dict[Key, Any], **fields: Any) -> str:
        number = write(*given, caissier={"code": cashier}, **fields)
        day = self.till.records.find(number).day
        self.moved[number] = {key: Decimal(amount) for key, amount in moves.items()}
        for key, amount in self.moved[number].items():
            self.drawers[day, cashier][key] += amount
            self.counts[day][key] += 1
        return number

    def totals(self, day: str) -> dict[Key, tuple[int, Decimal]]:
        sums: Moves = defaultdict(Decimal)
        for (of_day, _), moves in self.drawers.items():
            if of_day == day:
                for key, amount in moves.items():
                    sums[key] += amount
        return {key: (self.counts[day][key], amount) for key, amount in sums.items()}


def trade(day: MoneyDay, cast: Cast, *, foreign: str) -> None:
    """Every kind of document. foreign: the registration number of another till's sale, paid in 5 USD and 10,750 CDF."""
    till, did = day.till, day.did
    plain = did("C1", till.sell, [rice(cast)], moves={CDF: 25000})
    changed = did("C1", till.sell, [rice(cast)], paiements=[money(10, USD)], rendu=[money(3500)],
                  moves={USD: 10, CDF: -3500})  # fmt: skip
    did("C2", till.sell, [rice(cast)], rendu=[money(1, USD)], moves={CDF: 27850, USD: -1})
    split = did("C2", till.sell, [rice(cast)], paiements=[money(5, USD), money(10750, MOBILE)],
                moves={USD: 5, MOBILE: 10750})  # fmt: skip
    deposit = did("C1", till.sell, [rice(cast)], paiements=[money(10000), money(15000, ("Credit", "CDF"))],
                  moves={CDF: 10000})  # fmt: skip
    credit = did("C2", till.sell, [rice(cast, 2)], mode_paiement="CREDIT", moves={})
    did("C2", till.take_payment, 5, number=credit, devise="USD", taux=RATE, moves={USD: 5})
    did("C1", till.take_payment, 15000, number=credit, paiements=[money(20000, MOBILE)], rendu=[money(5000)],
        moves={MOBILE: 20000, CDF: -5000})  # fmt: skip
    # 20,750 are still owed. Goods of 25,000 come back; nobody says how the rest of their worth is handed out.
    did("C2", till.take_back, {1: 1}, number=credit, moves={CDF: -4250})
    did("C1", till.void, number=credit, moves={USD: -5, MOBILE: -20000, CDF: 9250})
    did("C2", till.void, number=changed, moves={USD: -10, CDF: 3500})
    did("C1", till.void, number=split, mode_paiement="cash", moves={USD: -5, CDF: -10750})
    did("C2", till.void, number=deposit, paiements=[money(10000, MOBILE)], moves={MOBILE: -10000})
    did("C1", till.take_back, {1: Decimal("0.4")}, number=plain, moves={CDF: -10000})
    did("C2", till.take_back, {1: Decimal("0.2")}, number=plain, mode_paiement="MOBILE_MONEY", moves={MOBILE: -5000})
    did("C1", till.take_back, {1: Decimal("0.1")}, number=plain, paiements=[money("0.88", USD)],
        moves={USD: Decimal("-0.88")})  # fmt: skip
    did("C2", till.void, number=plain, moves={CDF: -15000, MOBILE: 5000, USD: Decimal("0.88")})
    short = did("C2", till.sell, [rice(cast)], paiements=[money(20000)], moves={CDF: 20000})
    did("C1", till.take_back, {1: 1}, number=short, moves={CDF: -20000})
    for mode in ("Chèque", "CHEQUE"):
        did("C1", till.sell, [rice(cast)], mode_paiement=mode, moves={(mode.upper(), "CDF"): 25000})
    in_dollars = did("C2", till.sell, [rice(cast) | {"prix_unitaire": 10}], devise="USD",
                     paiements=[money(28500, taux="0.00035088")], moves={CDF: 28500})  # fmt: skip
    did("C2", till.void, number=in_dollars, moves={CDF: -28500})
    owing = did("C1", till.sell, [rice(cast)], paye=False, moves={})
    did("C1", till.take_back, {1: Decimal("0.5")}, number=owing, moves={})
    did("C2", till.take_payment, "4.39", number=owing, devise="USD", taux=RATE, moves={USD: "4.39"})
    did("C2", till.void, registration=foreign, moves={USD: -5, MOBILE: -10750})


@pytest.mark.embedded
def test_the_till_and_the_server_agree_on_the_money_of_every_kind_of_document(
    open_shop: str, make_till: MakeTill, cast: Cast
) -> None:
    other = make_till(open_shop, file="other.sqlite3", serial=cast.token_device.serial, token=cast.token)
    other.sell([rice(cast)], paiements=[money(5, USD), money(10750, MOBILE)])
    foreign = other.sync(timeout_s=60).recorded[0].registration_number
    till = make_till(open_shop)
    day = MoneyDay(till)
    yesterday = till.seller.now() - timedelta(days=1)
    late = day.did("C2", till.sell, [rice(cast)], paiements=[money(10, USD)], rendu=[money(3500)],
                   date_vente=yesterday.isoformat(timespec="seconds"), moves={USD: 10, CDF: -3500})  # fmt: skip
    trade(day, cast, foreign=foreign)
    day.did("C1", till.void, number=late, moves={USD: -10, CDF: 3500})

    assert till.sync(timeout_s=60).pending == []

    said = {number: till.records.find(number).server_money for number in day.moved}
    recorded = {
        number: {(one["mode"], one["devise"]): Decimal(one["montant"]) for one in read_json(text)}
        for number, text in said.items()
    }
    assert recorded == day.moved
    warned = {sale.number: sale.warnings for sale in Sale.objects.filter(terminal=cast.terminal) if sale.warnings != []}
    assert sorted(warned.values()) == [["mode_suppose"], ["paiements_differents"]]
    for (of_day, cashier), moves in sorted(day.drawers.items()):
        counted = {currency: moves[mode, currency] + FLOAT for mode, currency in list(moves) if mode == "CASH"}
        till.close_drawer(day=of_day, cashier=cashier, opening=dict.fromkeys(counted, FLOAT), counted=counted)
    answers = till.sync(timeout_s=60).days
    assert len(answers) == len(day.drawers) == 3
    for answer in answers:
        assert answer["resultat"] == "egal", answer
        assert {line["ecart"] for line in answer["caisse"]} == {"0.00"}
        assert {
            (one["mode"], one["devise"]): (one["nombre"], Decimal(one["montant"])) for one in answer["totaux"]
        } == day.totals(answer["jour"])


def test_what_goes_back_from_another_tills_drawer_leaves_the_first_ones_as_it_is(
    open_shop: str, make_till: MakeTill, cast: Cast
) -> None:
    first = make_till(open_shop)
    first.sell([rice(cast)], paiements=[money(10, USD)], rendu=[money(3500)])
    registration = first.sync(timeout_s=60).recorded[0].registration_number
    second = make_till(open_shop, file="second.sqlite3", serial=cast.token_device.serial, token=cast.token)
    second.void(registration=registration)
    assert second.sync(timeout_s=60).settled

    for till in (first, second):
        till.close_drawer()
    assert [till.sync(timeout_s=60).days[0]["resultat"] for till in (first, second)] == ["egal", "egal"]
    drawers = MoneyMovement.objects.order_by("document_id", "position").values_list("terminal_id", "amount")
    mine, theirs = cast.terminal.pk, cast.token_device.terminal_id
    assert list(drawers) == [(mine, 10), (mine, -3500), (theirs, -10), (theirs, 3500)]
