"""Documents recorded on the pages are posted like a till's, once for each form."""

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections

from backend.sales.errors import KeyReused
from backend.sales.models import Sale
from backend.sales.repair.back_office import Recording, office_device, record_from_page
from backend.sales.tills.pauses import pause
from backend.shops.models import Device, Shop
from backend.testing import Cast
from tests.invariants import check_invariants
from tests.tills import Till, stock_of


def rice(cast: Cast, quantity: int = 2) -> dict[str, Any]:
    line = {"unite_uuid": str(cast.rice.base_unit.uuid), "quantite": quantity, "prix_unitaire": Decimal("25000.00")}
    return {"type": "vente", "lignes": [line]}


@pytest.mark.embedded
def test_a_sale_made_on_a_page_is_posted_like_a_tills(cast: Cast) -> None:
    recording = record_from_page(shop=cast.shop, user=cast.alice, document=rice(cast), key="aaaa1111")
    sale = recording.outcome.document
    assert (recording.outcome.status, sale.total, sale.cashier_code) == ("created", Decimal(50000), "alice")
    assert sale.registration_number.startswith("FAC-BTQ-009-")
    assert sale.warnings == []
    assert stock_of(cast.rice) == 98
    check_invariants()


@pytest.mark.embedded
def test_the_same_form_sent_twice_is_one_sale(cast: Cast) -> None:
    first, second = (
        record_from_page(shop=cast.shop, user=cast.alice, document=rice(cast), key="aaaa1111") for _ in range(2)
    )
    assert first.outcome.document_id == second.outcome.document_id
    assert stock_of(cast.rice) == 98


def test_a_form_changed_and_sent_again_under_its_old_key_is_refused(cast: Cast) -> None:
    record_from_page(shop=cast.shop, user=cast.alice, document=rice(cast), key="aaaa1111")
    with pytest.raises(KeyReused):
        record_from_page(shop=cast.shop, user=cast.alice, document=rice(cast, quantity=3), key="aaaa1111")
    assert Sale.objects.count() == 1


def test_a_page_gets_the_same_refusal_as_a_till(cast: Cast) -> None:
    recording = record_from_page(shop=cast.shop, user=cast.alice, document=rice(cast, quantity=101), key="aaaa1111")
    assert (recording.outcome.status, recording.outcome.code) == ("rejected", "stock_insuffisant")
    assert stock_of(cast.rice) == 100


def test_a_page_voids_what_a_till_sold(cast: Cast, till: Till) -> None:
    line = {"article_id": cast.rice.pk, "quantite": 1, "prix_unitaire": 25000}
    sold = till.settle_one({"numero_facture": "FAC-1", "lignes": [line]})
    void = {"type": "annulation", "origine": {"vente_id": sold["id"]}, "motif": "erreur de saisie"}
    recording = record_from_page(shop=cast.shop, user=cast.alice, document=void, key="bbbb2222")
    assert (recording.outcome.status, recording.outcome.document.reason) == ("voided", "erreur de saisie")
    assert stock_of(cast.rice) == 100


def test_another_shops_sale_is_unknown(cast: Cast, till: Till) -> None:
    line = {"article_id": cast.rice.pk, "quantite": 1, "prix_unitaire": 25000}
    sold = till.settle_one({"numero_facture": "FAC-1", "lignes": [line]})
    void = {"type": "annulation", "origine": {"vente_id": sold["id"]}}
    recording = record_from_page(shop=cast.other_shop, user=cast.charlie, document=void, key="bbbb2222")
    assert (recording.outcome.status, recording.outcome.code) == ("rejected", "origine_invalide")
    assert stock_of(cast.rice) == 99


def test_a_page_does_not_wait_for_ever(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.sales.repair.back_office.POSTED_S_MAX", 0.1)
    pause(shop=cast.shop, terminal=None, reason="inventaire")
    recording = record_from_page(shop=cast.shop, user=cast.alice, document=rice(cast), key="aaaa1111")
    assert recording.outcome is None
    assert recording.batch.settled_at is None


def test_no_call_can_come_from_the_office(cast: Cast) -> None:
    office = Till(office_device(cast.shop))
    assert office.get("/api/v2/simple/etat").json()["code"] == "jeton_manquant"
    office.headers["Authorization"] = "Bearer x"
    assert office.get("/api/v2/simple/etat").json()["code"] == "jeton_invalide"


def test_two_people_at_once_make_one_office_and_two_sales(real_database: None) -> None:
    cast = Cast()
    recordings: list[Recording] = []

    def sell(shop: Shop, user: User, key: str) -> None:
        try:
            recordings.append(record_from_page(shop=shop, user=user, document=rice(cast), key=key))
        finally:
            connections.close_all()

    people = [(cast.alice, "aaaa1111"), (cast.bob, "bbbb2222")]
    threads = [threading.Thread(target=sell, args=(cast.shop, user, key)) for user, key in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.outcome.status for one in recordings] == ["created", "created"]
    assert Device.objects.filter(terminal__is_office=True).count() == 1
    assert stock_of(cast.rice) == 96
    check_invariants()
