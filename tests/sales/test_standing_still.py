"""Pauses stop the posting and not the intake; what a person still has to decide; holes in the till's own counter."""

import pytest

from backend.sales.models import Pause, Sale, SaleOutcome
from backend.sales.repair.open_entries import open_entries
from backend.sales.tills.pauses import pause, pauses_of, resume
from backend.testing import Cast, make_article
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


def test_a_pause_elsewhere_stops_nobody_here(cast: Cast, till: Till) -> None:
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


def test_a_second_pause_keeps_the_first_and_resuming_twice_says_so(cast: Cast) -> None:
    first = pause(shop=cast.shop, reason="panne")
    assert pause(shop=cast.shop, reason="autre").since == first.since
    assert Pause.objects.get().reason == "panne"
    assert resume() is False
    assert resume(shop=cast.shop) is True
    assert resume(shop=cast.shop) is False


def entries(cast: Cast) -> list[tuple[str, str]]:
    found = open_entries(shop_id=cast.shop.pk, terminal_id=cast.terminal.pk).order_by("batch_id", "position")
    return list(found.values_list("number", "code"))


def test_what_is_to_be_corrected_stands_once_however_often_it_was_sent(cast: Cast, till: Till) -> None:
    refused = sale("A", line(cast.rice, quantity=500))
    for _ in range(3):
        till.settle(refused)
    assert entries(cast) == [("A", "stock_insuffisant")]
    assert till.get(STATE).json()["a_corriger"] == 1


def test_a_resend_that_goes_through_closes_its_entry_and_no_other(cast: Cast, till: Till) -> None:
    scarce = make_article(cast.shop, stock=0)
    same, other = sale("A", line(scarce)), sale("A", line(scarce, quantity=2))
    till.settle(same, other)
    assert len(entries(cast)) == 2
    scarce.base_unit.stock = 1
    scarce.base_unit.save(update_fields=["stock"])
    till.settle(same)
    # The other content under that number is now a conflict of its own, and was refused before.
    assert entries(cast) == [("A", "stock_insuffisant")]
    till.settle(other)
    assert entries(cast) == [("A", "numero_deja_pris")]
    assert open_entries(shop_id=cast.other_shop.pk).count() == 0


def test_a_sale_that_a_person_recorded_is_no_longer_to_be_corrected(cast: Cast, till: Till) -> None:
    till.settle(sale("A", line(cast.rice, quantity=500)))
    assert entries(cast) == [("A", "stock_insuffisant")]
    outcome = SaleOutcome.objects.get()
    Sale.objects.create(
        kind="vente", shop=cast.shop, terminal=cast.terminal, number="A", fingerprint=outcome.fingerprint, total=0,
        currency="CDF", received_at=outcome.at, recorded_at=outcome.at, business_day=outcome.at.date(),
        till_day=outcome.at.date(),
    )  # fmt: skip
    assert entries(cast) == []


def test_a_sale_that_nobody_can_read_is_to_be_corrected_too(cast: Cast, till: Till) -> None:
    till.settle("rien", sale("B~2", line(cast.rice)), sale("C", line(cast.rice)))
    assert entries(cast) == [("", "champ_invalide"), ("", "champ_invalide")]
    assert open_entries(shop_id=cast.shop.pk).count() == 2


def test_holes_in_the_tills_counter_are_told_and_filled(cast: Cast, till: Till) -> None:
    def counted(*counters: int) -> list[dict]:
        return [sale(f"FAC-{counter}", line(cast.rice), sequence=counter) for counter in counters]

    assert till.settle(*counted(1839))["trous"] == []
    with_hole = till.settle(*counted(1842, 1844))
    assert with_hole["trous"] == [{"de": 1840, "a": 1841}, {"de": 1843, "a": 1843}]
    assert till.get(STATE).json()["trous"] == with_hole["trous"]

    assert till.settle(*counted(1841))["trous"] == []
    assert till.get(STATE).json()["trous"] == [{"de": 1840, "a": 1840}, {"de": 1843, "a": 1843}]
    # A receipt keeps the holes as its batch showed them.
    assert till.receipt(with_hole["recu"])["trous"] == with_hole["trous"]


def test_a_malformed_sale_is_counted_too(cast: Cast, till: Till) -> None:
    body = b'[{"sequence": 1}, {"sequence": 2, "remise": NaN}, {"sequence": 3}]'
    receipt = till.send(body).json()["recu"]
    till.post_all()
    assert till.receipt(receipt)["trous"] == []
    assert SaleOutcome.objects.filter(code="champ_invalide").count() == 3
