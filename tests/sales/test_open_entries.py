"""Open entries: the refused sales that a person still has to decide."""

import pytest

from backend.sales.models import Sale, SaleOutcome
from backend.sales.repair.open_entries import open_entries
from backend.testing import Cast, make_article
from tests.tills import STATE, Till, line, sale

pytestmark = pytest.mark.embedded


def entries(cast: Cast) -> list[tuple[str, str]]:
    found = open_entries(shop_id=cast.shop.pk, terminal_id=cast.terminal.pk).order_by("batch_id", "position")
    return list(found.values_list("number", "code"))


def test_a_refused_sale_is_one_entry_however_often_it_was_sent(cast: Cast, till: Till) -> None:
    refused = sale("A", line(cast.rice, quantity=500))
    for _ in range(3):
        till.settle(refused)
    assert entries(cast) == [("A", "stock_insuffisant")]
    assert till.get(STATE).json()["a_corriger"] == 1


def test_a_resend_that_is_recorded_closes_its_entry_and_no_other(cast: Cast, till: Till) -> None:
    scarce = make_article(cast.shop, stock=0)
    same, other = sale("A", line(scarce)), sale("A", line(scarce, quantity=2))
    till.settle(same, other)
    assert len(entries(cast)) == 2
    scarce.base_unit.stock = 1
    scarce.base_unit.save(update_fields=["stock"])
    till.settle(same)
    # The other content is still refused as it was; sent again, it would conflict with the recorded sale.
    assert entries(cast) == [("A", "stock_insuffisant")]
    till.settle(other)
    assert entries(cast) == [("A", "numero_deja_pris")]
    assert open_entries(shop_id=cast.other_shop.pk).count() == 0


def test_a_sale_that_a_person_recorded_is_no_longer_open(cast: Cast, till: Till) -> None:
    till.settle(sale("A", line(cast.rice, quantity=500)))
    assert entries(cast) == [("A", "stock_insuffisant")]
    outcome = SaleOutcome.objects.get()
    Sale.objects.create(
        kind="vente", shop=cast.shop, terminal=cast.terminal, number="A", fingerprint=outcome.fingerprint, total=0,
        currency="CDF", received_at=outcome.at, recorded_at=outcome.at, business_day=outcome.at.date(),
        till_day=outcome.at.date(),
    )  # fmt: skip
    assert entries(cast) == []


def test_an_unreadable_sale_is_an_open_entry_too(cast: Cast, till: Till) -> None:
    till.settle("rien", sale("B~2", line(cast.rice)), sale("C", line(cast.rice)))
    assert entries(cast) == [("", "champ_invalide"), ("", "champ_invalide")]
    assert open_entries(shop_id=cast.shop.pk).count() == 2
