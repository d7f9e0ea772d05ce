"""P13: every movement of money is in the drawer of its document, and is of a kind, a sign and a value that fit it."""

from collections.abc import Iterator
from decimal import Decimal

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When
from django.db.models.functions import Abs

from backend.doctor.checks.money import ALL_MONEY
from backend.doctor.registry import Finding, Scope, check
from backend.doctor.wording import money, name_row, name_till
from backend.sales.models import Batch, MoneyKind, MoneyMovement, SaleKind
from backend.sales.money.amounts import MONEY_PLACES, round_half_up
from backend.sales.money.movements import CENT
from backend.shops.models import Terminal

# SQLite multiplies decimals as floats; a rounded product differs from the exact one by up to half a cent.
SUSPECT = Decimal("0.0045")
# Of a rate that is reckoned from amounts, half of the last place.
RATE_ERROR = Decimal("0.000000005")
KINDS = {
    SaleKind.SALE: (MoneyKind.RECEIPT, MoneyKind.CHANGE),
    SaleKind.VOID: (MoneyKind.REFUND,),
    SaleKind.RETURN: (MoneyKind.REFUND,),
    SaleKind.PAYMENT: (MoneyKind.PAYMENT, MoneyKind.CHANGE),
}


def _movements(scope: Scope) -> QuerySet[MoneyMovement]:
    of_document = scope.narrow(shop="document__shop_id", terminal="document__terminal_id")
    found = MoneyMovement.objects.filter(**of_document).select_related("document")
    return found.order_by("document_id", "position")


@check(promise="P13", title="Chaque mouvement d'argent est dans le tiroir de son document", cost=ALL_MONEY)
def movements_are_in_their_drawer(scope: Scope) -> Iterator[Finding]:
    """The drawer is that of the document's till, cashier and days; for documents of the shop's pages, the one chosen
    there. Tills that do not exist are left to their own check."""
    cashier = Case(
        When(document__cashier_code="", then=F("document__cashier_name")), default=F("document__cashier_code")
    )
    is_home = Q(
        terminal_id=F("document__terminal_id"), cashier=cashier, till_day=F("document__till_day"),
        business_day=F("document__business_day"),
    )  # fmt: skip
    known = [Exists(Terminal.objects.filter(pk=OuterRef(key))) for key in ("terminal_id", "document__terminal_id")]
    for move in _movements(scope).filter(~is_home, *known).exclude(_is_chosen() | _undoes_in_place()):
        document = move.document
        whose = document.cashier_code or document.cashier_name
        yield Finding(
            f"{name_row(move)} : {_drawer(move.terminal_id, move.cashier)}, {move.till_day}, compté le"
            f" {move.business_day} ; son document : {_drawer(document.terminal_id, whose)}, {document.till_day}, compté"
            f" le {document.business_day}",
            "L'argent manque dans un tiroir et se trouve dans un autre, ou compte pour un autre jour. Comparez avec une"
            " sauvegarde lequel des deux a changé, et recomptez les deux tiroirs.",
        )


def _drawer(terminal_id: int, cashier: str) -> str:
    return f"{name_till(terminal_id)}, {f'caissier {cashier}' if cashier else 'sans caissier'}"


def _is_chosen() -> Q:
    """Return the condition that a page chose the drawer of a till that was the shop's, on the document's own days."""
    of_shop = Terminal.objects.filter(pk=OuterRef("terminal_id"), shop=OuterRef("shop_id"))
    was_of_shop = Batch.objects.filter(terminal=OuterRef("terminal_id"), shop=OuterRef("shop_id"))
    return Q(
        Exists(of_shop) | Exists(was_of_shop),
        document__terminal__is_office=True,
        till_day=F("document__till_day"),
        business_day=F("document__business_day"),
    )


