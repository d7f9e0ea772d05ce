"""Pauses: they stop the posting and not the intake."""

import pytest

from backend.sales.models import Pause
from backend.sales.tills.pauses import pause, pauses_of, resume
from backend.testing import Cast
from tests.tills import STATE, Till, line, sale

pytestmark = pytest.mark.embedded


@pytest.mark.parametrize("scope", ["everything", "shop", "terminal"])
def test_a_pause_stops_the_posting_and_not_the_intake(cast: Cast, till: Till, scope: str) -> None:
    where = {"everything": {}, "shop": {"shop": cast.shop}, "terminal": {"terminal": cast.terminal}}[scope]
    pause(**where, reason="inventaire")

    receipt = till.hand_over(sale("A", line(cast.rice)))
    till.post_all()
    assert till.receipt(receipt)["statut"] == "en_attente"
    assert till.get(STATE).json()["pause"] is True

    assert resume(**where) is True
    till.post_all()
    assert till.receipt(receipt)["statut"] == "traite"
    assert till.get(STATE).json()["pause"] is False


def test_a_pause_elsewhere_stops_nothing_here(cast: Cast, till: Till) -> None:
    pause(shop=cast.other_shop)
    pause(terminal=cast.other_terminal)
    till.settle(sale("A", line(cast.rice)))
    assert till.outcomes() == ["created"]
    assert till.get(STATE).json()["pause"] is False
    assert not pauses_of(shop_id=cast.shop.pk, terminal_id=cast.terminal.pk).exists()


def test_a_pause_stops_a_batch_that_has_begun(cast: Cast, till: Till) -> None:
    receipt = till.hand_over(*(sale(number, line(cast.rice)) for number in "ABC"))
    till.post_next()
    pause(terminal=cast.terminal)
    till.post_all()
    assert till.receipt(receipt)["statut"] == "en_cours"
    resume(terminal=cast.terminal)
    till.post_all()
    assert till.outcomes() == ["created"] * 3


def test_a_second_pause_keeps_the_first_and_the_second_resume_says_that_there_was_none(cast: Cast) -> None:
    first = pause(shop=cast.shop, reason="panne")
    assert pause(shop=cast.shop, reason="autre").since == first.since
    assert Pause.objects.get().reason == "panne"
    assert resume() is False
    assert resume(shop=cast.shop) is True
    assert resume(shop=cast.shop) is False
