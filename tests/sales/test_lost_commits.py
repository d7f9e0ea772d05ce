"""A COMMIT whose answer was lost, and which the server is still carrying out when intake tries again."""

import pytest
from django.db import IntegrityError

from backend.sales import intake
from backend.sales.intake import Caller, receive_batch
from backend.sales.models import Batch
from backend.testing import Cast


@pytest.mark.parametrize("key", [None, "cle-1"])
def test_a_batch_that_turns_out_to_be_stored_is_the_one_that_is_answered(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    """The second attempt looks before the first is committed, and then collides with it at its own receipt."""

    def store_and_stumble(batch: Batch, *_: object) -> None:
        batch.received_at = batch.moved_at = cast.device.created_at
        batch.save(force_insert=True)
        batch.pk = None
        raise IntegrityError(1062, "Duplicate entry")

    monkeypatch.setattr(intake, "_store", store_and_stumble)
    accepted = receive_batch(caller=Caller(cast.device), body=b'[{"numero_facture": "A"}]', key=key)
    assert accepted.batch == Batch.objects.get()
    assert not accepted.is_replay
