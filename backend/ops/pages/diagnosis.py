"""Why a till's sales may stand still, in sentences for operators, the most likely reason first."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backend.ops.pages.durations import length
from backend.sales.models import Batch, Lane, Pause
from backend.sales.posting.sweep import RING_EVERY, STALE
from backend.shops.models import Terminal, TerminalState

BAD, WARNING, QUIET, GOOD = "bad", "warning", "quiet", "good"
# A single start may belong to a process that is posting the sale now.
STARTS_TELLING = 2
# Busy workers may take up to this long to answer a ring.
UNHEARD = RING_EVERY * 2


@dataclass(frozen=True, slots=True)
class Reason:
    tone: str
    words: str


def reasons_of(
    *, batch: Batch | None, lane: Lane | None, terminal: Terminal | None, pauses: Iterable[Pause]
) -> list[Reason]:
    """Return the known reasons why this batch waits; empty if there is none."""
    if batch is None or batch.settled_at is not None:
        return [Reason(GOOD, _("enregistré entre-temps"))]
    now = datetime.now(UTC)
    reasons = [Reason(WARNING, _pause_words(pause)) for pause in pauses]
    reasons += _deadly(batch, lane)
    if not reasons:
        reasons += _unheard(batch, lane, now)
    if terminal is not None and terminal.state == TerminalState.DISABLED:
        reasons.append(Reason(QUIET, _("caisse désactivée : ce qu’elle a remis avant est enregistré quand même")))
    return reasons


def is_deadly(batch: Batch | None, lane: Lane | None) -> bool:
    """Return whether the batch's next sale has killed the processes that began it, more than once."""
    place = batch and (batch.pk, batch.next_position)
    return bool(lane and place == (lane.starts_batch, lane.starts_position) and lane.starts >= STARTS_TELLING)


def _pause_words(pause: Pause) -> str:
    if pause.terminal_id is not None:
        words = _("caisse en pause")
    elif pause.shop_id is not None:
        words = _("boutique en pause")
    else:
        words = _("tout est en pause")
    return _("%(pause)s : %(reason)s") % {"pause": words, "reason": pause.reason} if pause.reason else words


def _deadly(batch: Batch, lane: Lane | None) -> Iterator[Reason]:
    if lane and is_deadly(batch, lane):
        words = ngettext(
            "la vente %(position)s a interrompu %(count)s fois qui voulait l’enregistrer",
            "la vente %(position)s a interrompu %(count)s fois qui voulait l’enregistrer",
            lane.starts,
        )
        yield Reason(BAD, words % {"position": batch.next_position, "count": lane.starts})


def _unheard(batch: Batch, lane: Lane | None, now: datetime) -> Iterator[Reason]:
    still_for = now - batch.moved_at
    if timedelta() <= still_for < STALE:
        yield Reason(GOOD, _("avance"))
    elif lane is None or lane.rung_at is None or lane.rung_at < batch.received_at:
        yield Reason(WARNING, _("aucune ronde n’a sonné pour elle : une ronde tourne-t-elle ?"))
    elif lane.rung_at < now - UNHEARD:
        yield Reason(WARNING, _("sonnée il y a %(age)s, et plus depuis") % {"age": length(now - lane.rung_at)})
    else:
        words = _("sonnée il y a %(age)s : les ouvriers sont occupés, ou personne n’entend")
        yield Reason(QUIET, words % {"age": length(now - lane.rung_at)})
