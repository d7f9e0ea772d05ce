"""A till's sums and its cash drawer, against what is recorded of its day."""

from decimal import Decimal

from django.db.models import QuerySet
from msgspec import UNSET

from backend.sales.days.answers import TiroirCompte, TotalCompte
from backend.sales.days.day_report import Drawer, SaidSum
from backend.sales.models import MoneyMovement
from backend.sales.money.movements import CASH
from backend.sales.money.takings import Flow, drawer_sums
from backend.sales.wire.fields import written

ZERO = Decimal(0)

Sums = dict[tuple[str, str], Flow]


def compare_sums(said: dict[tuple[str, str], SaidSum], net: Sums) -> bool:
    """Tell whether the till's sums equal ours. A sum that it leaves out is zero; counts are compared where given."""
    for key in said.keys() | net.keys():
        ours = net.get(key, Flow())
        theirs = said.get(key, SaidSum(ZERO, None))
        if theirs.amount != ours.amount or theirs.count not in (None, ours.documents):
            return False
    return True


def compare_drawer(movements: QuerySet[MoneyMovement], drawer: Drawer, *, currency: str) -> list[TiroirCompte]:
    """Return, by currency, what should be in the drawer, what was counted, and the difference; the shop's own first.

    Expected is what was in it at first, plus the cash of the day's movements, less what was paid out. If the drawer
    names a cashier, and any movement of the till's day does, only that cashier's movements count; otherwise all do.
    """
    net = drawer_sums(of_cashier(movements, drawer.cashier)).net()
    taken = {each: flow.amount for (each, mode), flow in net.items() if mode == CASH}
    currencies = taken.keys() | drawer.float_amounts.keys() | drawer.payouts.keys() | drawer.counted.keys()
    lines = []
    for each in sorted(currencies, key=lambda each: (each != currency, each)):
        expected = drawer.float_amounts.get(each, ZERO) + taken.get(each, ZERO) - drawer.payouts.get(each, ZERO)
        counted = drawer.counted.get(each, ZERO)
        lines.append(
            TiroirCompte(
                devise=each,
                attendu=written(expected),
                compte=written(counted),
                ecart=written(counted - expected),
                non_compte=UNSET if each in drawer.counted else True,
            )
        )
    return lines


def of_cashier(movements: QuerySet[MoneyMovement], cashier: str) -> QuerySet[MoneyMovement]:
    if not cashier or not movements.exclude(cashier="").exists():
        return movements
    return movements.filter(cashier=cashier)


def write_sums(net: Sums, *, currency: str) -> list[TotalCompte]:
    """Return our sums as the wire writes them, the shop's own currency first, then by mode."""
    return [
        TotalCompte(mode=mode, devise=each, nombre=flow.documents, montant=written(flow.amount))
        for (each, mode), flow in sorted(net.items(), key=lambda item: (item[0][0] != currency, item[0]))
    ]
