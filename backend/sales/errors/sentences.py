"""From what is kept of a sentence, a code with its parameters, to the sentence: the one place that makes it."""

from typing import Any, Protocol

from backend.sales.errors.reasons import Phrase, Reason
from backend.sales.errors.refusals import FieldInvalid, SaleRefused
from backend.sentences import FRENCH, Part, Sentence

TEMPLATES = {
    **{reason.code: reason.template for reason in Reason},
    **{refusal.code: refusal.template for refusal in SaleRefused.__subclasses__()},
}
# What the columns hold, and what a till was ever told at most.
SENTENCE_LENGTH_MAX = 500
REASON_LENGTH_MAX = 300
# The parameter of a sentence that an older version wrote and that has no code.
SENTENCE = "sentence"


class Kept(Protocol):
    """An outcome, now, in the past or on its way. `detail`: its French, for who has no parameters."""

    @property
    def code(self) -> str: ...
    @property
    def params(self) -> Phrase | None: ...
    @property
    def detail(self) -> str: ...


class KeptReason(Protocol):
    """What a person typed, or a phrase of ours and its French."""

    @property
    def reason(self) -> str: ...
    @property
    def reason_params(self) -> Phrase | None: ...


def sentence_of(outcome: Kept, language: str) -> str:
    """Return what an outcome says, in `language`: French for tills. "" where there is nothing to say.

    Without parameters, or with a code that only a newer version knows, its French of then is all there is.
    """
    if outcome.params is None or not (outcome.code in TEMPLATES or SENTENCE in outcome.params):
        return outcome.detail
    return make_sentence(outcome.code, outcome.params).say(language)[:SENTENCE_LENGTH_MAX]


def reason_of(kept: KeptReason, language: str) -> str:
    """Return why an outcome was replaced, or a sale voided: a phrase of ours in `language`, else as it was typed."""
    if kept.reason_params is None or kept.reason_params["code"] not in TEMPLATES:
        return kept.reason
    return said(kept.reason_params, language)[:REASON_LENGTH_MAX]


def said(words: str | Phrase, language: str) -> str:
    """Return a phrase of ours in `language`, and what a person typed as it is."""
    part = _part(words)
    return part.say(language) if isinstance(part, Sentence) else str(part)


def french_of(refusal: SaleRefused) -> str:
    """Return what a till is told of a refusal."""
    return make_sentence(refusal.code, refusal.params).say(FRENCH)[:SENTENCE_LENGTH_MAX]


def phrase_of(outcome: Kept) -> str | Phrase:
    """Return what an outcome says, as a part of another phrase."""
    return outcome.detail if outcome.params is None else {"code": outcome.code, **outcome.params}


def make_sentence(code: str, params: Phrase) -> Sentence:
    if SENTENCE in params:
        return Sentence("%(sentence)s", {SENTENCE: _part(params[SENTENCE])})
    template = TEMPLATES[code]
    if code == FieldInvalid.code and "path" not in params:
        template = FieldInvalid.template_without_path
    return Sentence(template, {name: _part(value) for name, value in params.items()})


def _part(value: Any) -> Part:
    """A phrase within a phrase names its code beside its parameters."""
    if not isinstance(value, dict):
        return value if isinstance(value, int) else str(value)
    params = {name: part for name, part in value.items() if name != "code"}
    if value["code"] not in TEMPLATES and SENTENCE not in params:
        return str(value["code"])
    return make_sentence(value["code"], params)
