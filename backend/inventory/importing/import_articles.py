"""Import of articles, units and opening stock from a spreadsheet: first a preview, then all of it or nothing."""

from datetime import UTC, datetime
from typing import TypeVar

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext_noop as _

from backend.inventory.catalogue import lock_shop
from backend.inventory.comments import Comment
from backend.inventory.errors import CatalogueRefused
from backend.inventory.importing.columns import COLUMNS
from backend.inventory.importing.planner import make_plan
from backend.inventory.importing.plans import ArticleDraft, ImportPlan, UnitDraft
from backend.inventory.importing.snapshot import CHUNK_ROWS, in_chunks
from backend.inventory.importing.spreadsheets import Sheet, read_sheet
from backend.inventory.models import Article, ArticleUnit, StockMovement
from backend.inventory.stock import begin_stock, keep_phrases
from backend.inventory.transactions import in_transaction
from backend.sentences import Sentence
from backend.shops.models import Shop

Row = TypeVar("Row", Article, ArticleUnit)
FIRST_STOCK = Comment.FIRST_STOCK_IMPORTED()


class ImportRefused(CatalogueRefused):
    """The sheet has errors, so nothing was imported. `plan.errors` names each by its line and column."""

    code = "import_refuse"

    def __init__(self, plan: ImportPlan) -> None:
        template = _("%(count)s erreur(s) dans le fichier : rien n'a été importé")
        super().__init__(Sentence(template, {"count": len(plan.errors)}))
        self.plan = plan


def read_articles_sheet(content: bytes) -> Sheet:
    """Read a CSV or XLSX file. Raises SheetUnreadable, SheetTooLarge or HeaderMissing."""
    return read_sheet(content=content, columns=COLUMNS)


def plan_import(*, shop: Shop, sheet: Sheet) -> ImportPlan:
    """Return what the import would create and change, and its errors by line and column. Changes nothing."""
    return make_plan(shop=shop, sheet=sheet, is_locked=False)


def carry_out(*, shop: Shop, sheet: Sheet, author: str) -> ImportPlan:
    """Import the sheet in one transaction, and return what was done.

    The plan is made again under locks: the shop may have changed since the preview. Sales of these units wait until the
    import is over. Raises ImportRefused if a line has an error; then nothing has changed.
    """
    attempted: list[ImportPlan] = []

    def change() -> ImportPlan:
        lock_shop(shop)
        plan = make_plan(shop=shop, sheet=sheet, is_locked=True)
        if plan.errors:
            raise ImportRefused(plan)
        if plan.is_empty and attempted:
            # An earlier attempt was committed; only the answer to its COMMIT was lost.
            return attempted[-1]
        attempted.append(plan)
        _write(plan.drafts, author=author)
        return plan

    return in_transaction(change, name="import_articles")


def _write(drafts: list[ArticleDraft], *, author: str) -> None:
    """Write articles, then units, then references to units. Bulk inserts: ten thousand rows singly take a minute."""
    _insert([draft.article for draft in drafts if draft.is_new])
    units = [unit for draft in drafts for unit in draft.units.values()]
    movements = [
        begin_stock(unit.unit, quantity=unit.opening, author=author, comment=FIRST_STOCK)
        for unit in units
        if unit.opening
    ]
    for draft in drafts:
        for unit in draft.units.values():
            if unit.is_new:
                unit.unit.article = draft.article
            elif unit.changed or unit.opening:
                unit.unit.save(update_fields=[*unit.changed, "stock", "changed_at"])
    _insert([unit.unit for unit in units if unit.is_new])
    StockMovement.objects.bulk_create(movements, batch_size=CHUNK_ROWS)
    _learn_movement_ids(movements)
    keep_phrases((movement, FIRST_STOCK) for movement in movements)
    for draft in drafts:
        if draft.is_new:
            continue
        if draft.new_base:
            draft.article.base_unit = draft.new_base.unit
            draft.changed.add("base_unit")
        if draft.changed:
            draft.article.save(update_fields=[*draft.changed, "changed_at"])
    _write_base_units([draft for draft in drafts if draft.is_new])


def _insert(rows: list[Row]) -> None:
    """Insert many rows and read their ids, which MySQL does not return."""
    if not rows:
        return
    model = type(rows[0])
    model.objects.bulk_create(rows, batch_size=CHUNK_ROWS)
    for chunk in in_chunks([row for row in rows if row.pk is None]):
        ids = dict(model.objects.filter(uuid__in=[row.uuid for row in chunk]).values_list("uuid", "pk"))
        for row in chunk:
            row.pk = ids[row.uuid]


def _base_of(draft: ArticleDraft) -> UnitDraft:
    assert draft.new_base is not None, "the plan refuses a new article without a base unit"
    return draft.new_base


def _learn_movement_ids(movements: list[StockMovement]) -> None:
    """MySQL does not return them. Each is the only movement of its unit."""
    for chunk in in_chunks([movement for movement in movements if movement.pk is None]):
        ids = dict(StockMovement.objects.filter(unit__in=[one.unit_id for one in chunk]).values_list("unit_id", "pk"))
        for movement in chunk:
            movement.pk = ids[movement.unit_id]


def _write_base_units(drafts: list[ArticleDraft]) -> None:
    """Set the base units of new articles, which did not exist when the articles were inserted."""
    for chunk in in_chunks(drafts):
        bases = [_base_of(draft).unit.uuid for draft in chunk]
        own = ArticleUnit.objects.filter(article=OuterRef("pk"), uuid__in=bases)
        articles = Article.objects.filter(pk__in=[draft.article.pk for draft in chunk])
        articles.update(base_unit=Subquery(own.values("pk")[:1]), changed_at=datetime.now(UTC))
