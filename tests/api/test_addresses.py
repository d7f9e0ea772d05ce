"""The caller's address is stored, and never keeps a batch from being accepted."""

import json

import pytest
from django.test import Client

from backend.sales.models import Batch
from backend.testing import Cast
from tests.tills import SYNC, line, sale


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("fe80::1234:5678:9abc:def0%un-nom-d-interface-assez-long", "fe80::1234:5678:9abc:def0"),
        ("unix:", None),
    ],
)
def test_a_batch_is_taken_from_whatever_address(cast: Cast, address: str, kept: str | None) -> None:
    body = json.dumps([sale("FAC-1", line(cast.rice))]).encode()
    headers = {"X-Device-Serial": cast.device.serial}
    answer = Client().post(SYNC, body, content_type="application/json", headers=headers, REMOTE_ADDR=address)
    assert answer.status_code == 202
    assert Batch.objects.get().ip == kept
    cast.device.refresh_from_db()
    assert cast.device.last_ip == kept
