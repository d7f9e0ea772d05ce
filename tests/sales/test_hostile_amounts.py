"""Amounts sent as texts, in every field that has one: a text that is no amount is a refusal and never a bug."""

import json

import pytest

from backend.sales.errors import FieldInvalid
from backend.sales.wire.parser import read_sale
from backend.testing import Cast
from tests.tills import Till, line, sale

pytestmark = pytest.mark.embedded

NO_AMOUNTS = ("NaN", "sNaN", "-Infinity", "1E+999999999", "-5")


@pytest.mark.parametrize("text", NO_AMOUNTS)
@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("montant", lambda text: {"type": "paiement", "montant": text}),
        ("remise", lambda text: {"type": "annulation", "remise": text}),
        ("lignes[0].quantite", lambda text: {"type": "retour", "lignes": [{"ligne": 1, "quantite": text}]}),
        ("lignes[0].remise", lambda text: {"type": "retour", "lignes": [{"ligne": 1, "remise": text}]}),
    ],
)
def test_a_follower_is_refused_with_the_path_of_the_text_that_is_no_amount(
    path: str, fields: object, text: str
) -> None:
    with pytest.raises(FieldInvalid) as refused:
        read_sale(json.dumps({"numero_facture": "A", **fields(text)}).encode())
    assert refused.value.path == path


@pytest.mark.parametrize("text", NO_AMOUNTS)
def test_a_sale_ignores_the_amount_of_a_payment(cast: Cast, till: Till, text: str) -> None:
    """On a sale `montant` is an unknown field: it neither breaks the sale nor changes its fingerprint."""
    assert till.settle_one(sale("A", line(cast.rice), montant=text))["status"] == "created"
    assert till.settle_one(sale("A", line(cast.rice)))["status"] == "duplicate"
