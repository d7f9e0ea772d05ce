"""The columns of the articles' spreadsheet, by their French headers. A line is one unit of an article."""

import unicodedata
import uuid
from collections.abc import Iterable, Iterator
from decimal import Decimal

from django.utils.translation import gettext_noop as _

from backend.inventory.french_numbers import plain_number
from backend.inventory.importing.cells import (
    Cell,
    CellUnreadable,
    read_number,
    read_yes_or_no,
    text_of,
    write_yes_or_no,
)
from backend.inventory.importing.spreadsheets import write_sheet_csv, write_sheet_xlsx
from backend.inventory.models import Article, ArticleUnit
from backend.sentences import Sentence
from backend.shops.models import Shop

COLUMNS = (
    "article_uuid", "code", "nom", "code_barres", "actif", "unite_uuid", "niveau", "marque", "contient", "prix",
    "devise", "taux_tva", "seuil", "stock", "unite_base",
)  # fmt: skip
# The columns that hold a field of the article, and those that hold a field of the unit: column → field.
ARTICLE_FIELDS = {"code": "code", "nom": "name", "code_barres": "barcode", "actif": "is_active"}
UNIT_FIELDS = {
    "marque": "mark",
    "contient": "holds",
    "prix": "price",
    "devise": "currency",
    "taux_tva": "vat_rate",
    "seuil": "low_stock_threshold",
}
NUMBERS = frozenset({"contient", "prix", "taux_tva", "seuil", "stock"})
YES_OR_NO = frozenset({"actif", "unite_base"})
UUIDS = frozenset({"article_uuid", "unite_uuid"})


def read_cell(column: str, cell: Cell) -> str | bool | Decimal | uuid.UUID:
    """Return the value of a cell of `column`, not validated yet. Raises CellUnreadable."""
    if column in NUMBERS:
        if column == "taux_tva" and isinstance(cell, str):
            cell = cell.strip().removesuffix("%")
        return read_number(cell)
    if column in YES_OR_NO:
        return read_yes_or_no(cell)
    text = unicodedata.normalize("NFC", text_of(cell).strip())
    if column in UUIDS:
        try:
            return uuid.UUID(text)
        except ValueError as error:
            template = _("identifiant illisible : laissez la cellule vide pour en créer un nouveau")
            raise CellUnreadable(Sentence(template)) from error
    if column in ("niveau", "devise"):
        return "".join(letter for letter in unicodedata.normalize("NFD", text) if letter.isalpha()).upper()
    return text


def show_value(value: object) -> str:
    """Return a field's value as the preview shows it."""
    if value is None or value == "":
        return "vide"
    if isinstance(value, bool):
        return write_yes_or_no(value)
    return plain_number(value) if isinstance(value, Decimal) else str(value)


def write_articles_csv(shop: Shop) -> bytes:
    """Return a shop's articles as CSV. Imported again unchanged, the file changes nothing."""
    return write_sheet_csv(columns=COLUMNS, rows=_rows(_units_of(shop)))


def write_articles_xlsx(shop: Shop) -> bytes:
    return write_sheet_xlsx(columns=COLUMNS, rows=_rows(_units_of(shop)))


def _units_of(shop: Shop) -> Iterable[ArticleUnit]:
    units = ArticleUnit.objects.filter(article__shop=shop).select_related("article")
    return units.order_by("article__code", "article_id", "level").iterator(chunk_size=1000)


def _rows(units: Iterable[ArticleUnit]) -> Iterator[list[Cell | None]]:
    for unit in units:
        article: Article = unit.article
        yield [
            str(article.uuid), article.code, article.name, article.barcode, write_yes_or_no(article.is_active),
            str(unit.uuid), unit.level, unit.mark, unit.holds, unit.price, unit.currency, unit.vat_rate,
            unit.low_stock_threshold, unit.stock, write_yes_or_no(article.base_unit_id == unit.pk),
        ]  # fmt: skip
