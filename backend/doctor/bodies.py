"""Reads the bytes of a sample of batches: inflating all of a million batches would take an hour."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backend.doctor.registry import Scope
from backend.sales.errors import BatchRefused
from backend.sales.models import Batch
from backend.sales.wire.split import cut

NEWEST_MAX = 1000
SAMPLE_MAX = 200
CHUNK = 50
COST = "les octets des lots en attente, des 1 000 derniers, et de 200 plus anciens pris au hasard"


@dataclass(frozen=True, slots=True)
class KeptBatch:
    """A batch with its stored bytes."""

    id: int
    terminal_id: int
    sha256: str
    sale_count: int
    deflated: bytes

    def inflate(self) -> bytes | None:
        """Return the till's bytes; None if they cannot be inflated."""
        try:
            return zlib.decompress(self.deflated)
        except zlib.error:
            return None

    def sales(self) -> list[bytes]:
        """Return the bytes of each sale; none if they cannot be split."""
        body = self.inflate()
        try:
            return cut(body) if body is not None else []
        except BatchRefused:
            return []


def choose_batches(scope: Scope) -> list[int]:
    """Return the ids of the batches whose bytes are checked: the unsettled, the newest, and a sample of the rest."""
    batches = Batch.objects.filter(**scope.narrow())
    waiting = set(batches.filter(settled_at=None).values_list("pk", flat=True))
    newest = set(batches.order_by("-pk").values_list("pk", flat=True)[:NEWEST_MAX])
    sample: set[int] = set()
    if len(newest) == NEWEST_MAX:
        older = batches.filter(pk__lt=min(newest)).order_by("?")
        sample.update(older.values_list("pk", flat=True)[:SAMPLE_MAX])
    return sorted(waiting | newest | sample)


def read_batches(batch_ids: Sequence[int]) -> Iterator[KeptBatch]:
    """Yield the batches that have bytes, in the order of their ids, with one query for each chunk."""
    for start in range(0, len(batch_ids), CHUNK):
        ids = batch_ids[start : start + CHUNK]
        rows = Batch.objects.filter(pk__in=ids, body__isnull=False).order_by("pk")
        for row in rows.values_list("pk", "terminal_id", "sha256", "sale_count", "body__deflated"):
            yield KeptBatch(*row[:4], bytes(row[4]))
