"""Which voids are corrections of the repair desk: they undo money where it moved, and nobody handed anything back."""

import zlib
from collections.abc import Iterable

from backend.sales.models import BatchBody, Sale, SaleKind
from backend.sales.wire.office import read_office_drawer
from backend.sales.wire.split import cut


def corrections_among(documents: Iterable[Sale]) -> set[int]:
    """Return the ids of the corrections among these documents, with their tills. One query, none without candidates.

    Only the bytes tell: a void on the shop's pages may also name another till's drawer, and that one was opened.
    """
    places = {
        one.pk: (one.batch_id, one.position)
        for one in documents
        if one.kind == SaleKind.VOID and one.terminal.is_office and one.batch_id is not None and one.position
    }
    if not places:
        return set()
    bodies = BatchBody.objects.filter(pk__in={batch_id for batch_id, _ in places.values()})
    sent = {pk: cut(zlib.decompress(deflated)) for pk, deflated in bodies.values_list("pk", "deflated")}
    return {pk for pk, (batch_id, position) in places.items() if _undoes_in_place(sent[batch_id][position - 1])}


def _undoes_in_place(raw: bytes) -> bool:
    drawer = read_office_drawer(raw)
    return drawer is not None and drawer.origine
