"""What stands beside a movement: what a person typed, or a phrase of ours, kept by its code and what goes into it.

A movement of a document needs neither: its type, its reference and the document's line say all.
"""

from enum import Enum
from typing import Any

from django.utils.translation import gettext_noop as _

from backend.inventory.models import MovementComment, StockMovement
from backend.sentences import FRENCH, Sentence

# A phrase as it is kept: its code, and what goes into it.
Phrase = dict[str, Any]


class Comment(Enum):
    """Calling one gives it as it is kept: `Comment.FIRST_STOCK()`. The codes never change."""

    OPENED = "ouverture", _("Ouverture de %(count)s %(larger)s : %(brought)s %(smaller)s")
    FIRST_STOCK = "stock_initial", _("Stock d'ouverture")
    FIRST_STOCK_IMPORTED = "stock_initial_importe", _("Stock d'ouverture (import)")

    def __init__(self, code: str, template: str) -> None:
        self.code = code
        self.template = template

    def __call__(self, **parts: str | int) -> Phrase:
        return {"code": self.code, **parts}


TEMPLATES = {comment.code: comment.template for comment in Comment}


def comment_of(movement: StockMovement, language: str) -> str:
    """Return a phrase of ours in `language`, what a person typed as it is, and "" for a movement of a document.

    Costs a query where the movement was not read with its phrase (`select_related("kept_comment")`).
    """
    kept: MovementComment | None = getattr(movement, "kept_comment", None)
    return movement.comment if kept is None else say(kept.phrase, language) or movement.comment


def french_comment(comment: str | Phrase) -> str:
    """Return what the movement's own column holds: of a phrase too, for processes of the version before this one."""
    return comment if isinstance(comment, str) else say(comment, FRENCH)


def say(phrase: Phrase, language: str) -> str:
    """Return "" for a code that only a newer version knows."""
    template = TEMPLATES.get(phrase["code"])
    parts = {name: part for name, part in phrase.items() if name != "code"}
    return Sentence(template, parts).say(language) if template else ""
