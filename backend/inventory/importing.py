"""Import of articles, units and opening stock from a spreadsheet: a preview, and then all of it or nothing."""

from datetime import UTC, datetime
from typing import TypeVar

from django.db.models import Model

from backend.inventory.catalogue import lock_shop
from backend.inventory.columns import COLUMNS
from backend.inventory.errors import CatalogueRefused
from backend.inventory.import_plans import ArticleDraft, ImportPlan
from backend.inventory.models import Article
from backend.inventory.planning import make_plan
from backend.inventory.spreadsheets import Sheet, read_sheet
from backend.inventory.stock import write_opening_stocks
from backend.inventory.stored import CHUNK_ROWS, in_chunks
from backend.inventory.transactions import in_transaction
from backend.shops.models import Shop

Row = TypeVar("Row", bound=Model)
OPENING_COMMENT = "Stock d'ouverture (import)"


class ImportRefused(CatalogueRefused):
    """The sheet has errors, so nothing of it was carried out; `plan.errors` names each by its line and column."""

    code = "import_refuse"

    def __init__(self, plan: ImportPlan) -> None:
        super().__init__(f"{len(plan.errors)} erreur(s) dans le fichier : rien n'a été importé")
        self.plan = plan


def read_articles_sheet(content: bytes) -> Sheet:
    """Read a CSV or XLSX file. Raises SheetUnreadable, SheetTooLarge or HeaderMissing."""
    return read_sheet(content=content, columns=COLUMNS)


def plan_import(*, shop: Shop, sheet: Sheet) -> ImportPlan:
    """Return what the import would create, change and bring in, and its errors by line and column. Changes nothing."""
    return make_plan(shop=shop, sheet=sheet, is_locked=False)


def carry_out(*, shop: Shop, sheet: Sheet, author: str) -> ImportPlan:
    """Import the sheet in one transaction, and return what was done.

    The plan is made again under the locks: what was previewed may have changed meanwhile. Whatever sells one of these
    units waits until it is over. Raises ImportRefused where a line has an error, and nothing has changed.
    """
    attempted: list[ImportPlan] = []

    def change() -> ImportPlan:
        lock_shop(shop)
        plan = make_plan(shop=shop, sheet=sheet, is_locked=True)
        if plan.errors:
            raise ImportRefused(plan)
        if plan.is_empty and attempted:
            # All of it stands already: only the answer to an earlier attempt's COMMIT was lost.
            return attempted[-1]
        attempted.append(plan)
        _write(plan.drafts, author=author)
        return plan

    return in_transaction(change, name="import_articles")


def _write(drafts: list[ArticleDraft], *, author: str) -> None:
    """Articles, then units, then what names units. New rows go in together: ten thousand one by one take a minute."""
    _insert([draft.article for draft in drafts if draft.is_new])
    units = [(draft, unit) for draft in drafts for unit in draft.units.values()]
    for draft, unit in units:
        if unit.is_new:
            unit.unit.article = draft.article
    _insert([unit.unit for _, unit in units if unit.is_new])
    for _, unit in units:
        if unit.changed and not unit.is_new:
            unit.unit.save(update_fields=[*unit.changed, "changed_at"])
    write_opening_stocks(
        [(unit.unit, unit.opening) for _, unit in units if unit.opening], author=author, comment=OPENING_COMMENT
    )
    for draft in drafts:
        if draft.new_base:
            draft.article.base_unit = draft.new_base.unit
            draft.changed.add("base_unit")
        if draft.changed and not draft.is_new:
            draft.article.save(update_fields=[*draft.changed, "changed_at"])
    _write_base_units([draft.article for draft in drafts if draft.is_new])


def _insert(rows: list[Row]) -> None:
    """Insert many rows and learn their ids, which MySQL does not return."""
    if not rows:
        return
    model = type(rows[0])
    model.objects.bulk_create(rows, batch_size=CHUNK_ROWS)
    for chunk in in_chunks([row for row in rows if row.pk is None]):
        ids = dict(model.objects.filter(uuid__in=[row.uuid for row in chunk]).values_list("uuid", "pk"))
        for row in chunk:
            row.pk = ids[row.uuid]


def _write_base_units(articles: list[Article]) -> None:
    now = datetime.now(UTC)
    for article in articles:
        article.changed_at = now
    Article.objects.bulk_update(articles, ["base_unit", "changed_at"], batch_size=CHUNK_ROWS)