def _undoes_in_place() -> Q:
    """Return the condition that a correction undoes money in the drawer in which it moved.

    It counts for the day of that money, or, where that month was closed, for its own.
    """
    same = MoneyMovement.objects.filter(
        terminal=OuterRef("terminal_id"), cashier=OuterRef("cashier"), till_day=OuterRef("till_day")
    )
    undone = same.filter(business_day=OuterRef("business_day"))
    is_own_day = Q(business_day=F("document__business_day"))
    is_void = Q(document__terminal__is_office=True, document__kind=SaleKind.VOID)
    return is_void & (_stood_before(undone) | (is_own_day & _stood_before(same)))


def _stood_before(moves: QuerySet[MoneyMovement]) -> Q:
    """Return the condition that one of `moves` is of the document's origin, or of what followed that before it."""
    followers = moves.filter(document__origin=OuterRef("document__origin"), document__lt=OuterRef("document"))
    return Q(Exists(moves.filter(document=OuterRef("document__origin"))) | Exists(followers))


@check(promise="P13", title="Chaque mouvement d'argent va avec son document", cost=ALL_MONEY)
def movements_fit_their_document(scope: Scope) -> Iterator[Finding]:
    """Check kinds, signs, rates and values. What came in is positive, what went out negative."""
    fits = Q()
    for kind, kinds in KINDS.items():
        fits |= Q(document__kind=kind, kind__in=kinds)
    for move in _movements(scope).filter(~fits):
        yield _finding(move, f"« {move.kind} » ne va pas avec un document « {move.document.kind} »")
    for move in _movements(scope).filter(_is_upside_down()):
        way = "sort du tiroir" if move.amount < 0 else "entre dans le tiroir"
        yield _finding(move, f"« {move.kind} », et {money(abs(move.amount), move.currency)} {way}")
    is_own = Q(currency=F("document__currency"))
    for move in _movements(scope).filter(is_own, ~Q(rate=1, value=F("amount"))):
        yield _finding(move, f"{_worth(move)}, dans la monnaie même du document")
    exchanged = _movements(scope).filter(~is_own).annotate(gap=Abs(F("value") - F("amount") * F("rate")))
    for move in exchanged.filter(gap__gt=SUSPECT).iterator():
        if not _is_worth_it(move):
            yield _finding(move, _worth(move))


def _finding(move: MoneyMovement, fault: str) -> Finding:
    return Finding(
        f"{name_row(move)} : {fault}",
        "Ce que la boutique a reçu ou rendu est faux d'autant. Comparez avec le reçu de la caisse et avec une"
        " sauvegarde, et recomptez le tiroir de ce jour-là.",
    )


def _worth(move: MoneyMovement) -> str:
    rate = f"{move.rate.normalize():f}"
    return f"{money(move.amount, move.currency)} au taux {rate} vaut {money(move.value, move.document.currency)}"


def _is_upside_down() -> Q:
    """Return the condition that money moves the wrong way. A void brings in what it undoes of change."""
    change = MoneyMovement.objects.filter(currency=OuterRef("currency"), amount__lt=0)
    return (
        Q(kind__in=(MoneyKind.RECEIPT, MoneyKind.PAYMENT), amount__lt=0)
        | Q(kind=MoneyKind.CHANGE, amount__gt=0)
        | (Q(kind=MoneyKind.REFUND, amount__gt=0) & ~(Q(document__kind=SaleKind.VOID) & _stood_before(change)))
    )


def _is_worth_it(move: MoneyMovement) -> bool:
    """Tell whether the value is the amount at the rate, rounded.

    A void's value is exactly what stood, and its rate is reckoned from that; a payment's may be what the till said it
    paid and the change that went out, and its amount is reckoned.
    """
    exact = move.amount * move.rate
    if move.document.kind == SaleKind.VOID:
        return abs(move.value - exact) <= abs(move.amount) * RATE_ERROR + CENT / 2
    if move.kind == MoneyKind.PAYMENT:
        return abs(move.value - exact) <= move.rate * CENT / 2 + CENT
    return move.value == round_half_up(exact, MONEY_PLACES)
