"""Compares a spreadsheet's lines with the shop's articles: what each line would create or change, or why it cannot.

An empty cell or a missing column changes nothing. A cell equal to the stored value changes nothing either and is not
validated: importing an unchanged export never fails.
"""

import unicodedata
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TypeVar

from django.utils.translation import gettext_noop as _

from backend.inventory.carton_opening import LEVELS
from backend.inventory.errors import FieldInvalid
from backend.inventory.fields import (
    ARTICLE_CHECKS,
    checked_code,
    checked_level,
    checked_opening_stock,
    checked_unit_field,
)
from backend.inventory.importing.cells import CellUnreadable
from backend.inventory.importing.columns import ARTICLE_FIELDS, UNIT_FIELDS, UUIDS, read_cell
from backend.inventory.importing.plans import ArticleDraft, Creation, ImportPlan, LineNote, OpeningStock, UnitDraft
from backend.inventory.importing.snapshot import Stored, read_stored
from backend.inventory.importing.spreadsheets import Sheet, SheetLine
from backend.inventory.models import Article, ArticleUnit
from backend.sentences import Sentence
from backend.shops.models import Shop

Value = TypeVar("Value")
ALREADY_MOVED = Sentence(_("a déjà bougé : faites un ajustement"))


class LineRefused(Exception):
    """The line's article or unit cannot be determined, so the rest of the line is not read."""

    def __init__(self, column: str, sentence: Sentence) -> None:
        super().__init__(sentence)
        self.column = column
        self.sentence = sentence


def make_plan(*, shop: Shop, sheet: Sheet, is_locked: bool) -> ImportPlan:
    """Return what the sheet would change in the shop. is_locked: lock the articles and units concerned first."""
    return _Planner(shop=shop, sheet=sheet, is_locked=is_locked).run()


