"""One sale at the repair desk: what the till sent, why it was refused, past decisions, and possible fixes."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F

from backend.db.keyset import KeysetPage, read_page
from backend.inventory.models import ArticleUnit
from backend.sales.errors import SaleRefused
from backend.sales.models import OutcomeHistory, OutcomeStatus, Sale, SaleOutcome
from backend.sales.posting.unit_lookup import UnitCache
from backend.sales.receipts.receipt import sales_of
from backend.sales.repair.desk import fixes_for
from backend.sales.repair.open_entries import open_entries
from backend.sales.wire.parser import ParsedSale, read_sale
from backend.shops.models import Shop, Terminal

PAGE_ENTRIES_MAX = 50
# The units offered for a line that names no article; a person finds others on the stock page.
UNITS_OFFERED_MAX = 500
DECISIONS_SHOWN_MAX = 50


@dataclass(frozen=True)
class EntryLine:
    """A line as the till sent it. `article` is what it names in this shop; None if it names nothing."""

    named: str
    article: str | None
    quantity: Decimal
    unit_price: Decimal
    total: Decimal


@dataclass(frozen=True)
class EntryView:
    outcome: SaleOutcome
    terminal: Terminal
    # None if the sale is unreadable; then only the text is shown.
    sale: ParsedSale | None
    lines: list[EntryLine]
    text: str
    # How often the same content came.
    times: int
    is_open: bool
    fixes: tuple[str, ...]
    # The sale recorded under its number, or that it became.
    document: Sale | None
    decisions: list[OutcomeHistory]

    @property
    def is_recorded(self) -> bool:
        return self.document is not None and self.document.fingerprint == self.outcome.fingerprint


def entry_view(*, shop: Shop, batch_id: int, position: int) -> EntryView | None:
    """Return the sale at this position of a batch of this shop, or None."""
    outcomes = SaleOutcome.objects.filter(shop=shop, batch_id=batch_id, position=position)
    outcome = outcomes.select_related("batch", "document").first()
    if outcome is None:
        return None
    raw = sales_of(batch_id)[position - 1]
    sale = _read(raw)
    same = SaleOutcome.objects.filter(
        terminal_id=outcome.terminal_id, number=outcome.number, fingerprint=outcome.fingerprint
    )
    decisions = OutcomeHistory.objects.filter(batch_id=batch_id, position=position).order_by("-pk")
    return EntryView(
        outcome=outcome,
        terminal=Terminal.objects.get(pk=outcome.terminal_id),
        sale=sale,
        lines=_lines(shop, sale) if sale else [],
        text=raw.decode(errors="replace"),
        times=same.count() if outcome.fingerprint else 1,
        is_open=open_entries(shop_id=shop.pk).filter(batch_id=batch_id, position=position).exists(),
        fixes=fixes_for(outcome),
        document=outcome.document,
        decisions=list(decisions[:DECISIONS_SHOWN_MAX]),
    )


def set_aside_page(*, shop: Shop, cursor: str | None) -> KeysetPage[SaleOutcome]:
    """Return what the shop set aside, newest first. Raises BadCursor."""
    outcomes = SaleOutcome.objects.filter(shop=shop, status=OutcomeStatus.SET_ASIDE).select_related("terminal")
    return read_page(outcomes, by="at", cursor=cursor, size=PAGE_ENTRIES_MAX)


def units_offered(shop: Shop) -> list[ArticleUnit]:
    """Return the units that a person may choose for a line."""
    units = ArticleUnit.objects.filter(article__shop=shop, article__is_active=True).select_related("article")
    return list(units.order_by("article__code", "level")[:UNITS_OFFERED_MAX])


def unit_named(shop: Shop, text: str) -> ArticleUnit | None:
    """Return the unit that a text names: an article's code and a level, or a code alone for its base unit."""
    code, _, level = text.strip().rpartition(" ")
    units = ArticleUnit.objects.filter(article__shop=shop)
    if code:
        found = units.filter(article__code=code, level=level.upper()).first()
        if found is not None:
            return found
    return units.filter(article__code=text.strip(), article__base_unit=F("pk")).first()


def _read(raw: bytes) -> ParsedSale | None:
    try:
        return read_sale(raw)
    except SaleRefused:
        return None


def _lines(shop: Shop, sale: ParsedSale) -> list[EntryLine]:
    units = UnitCache(shop_id=shop.pk)
    units.read(line.key for line in sale.lines)
    return [
        EntryLine(
            named=", ".join(str(value) for _name, value in line.key),
            article=units.name_of(line.key),
            quantity=line.quantity,
            unit_price=line.unit_price,
            total=line.total,
        )
        for line in sale.lines
    ]
