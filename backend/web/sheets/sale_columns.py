"""The columns and rows of the list of sales as a spreadsheet."""

from collections.abc import Iterator
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from backend.sales.errors import reason_of
from backend.sales.models import Sale, SaleKind
from backend.sales.money.owed import owed_for
from backend.sentences import reader_language
from backend.shops.models import Shop
from backend.web.selectors.sale_search import SaleCriteria, walk_sales
from backend.web.sheets.writer import Value
from backend.web.wording import sales
from backend.web.wording.tills import till_name


def columns() -> list[str]:
    return [
        _("Jour"), _("Heure de la caisse"), _("Reçue"), _("Document"), _("Numéro"), _("Numéro d'enregistrement"),
        _("Caisse"), _("Caissier"), _("Client"), _("Téléphone"), _("NIF du client"), _("Devise"), _("Remise"),
        _("Montant"), _("Vendu"), _("Règlement"), _("État"), _("Reste dû"), _("Porte sur"), _("Motif"),
        _("Avertissements"),
    ]  # fmt: skip


def rows(*, shop: Shop, criteria: SaleCriteria) -> Iterator[list[Value]]:
    """Return a row per document, oldest day first, in the active language. Times are in the shop's timezone."""
    # The rows are made while they are sent, when the request and its active language have ended.
    return _rows(shop, criteria, language=get_language() or settings.LANGUAGE_CODE)


def _rows(shop: Shop, criteria: SaleCriteria, *, language: str) -> Iterator[list[Value]]:
    zone = ZoneInfo(shop.timezone)
    for chunk in walk_sales(shop=shop, criteria=criteria):
        with override(language):
            written = [_row(sale, zone) for sale in chunk]
        yield from written


def _row(sale: Sale, zone: ZoneInfo) -> list[Value]:
    return [
        sale.business_day,
        sale.sold_at and sale.sold_at.astimezone(zone),
        sale.received_at.astimezone(zone),
        str(sales.KINDS.get(sale.kind, sale.kind)),
        str(sale),
        sale.registration_number,
        till_name(sale.terminal.name),
        sale.cashier_name or sale.cashier_code,
        sale.customer_name,
        sale.customer_phone,
        sale.customer_nif,
        sale.currency,
        sale.discount,
        sale.total,
        sold_by(sale),
        modes_of(sale),
        state_of(sale),
        owed_for(sale) if _is_open(sale) else None,
        str(sale.origin) if sale.origin else "",
        reason_of(sale, reader_language()),
        " ".join(sales.warning(code) for code in sale.warnings),
    ]


def sold_by(sale: Sale) -> Decimal | None:
    """Return what the document adds to what is sold: less than nothing for a void or return, nothing for a payment."""
    if sale.kind == SaleKind.PAYMENT:
        return None
    return sale.total if sale.kind == SaleKind.SALE else -sale.total


def modes_of(sale: Sale) -> str:
    """Return the modes in which the document's money moved; of several movements, each with its amount."""
    moves = sorted(sale.money.all(), key=lambda move: move.position)
    if len(moves) == 1 and moves[0].currency == sale.currency:
        return sales.payment_mode(moves[0].mode)
    return ", ".join(f"{sales.payment_mode(move.mode)} {move.amount} {move.currency}" for move in moves)


def state_of(sale: Sale) -> str:
    if sale.kind != SaleKind.SALE:
        return ""
    if sale.voided_at:
        return _("Annulée")
    return _("Payée") if sale.is_paid else _("À crédit")


def _is_open(sale: Sale) -> bool:
    return sale.kind == SaleKind.SALE and not sale.is_paid
