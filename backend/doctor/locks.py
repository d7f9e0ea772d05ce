"""The lock that a repair holds while it writes: the till's lane, as for any change of its batches and outcomes."""

from backend.sales.dispatch import ring_on_commit
from backend.sales.models import Lane


def hold_lane(terminal_id: int) -> bool:
    """Lock the till's lane until the end of the transaction; return False if it has none.

    A worker that comes meanwhile finds the lane busy and gives up, so ring for the till after the commit.
    """
    is_held = Lane.objects.select_for_update().filter(pk=terminal_id).first() is not None
    if is_held:
        ring_on_commit(terminal_id)
    return is_held
