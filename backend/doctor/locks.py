"""What repairs hold while they write: the lane of a till, as everyone does who changes its batches and outcomes."""

from backend.sales.dispatch import ring_on_commit
from backend.sales.models import Lane


def hold_lane(terminal_id: int) -> bool:
    """Lock the till's lane till the end of the transaction; return False if it has none.

    Whoever comes meanwhile finds it busy and goes away, so its workers are rung for after the commit.
    """
    is_held = Lane.objects.select_for_update().filter(pk=terminal_id).first() is not None
    if is_held:
        ring_on_commit(terminal_id)
    return is_held
