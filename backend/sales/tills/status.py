"""What each till reported and sent last, read once: for the watermark, the gaps and the shop's pages.

Heartbeats, counters and what waits come from one statement, and so from one moment. The batches are read after it: a
sale that was handed over before a heartbeat is then found unsettled, or is posted. A page that shows figures beside
these must read the figures later still.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias, TypedDict

from django.db.models import Exists, F, FilteredRelation, OuterRef, Q, QuerySet, Subquery

from backend.sales.models import Batch, Heartbeat, Lane
from backend.shops.models import AuthMode, DeviceState, Terminal, TerminalState

Gaps = list[list[int]]  # of a till's own counter: [[from, to], …], both included, in order


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """A device that holds a till, or held it until another took it over; one that is disabled has no say."""

    device_id: int
    is_active: bool
    is_unproven: bool
    last_seen_at: datetime | None
    # When it last said what it holds; None if it never did.
    said_at: datetime | None
    held_count: int
    held_amounts: list[dict[str, str]]
    # Its counter when it last named it, less what it held then: up to here it says that it handed everything over.
    counted: int | None
    # The oldest of what it sent and is not posted.
    unsettled: Batch | None


@dataclass(frozen=True, slots=True)
class TillStatus:
    terminal: Terminal
    devices: tuple[DeviceStatus, ...]
    last_batch: Batch | None
    waiting_count: int
    waiting_since: datetime | None
    # What is known of the till's own counter, and whether something of it waited when that was read.
    sequence_seen: int | None
    sequence_gaps: Gaps
    was_busy: bool

    @property
    def is_open(self) -> bool:
        """Tell whether somebody sells at this till. The shop's pages are none: what is recorded there nobody holds."""
        is_held = any(device.is_active for device in self.devices)
        return is_held and self.terminal.state == TerminalState.ACTIVE and not self.terminal.is_office


if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class StatusColumns(TypedDict):
    """What a row of `_with_status` has beside the till's own columns."""

    device_id: int | None
    device_state: str | None
    auth_mode: str | None
    last_seen_at: datetime | None
    heartbeat_id: int | None
    said_at: datetime | None
    held_count: int | None
    held_amounts: list[dict[str, str]] | None
    named_id: int | None
    named_sequence: int | None
    named_held: int | None
    sequence_seen: int | None
    sequence_gaps: Gaps | None
    was_busy: bool
    answered_id: int | None


Row: TypeAlias = "WithAnnotations[Terminal, StatusColumns]"


def load_till_statuses(terminals: QuerySet[Terminal]) -> list[TillStatus]:
    """Return these tills by name, each with its devices in the order of their ids. Two queries, whatever the count."""
    rows = list(_with_status(terminals).order_by("name", "pk", "device_id"))
    batches = _newest_and_unsettled(rows)
    return [_till_status(list(group), batches) for _, group in groupby(rows, key=lambda row: row.pk)]


def _with_status(terminals: QuerySet[Terminal]) -> QuerySet[Row]:
    """Return a row for each till and device; a till without a device has a row too."""
    holders = Q(devices__state__in=(DeviceState.ACTIVE, DeviceState.REPLACED))
    heartbeats = Heartbeat.objects.filter(device=OuterRef("holder__pk"), terminal=OuterRef("pk")).order_by("-at")
    # Found by the index alone, however many heartbeats there are; the rows then by their keys.
    last = Heartbeat.objects.filter(pk=OuterRef("heartbeat_id"))
    named = Heartbeat.objects.filter(pk=OuterRef("named_id"))
    lane = Lane.objects.filter(terminal=OuterRef("pk"))
    sent = Batch.objects.filter(terminal=OuterRef("pk"))
    # The end of a range of the index (terminal, join_key): a till may have sent a hundred thousand batches. The few
    # whose answer is still owed are read with the batches.
    answered = sent.filter(join_key=None).order_by("-pk").values("pk")[:1]
    return terminals.annotate(holder=FilteredRelation("devices", condition=holders)).annotate(
        device_id=F("holder__pk"),
        device_state=F("holder__state"),
        auth_mode=F("holder__auth_mode"),
        last_seen_at=F("holder__last_seen_at"),
        heartbeat_id=Subquery(heartbeats.values("pk")[:1]),
        said_at=Subquery(last.values("at")),
        held_count=Subquery(last.values("held_count")),
        held_amounts=Subquery(last.values("held_amounts")),
        named_id=Subquery(heartbeats.filter(sequence__isnull=False).values("pk")[:1]),
        named_sequence=Subquery(named.values("sequence")),
        named_held=Subquery(named.values("held_count")),
        sequence_seen=Subquery(lane.values("sequence_seen")),
        sequence_gaps=Subquery(lane.values("sequence_holes")),
        was_busy=Exists(sent.filter(settled_at=None)),
        answered_id=Subquery(answered),
    )


def _newest_and_unsettled(rows: list[Row]) -> dict[int, list[Batch]]:
    """Return each till's waiting batches, which the intake bounds, and its last batch, in order."""
    of_tills = Batch.objects.filter(terminal_id__in={row.pk for row in rows})
    newest = Batch.objects.filter(pk__in={row.answered_id for row in rows if row.answered_id is not None})
    unsettled, owed = of_tills.filter(settled_at=None), of_tills.filter(join_key__isnull=False)
    found: dict[int, list[Batch]] = defaultdict(list)
    for batch in sorted(newest.union(unsettled, owed), key=lambda batch: batch.pk):
        found[batch.terminal_id].append(batch)
    return found


def _till_status(rows: list[Row], batches: dict[int, list[Batch]]) -> TillStatus:
    terminal = rows[0]
    sent = batches.get(terminal.pk, [])
    waiting = [batch for batch in sent if batch.settled_at is None]
    return TillStatus(
        terminal=terminal,
        devices=tuple(_device_status(row, row.device_id, waiting) for row in rows if row.device_id is not None),
        last_batch=sent[-1] if sent else None,
        waiting_count=sum(batch.waiting_count for batch in waiting),
        waiting_since=min((batch.received_at for batch in waiting), default=None),
        sequence_seen=terminal.sequence_seen,
        sequence_gaps=terminal.sequence_gaps or [],
        was_busy=terminal.was_busy,
    )


def _device_status(row: Row, device_id: int, waiting: list[Batch]) -> DeviceStatus:
    own = [batch for batch in waiting if batch.device_id == device_id]
    return DeviceStatus(
        device_id=device_id,
        is_active=row.device_state == DeviceState.ACTIVE,
        is_unproven=row.auth_mode == AuthMode.SERIAL,
        last_seen_at=row.last_seen_at,
        said_at=row.said_at,
        held_count=row.held_count or 0,
        held_amounts=row.held_amounts or [],
        # Not in SQL: a till may say that it holds more than it counted, and an unsigned column cannot go below zero.
        counted=None if row.named_sequence is None else row.named_sequence - (row.named_held or 0),
        unsettled=min(own, key=lambda batch: batch.received_at, default=None),
    )
