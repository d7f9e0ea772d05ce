"""A till that was moved to another shop: what it sold before was sold where it stood then."""

import pytest

from backend.testing import Cast
from tests.tills import Till, line, sale

pytestmark = pytest.mark.embedded


def test_a_receipt_names_the_shop_that_took_the_batch(cast: Cast, till: Till) -> None:
    one = sale("FAC-1", line(cast.rice))
    receipt = till.hand_over(one, Idempotency_Key="cle-1")
    till.post_all()
    cast.terminal.shop = cast.other_shop
    cast.terminal.save(update_fields=["shop"])

    answer = till.receipt(receipt)

    assert answer["boutique"] == {"id": cast.shop.pk, "nom": "Ma Boutique", "code": "BTQ-009"}
    [entry] = answer["details"]["creees"]
    assert (entry["boutique_id"], entry["boutique_nom"]) == (cast.shop.pk, "Ma Boutique")
    assert entry["numero_enregistrement"].startswith("FAC-BTQ-009-")
    assert till.send_sales(one, Idempotency_Key="cle-1").json()["boutique"]["code"] == "BTQ-009"
