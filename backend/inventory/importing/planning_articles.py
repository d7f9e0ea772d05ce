"""What can be judged of an imported article only once all its lines are read: its name, its code, its base unit."""

from backend.inventory.carton_opening import LEVELS
from backend.inventory.importing.plans import ArticleDraft, Creation, ImportPlan, UnitDraft
from backend.inventory.importing.snapshot import Stored
from backend.inventory.models import ArticleUnit


def judge_articles(plan: ImportPlan, stored: Stored) -> None:
    codes: dict[str, ArticleDraft] = {}
    for draft in plan.drafts:
        if draft.is_new:
            plan.creations.append(Creation(draft.line, "article", draft.subject))
            # Without a unit its line was not read so far.
            if draft.units and not draft.article.name and "nom" not in draft.said:
                plan.refuse(draft.line, "nom", "un nouvel article a besoin d'un nom")
        for unit in draft.units.values():
            if unit.is_new:
                plan.creations.append(Creation(unit.line, "unité", draft.subject_of(unit)))
        _judge_code(plan, stored, draft, codes)
        _judge_base(plan, stored, draft)
        _forget_content(plan, stored, draft)


def _judge_code(plan: ImportPlan, stored: Stored, draft: ArticleDraft, codes: dict[str, ArticleDraft]) -> None:
    """A code is taken by who has it now, even if the file gives that one another: two imports make such a swap."""
    code = draft.article.code
    holder = stored.articles_by_code.get(code)
    rival = codes.setdefault(code, draft)
    if (draft.is_new or "code" in draft.changed) and (holder not in (None, draft.article) or rival is not draft):
        plan.refuse(draft.line, "code", f"le code {code} est déjà celui d'un autre article")


def _judge_base(plan: ImportPlan, stored: Stored, draft: ArticleDraft) -> None:
    """The base unit changes only where a line says so; a new article with one unit has no other to choose."""
    chosen = [(line, unit) for line, is_base, unit in draft.base_said if is_base]
    if len(chosen) > 1:
        plan.refuse(chosen[1][0], "unite_base", f"la ligne {chosen[0][0]} est déjà l'unité de base de cet article")
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
        plan.refuse(draft.line, "unite_base", "dites laquelle des unités est celle de base (oui)")
    else:
        for line, _, unit in draft.base_said:
            if unit.unit.pk == draft.article.base_unit_id and unit.unit.pk is not None:
                plan.refuse(line, "unite_base", "dites oui à l'unité qui devient celle de base")


def _base_level(stored: Stored, draft: ArticleDraft) -> str | None:
    units = (stored.units_by_level.get((draft.article.pk, level)) for level in LEVELS)
    return next((str(unit.level) for unit in units if unit and unit.pk == draft.article.base_unit_id), None)


def _forget_content(plan: ImportPlan, stored: Stored, draft: ArticleDraft) -> None:
    """What the next larger unit holds was told in something smaller than a level that is new, as in `add_unit`."""
    for level in [level for level, unit in draft.units.items() if unit.is_new and level != LEVELS[-1]]:
        larger = _next_larger(stored, draft, level)
        if larger is None or larger.holds is None:
            continue
        told = draft.units.setdefault(larger.level, UnitDraft(larger, draft.units[level].line, is_new=False))
        if "holds" in told.changed:
            continue
        plan.note_change(draft.units[level].line, draft.subject_of(told), "contient", before=larger.holds, after=None)
        told.changed.add("holds")
        larger.holds = None


def _next_larger(stored: Stored, draft: ArticleDraft, level: str) -> ArticleUnit | None:
    above = reversed(LEVELS[: LEVELS.index(level)])
    units = (stored.units_by_level.get((draft.article.pk, one)) for one in above)
    return next((unit for unit in units if unit), None)
