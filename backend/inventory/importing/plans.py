"""The plan of an import of articles, line by line: shown as a preview, and made again under locks."""

from dataclasses import dataclass, field
from decimal import Decimal

from backend.inventory.importing.columns import show_value
from backend.inventory.models import Article, ArticleUnit
from backend.sentences import Sentence


@dataclass(frozen=True)
class LineNote:
    """A sentence about one cell: an error, or why the cell is ignored."""

    line: int
    column: str
    sentence: Sentence


@dataclass(frozen=True)
class Creation:
    line: int
    what: str  # "article" or "unité"
    subject: str


@dataclass(frozen=True)
class Change:
    """A field's change, with its values as people read them."""

    line: int
    subject: str
    column: str
    before: str
    after: str


@dataclass(frozen=True)
class OpeningStock:
    line: int
    subject: str
    quantity: Decimal


@dataclass
class UnitDraft:
    """A unit with its new values set, not saved yet. `changed` names the fields."""

    unit: ArticleUnit
    line: int
    is_new: bool
    changed: set[str] = field(default_factory=set)
    opening: Decimal | None = None


@dataclass
class ArticleDraft:
    """An article with its new values set, not saved yet, and its units in the file, by level."""

    article: Article
    line: int
    is_new: bool
    units: dict[str, UnitDraft] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    # The first line and value of each column: the other lines must agree.
    first_values: dict[str, tuple[int, object]] = field(default_factory=dict)
    # The cells of `unite_base`: (line, yes or no, unit).
    base_cells: list[tuple[int, bool, UnitDraft]] = field(default_factory=list)
    new_base: UnitDraft | None = None

    @property
    def subject(self) -> str:
        return self.article.name or self.article.code

    def subject_of(self, unit: UnitDraft) -> str:
        return f"{self.subject} · {unit.unit.mark or unit.unit.level}"


@dataclass
class ImportPlan:
    """Everything in the order of the lines. If there are errors, nothing is carried out."""

    line_count: int = 0
    creations: list[Creation] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    openings: list[OpeningStock] = field(default_factory=list)
    ignored: list[LineNote] = field(default_factory=list)
    errors: list[LineNote] = field(default_factory=list)
    drafts: list[ArticleDraft] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing would be created, changed or brought in."""
        return not (self.creations or self.changes or self.openings)

    def refuse(self, line: int, column: str, sentence: Sentence) -> None:
        self.errors.append(LineNote(line, column, sentence))

    def note_change(self, line: int, subject: str, column: str, *, before: object, after: object) -> None:
        self.changes.append(Change(line, subject, column, show_value(before), show_value(after)))

    def sort(self) -> None:
        """Sort by line: what concerns a whole article was added after its lines."""
        for entries in (self.creations, self.changes, self.openings, self.ignored, self.errors):
            entries.sort(key=lambda entry: entry.line)