class _Planner:
    """One pass over the lines: finds or creates each line's article and unit, and applies its cells to them."""

    def __init__(self, *, shop: Shop, sheet: Sheet, is_locked: bool) -> None:
        self.shop = shop
        self.sheet = sheet
        uuids = [value for column in sorted(UUIDS) for value in _values_of(sheet, column, _read_uuid)]
        codes = list(_values_of(sheet, "code", _read_text))
        self.stored = read_stored(shop=shop, uuids=uuids, codes=codes, is_locked=is_locked)
        self.plan = ImportPlan(line_count=len(sheet.lines))
        self.drafts: dict[object, ArticleDraft] = {}

    def run(self) -> ImportPlan:
        for line in self.sheet.lines:
            for column, sentence in line.faults.items():
                self.plan.refuse(line.number, column, sentence)
            try:
                article = self._find_article(line)
                unit = self._find_unit(line, article)
            except LineRefused as refused:
                self.plan.refuse(line.number, refused.column, refused.sentence)
            else:
                self._read_cells(line, article, unit)
        self.plan.drafts = list(self.drafts.values())
        judge_articles(self.plan, self.stored)
        self.plan.sort()
        return self.plan

    def _find_article(self, line: SheetLine) -> ArticleDraft:
        """Return the line's article: by its uuid, then by its code, then by its unit's uuid; or a new one."""
        article_uuid, code = _read_uuid(line, "article_uuid"), _read_text(line, "code")
        unit_uuid = _read_uuid(line, "unite_uuid")
        if article_uuid is not None:
            article = self.stored.articles.get(article_uuid)
            if article is None:
                raise LineRefused("article_uuid", Sentence(_("article non trouvé dans cette boutique")))
        elif code is not None:
            article = self.stored.articles_by_code.get(code)
        elif unit_uuid is None:
            raise LineRefused("code", Sentence(_("il faut un code ou un identifiant d'article")))
        elif unit_uuid in self.stored.units:
            article = self.stored.articles_by_id[self.stored.units[unit_uuid].article_id]
        else:
            raise LineRefused("unite_uuid", Sentence(_("unité non trouvée dans cette boutique")))
        key = code if article is None else article.pk
        if key not in self.drafts:
            self.drafts[key] = self._draft_article(line, article, code)
        return self.drafts[key]

    def _draft_article(self, line: SheetLine, article: Article | None, code: str | None) -> ArticleDraft:
        if article is not None:
            return ArticleDraft(article, line.number, is_new=False)
        assert code is not None, "a line without a code names a stored article, or was refused"
        try:
            new = Article(shop=self.shop, code=checked_code(code))
        except FieldInvalid as error:
            raise LineRefused("code", error.sentence) from error
        return ArticleDraft(new, line.number, is_new=True)

    def _find_unit(self, line: SheetLine, article: ArticleDraft) -> UnitDraft:
        """Return the line's unit: by its uuid, then by its level; or a new one."""
        unit_uuid, level = _read_uuid(line, "unite_uuid"), _read_text(line, "niveau")
        if unit_uuid is not None:
            unit = self.stored.units.get(unit_uuid)
            if unit is None:
                raise LineRefused("unite_uuid", Sentence(_("unité non trouvée dans cette boutique")))
            if unit.article_id != article.article.pk:
                raise LineRefused("unite_uuid", Sentence(_("cette unité est d'un autre article")))
            if level not in (None, unit.level):
                raise LineRefused(
                    "niveau",
                    Sentence(_("le niveau d'une unité ne change pas : celle-ci est %(level)s"), {"level": unit.level}),
                )
        else:
            try:
                level = checked_level(level or "")
            except FieldInvalid as error:
                raise LineRefused("niveau", error.sentence) from error
            unit = self.stored.units_by_level.get((article.article.pk, level))
        return self._draft_unit(line, article, unit, level=unit.level if unit else str(level))

    def _draft_unit(self, line: SheetLine, article: ArticleDraft, unit: ArticleUnit | None, *, level: str) -> UnitDraft:
        earlier = article.units.get(level)
        if earlier:
            raise LineRefused(
                "niveau", Sentence(_("la ligne %(line)s est déjà celle de cette unité"), {"line": earlier.line})
            )
        new = ArticleUnit(shop=self.shop, level=level, currency=self.shop.currency)
        draft = UnitDraft(unit or new, line.number, is_new=unit is None)
        article.units[level] = draft
        # With a default, a unit whose price was forgotten would be sold for nothing.
        if draft.is_new and line.get("prix") is None and "prix" not in line.faults:
            self.plan.refuse(line.number, "prix", Sentence(_("une nouvelle unité a besoin d'un prix")))
        return draft

    def _read_cells(self, line: SheetLine, article: ArticleDraft, unit: UnitDraft) -> None:
        for column in line.cells:
            try:
                if column in ARTICLE_FIELDS:
                    self._read_of_article(line, article, column)
                elif column in UNIT_FIELDS:
                    self._read_of_unit(line, article, unit, column)
                elif column == "stock":
                    self._read_stock(line, article, unit)
                elif column == "unite_base":
                    is_base = read_cell(column, line.cells[column])
                    assert isinstance(is_base, bool)
                    article.base_cells.append((line.number, is_base, unit))
            except CellUnreadable as error:
                self.plan.refuse(line.number, column, error.sentence)
            except FieldInvalid as error:
                self.plan.refuse(line.number, column, error.sentence)

    def _read_of_article(self, line: SheetLine, draft: ArticleDraft, column: str) -> None:
        """Apply a cell to the article. All lines of an article must agree: one would undo another's change."""
        if column == "code" and line.get("article_uuid") is None:
            return  # Here the code only identifies the article.
        value = read_cell(column, line.cells[column])
        first, first_value = draft.first_values.setdefault(column, (line.number, value))
        if first_value != value:
            template = _("la ligne %(line)s dit autre chose du même article")
            self.plan.refuse(line.number, column, Sentence(template, {"line": first}))
        field = ARTICLE_FIELDS[column]
        current = getattr(draft.article, field)
        if first != line.number or _is_same(value, current):
            return
        checked = ARTICLE_CHECKS[field](value)
        if not draft.is_new:
            self.plan.note_change(line.number, draft.subject, column, before=current, after=checked)
        draft.changed.add(field)
        setattr(draft.article, field, checked)

    def _read_of_unit(self, line: SheetLine, article: ArticleDraft, draft: UnitDraft, column: str) -> None:
        field = UNIT_FIELDS[column]
        value = read_cell(column, line.cells[column])
        current = getattr(draft.unit, field)
        if _is_same(value, current) and not draft.is_new:
            return
        checked = checked_unit_field(field, value, shop=self.shop, level=draft.unit.level)
        if not draft.is_new:
            self.plan.note_change(line.number, article.subject_of(draft), column, before=current, after=checked)
        draft.changed.add(field)
        setattr(draft.unit, field, checked)

    def _read_stock(self, line: SheetLine, article: ArticleDraft, draft: UnitDraft) -> None:
        """Take the opening stock. A unit that has moved keeps its stock: an older sheet would undo its sales."""
        quantity = read_cell("stock", line.cells["stock"])
        assert isinstance(quantity, Decimal)
        if quantity == draft.unit.stock:
            return
        if draft.unit.pk in self.stored.moved_unit_ids:
            self.plan.ignored.append(LineNote(line.number, "stock", ALREADY_MOVED))
            return
        draft.opening = checked_opening_stock(quantity)
        self.plan.openings.append(OpeningStock(line.number, article.subject_of(draft), draft.opening))


def _read_uuid(line: SheetLine, column: str) -> uuid.UUID | None:
    value = _read_identifying(line, column)
    assert value is None or isinstance(value, uuid.UUID)
    return value


def _read_text(line: SheetLine, column: str) -> str | None:
    value = _read_identifying(line, column)
    assert value is None or isinstance(value, str)
    return value


