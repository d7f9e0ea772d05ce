"""The columns and rows of money as a spreadsheet: a row a movement, amounts with their sign."""

from collections.abc import Iterator

from django.conf import settings
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from backend.sales.models import MoneyMovement
from backend.sales.repair.corrections import corrections_among
from backend.shops.models import Shop
from backend.web.selectors.sale_search import SaleCriteria, walk_money
from backend.web.sheets.writer import Value
from backend.web.wording import sales
from backend.web.wording.tills import till_name


def columns() -> list[str]:
    return [
        _("Jour"), _("Jour de la caisse"), _("Caisse"), _("Caissier"), _("Document"), _("Numéro"),
        _("Numéro d'enregistrement"), _("Nature"), _("Règlement"), _("Devise"), _("Montant"), _("Taux"), _("Valeur"),
        _("Devise du document"),
    ]  # fmt: skip


def rows(*, shop: Shop, criteria: SaleCriteria) -> Iterator[list[Value]]:
    """Return a row per movement of these days and this till, oldest day first, in the active language."""
    # The rows are made while they are sent, when the request and its active language have ended.
    return _rows(shop, criteria, language=get_language() or settings.LANGUAGE_CODE)


def _rows(shop: Shop, criteria: SaleCriteria, *, language: str) -> Iterator[list[Value]]:
    for chunk in walk_money(shop=shop, criteria=criteria):
        corrections = corrections_among(move.document for move in chunk)
        with override(language):
            written = [_row(move, is_correction=move.document_id in corrections) for move in chunk]
        yield from written


def _row(move: MoneyMovement, *, is_correction: bool) -> list[Value]:
    document = move.document
    return [
        move.business_day,
        move.till_day,
        till_name(move.terminal.name),
        move.cashier,
        str(sales.KINDS.get(document.kind, document.kind)),
        str(document),
        document.registration_number,
        sales.money_kind(move.kind, is_correction=is_correction),
        sales.payment_mode(move.mode),
        move.currency,
        move.amount,
        move.rate,
        move.value,
        document.currency,
    ]
