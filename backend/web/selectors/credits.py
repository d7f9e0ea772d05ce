"""Open credits: the sales of which something is still owed, and their sums."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias, TypedDict

from django.db.models import DecimalField, F, QuerySet, Value
from django.db.models.functions import Coalesce

from backend.db.keyset import KeysetPage, read_page
from backend.inventory.models import MONEY
from backend.sales.models import Sale, SaleKind
from backend.sales.money.amounts import MONEY_PLACES, round_half_up
from backend.shops.models import Shop

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

PAGE_CREDITS_MAX = 50
CUSTOMERS_MAX = 30
# Each is a document of its own, made while the person waits.
SHARES_MAX = 30
# SQLite computes with floats: less than this is zero.
AMOUNT: "DecimalField[Decimal, Decimal]" = DecimalField(**MONEY)
HALF_A_CENT = Decimal("0.005")


@dataclass(frozen=True)
class Owing:
    """What one customer, or all together, owe in one currency. `name` is empty for sales without a customer."""

    name: str
    currency: str
    amount: Decimal
    count: int


class Left(TypedDict):
    left: Decimal


OpenCredit: TypeAlias = "WithAnnotations[Sale, Left]"


def open_credits(*, shop: Shop, customer: str | None = None) -> "QuerySet[OpenCredit]":
    """Return the sales of which something is owed, with that amount in `left`; of one customer, if named.

    `is_paid IN (0)` uses the index; `NOT is_paid` is no comparison and does not.
    """
    left = F("total") - F("returned_total") - Coalesce(F("paid_total"), Value(Decimal(0)), output_field=AMOUNT)
    sales = Sale.objects.filter(shop=shop, is_paid__in=[False], kind=SaleKind.SALE, voided_at=None)
    if customer is not None:
        sales = sales.filter(customer_name=customer)
    return sales.annotate(left=left).filter(left__gte=HALF_A_CENT)


def credits_page(*, shop: Shop, customer: str | None, cursor: str | None) -> "KeysetPage[OpenCredit]":
    """Return a page of open credits, oldest first, each with `left`. Raises BadCursor."""
    sales = open_credits(shop=shop, customer=customer)
    page: KeysetPage[OpenCredit] = read_page(
        sales, by="business_day", cursor=cursor, size=PAGE_CREDITS_MAX, newest_first=False
    )
    for sale in page.rows:
        sale.left = round_half_up(Decimal(sale.left), MONEY_PLACES)
    return page


def owed_by_currency(*, shop: Shop, customer: str | None = None) -> list[Owing]:
    """Return the total owed per currency, the shop's own first."""
    found = _sums(open_credits(shop=shop, customer=customer), "currency")
    return sorted(found, key=lambda owing: (owing.currency != shop.currency, owing.currency))


def owed_of_day(*, shop: Shop, day: date) -> list[Owing]:
    """Return what is still owed for the sales of a business day, per currency, the shop's own first."""
    found = _sums(open_credits(shop=shop).filter(business_day=day), "currency")
    return sorted(found, key=lambda owing: (owing.currency != shop.currency, owing.currency))


def owed_by_customer(*, shop: Shop) -> list[Owing]:
    """Return the customers who owe most, at most CUSTOMERS_MAX, per currency, the shop's own first."""
    found = _sums(open_credits(shop=shop), "currency", "customer_name")
    found.sort(key=lambda owing: (owing.currency != shop.currency, owing.currency, -owing.amount, owing.name))
    return found[:CUSTOMERS_MAX]


def oldest_open_sales(*, shop: Shop, customer: str, currency: str) -> "list[OpenCredit]":
    """Return the sales over which a payment of this customer is shared out, oldest first, at most SHARES_MAX."""
    sales = open_credits(shop=shop, customer=customer).filter(currency=currency)
    found = list(sales.order_by("business_day", "pk")[:SHARES_MAX])
    for sale in found:
        sale.left = round_half_up(Decimal(sale.left), MONEY_PLACES)
    return found


def _sums(sales: QuerySet[Sale], *by: str) -> list[Owing]:
    """Add up in Python: on SQLite, the database's sum of a computed column is a float."""
    sums: dict[tuple[str, ...], list[Decimal]] = {}
    for *key, left in sales.order_by().values_list(*by, "left").iterator(chunk_size=2000):
        entry = sums.setdefault(tuple(key), [Decimal(0), Decimal(0)])
        entry[0] += round_half_up(Decimal(left), MONEY_PLACES)
        entry[1] += 1
    return [
        Owing(name=key[1] if len(key) > 1 else "", currency=key[0], amount=amount, count=int(count))
        for key, (amount, count) in sums.items()
    ]