def _read_identifying(line: SheetLine, column: str) -> str | bool | Decimal | uuid.UUID | None:
    """Return the value of a cell that identifies the article or unit, None if it is empty. Raises LineRefused."""
    cell = line.get(column)
    if column in line.faults:
        raise LineRefused(column, Sentence(_("la ligne n'est pas lue plus loin")))
    try:
        return None if cell is None else read_cell(column, cell)
    except CellUnreadable as error:
        raise LineRefused(column, error.sentence) from error


def _values_of(sheet: Sheet, column: str, read: Callable[[SheetLine, str], Value | None]) -> Iterator[Value]:
    """Yield the values of a column. Unreadable cells are skipped here, and refused when their lines are read."""
    for line in sheet.lines:
        try:
            value = read(line, column)
        except LineRefused:
            continue
        if value is not None:
            yield value


def _is_same(value: object, current: object) -> bool:
    if isinstance(current, str):
        current = unicodedata.normalize("NFC", current.strip())
    return value == current


def judge_articles(plan: ImportPlan, stored: Stored) -> None:
    codes: dict[str, ArticleDraft] = {}
    for draft in plan.drafts:
        if draft.is_new:
            plan.creations.append(Creation(draft.line, "article", draft.subject))
            # Without a unit, the line was refused before its name was read.
            if draft.units and not draft.article.name and "nom" not in draft.first_values:
                plan.refuse(draft.line, "nom", Sentence(_("un nouvel article a besoin d'un nom")))
        for unit in draft.units.values():
            if unit.is_new:
                plan.creations.append(Creation(unit.line, "unité", draft.subject_of(unit)))
        _judge_code(plan, stored, draft, codes)
        _judge_base(plan, stored, draft)
        _forget_content(plan, stored, draft)


def _judge_code(plan: ImportPlan, stored: Stored, draft: ArticleDraft, codes: dict[str, ArticleDraft]) -> None:
    """Refuse a code that another article has now, even if the file changes that one: a swap takes two imports."""
    code = draft.article.code
    holder = stored.articles_by_code.get(code)
    rival = codes.setdefault(code, draft)
    if (draft.is_new or "code" in draft.changed) and (holder not in (None, draft.article) or rival is not draft):
        plan.refuse(
            draft.line, "code", Sentence(_("le code %(code)s est déjà celui d'un autre article"), {"code": code})
        )


def _judge_base(plan: ImportPlan, stored: Stored, draft: ArticleDraft) -> None:
    """Choose the base unit: the line that says yes, or the only unit of a new article. Otherwise it stays."""
    chosen = [(line, unit) for line, is_base, unit in draft.base_cells if is_base]
    if len(chosen) > 1:
        template = _("la ligne %(line)s est déjà l'unité de base de cet article")
        plan.refuse(chosen[1][0], "unite_base", Sentence(template, {"line": chosen[0][0]}))
    elif chosen:
        line, unit = chosen[0]
        if unit.is_new or unit.unit.pk != draft.article.base_unit_id:
            draft.new_base = unit
            if not draft.is_new:
                before = _base_level(stored, draft)
                plan.note_change(line, draft.subject, "unite_base", before=before, after=str(unit.unit.level))
    elif draft.is_new and len(draft.units) == 1:
        (draft.new_base,) = draft.units.values()
    elif draft.is_new and draft.units:
        plan.refuse(draft.line, "unite_base", Sentence(_("dites laquelle des unités est celle de base (oui)")))
    else:
        for line, _is_base, unit in draft.base_cells:
            if unit.unit.pk == draft.article.base_unit_id and unit.unit.pk is not None:
                plan.refuse(line, "unite_base", Sentence(_("dites oui à l'unité qui devient celle de base")))


def _base_level(stored: Stored, draft: ArticleDraft) -> str | None:
    units = (stored.units_by_level.get((draft.article.pk, level)) for level in LEVELS)
    return next((str(unit.level) for unit in units if unit and unit.pk == draft.article.base_unit_id), None)


def _forget_content(plan: ImportPlan, stored: Stored, draft: ArticleDraft) -> None:
    """Make the content of the next larger unit unknown where a level is added below it, as `add_unit` does."""
    for level in [level for level, unit in draft.units.items() if unit.is_new and level != LEVELS[-1]]:
        larger = _next_larger(stored, draft, level)
        if larger is None or larger.holds is None:
            continue
        unit = draft.units.setdefault(larger.level, UnitDraft(larger, draft.units[level].line, is_new=False))
        if "holds" in unit.changed:
            continue
        plan.note_change(draft.units[level].line, draft.subject_of(unit), "contient", before=larger.holds, after=None)
        unit.changed.add("holds")
        larger.holds = None


def _next_larger(stored: Stored, draft: ArticleDraft, level: str) -> ArticleUnit | None:
    above = reversed(LEVELS[: LEVELS.index(level)])
    units = (stored.units_by_level.get((draft.article.pk, larger)) for larger in above)
    return next((unit for unit in units if unit), None)
