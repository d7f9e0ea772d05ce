"""A batch that a replaced device sent after its replacement says so."""

import pytest
from django.test import Client
from django.urls import reverse

from backend.sales.models import Batch
from backend.shops.enrolment import Applicant, create_enrolment_code, enrol_device
from backend.shops.models import Device
from backend.testing import Cast
from tests.shop_day import post, sale
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

LIST = "/commercant/envois/"
LABEL = "Appareil remplacé"


def test_only_what_the_old_device_sent_after_its_replacement_is_labelled(cast: Cast, alice: Client) -> None:
    def pages(batch: Batch) -> str:
        return seen(alice.get(reverse("web:batch", args=[batch.receipt])))

    before = post(cast.device, sale(cast.rice))
    assert LABEL not in seen(alice.get(LIST))
    code = create_enrolment_code(terminal=cast.terminal, replaces=cast.device)
    enrol_device(code=code.text, applicant=Applicant("serie-neuve"))
    new = post(Device.objects.get(serial="serie-neuve"), sale(cast.rice))
    assert LABEL not in seen(alice.get(LIST))
    late = post(cast.device, sale(cast.rice))

    assert seen(alice.get(LIST)).count(LABEL) == 1
    assert [LABEL in pages(batch) for batch in (before, new, late)] == [False, False, True]
    assert "envoyé après qu'un autre appareil a pris la caisse" in pages(late)
