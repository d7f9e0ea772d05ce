"""A slice reads the units of many sales at once; a fault that it reads ahead refuses nothing early."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.sales.models import SaleOutcome
from backend.sales.posting.runner import post_slice
from backend.sales.wire.split import peek_units
from backend.testing import Cast, make_article
from tests.tills import Till, line, sale

UUID = "0d9ae2b4-6f0e-4c1c-9f0a-6a3c9a0f7a11"


@pytest.mark.embedded
def test_a_slice_reads_the_units_of_the_sales_that_follow_with_the_first(cast: Cast, till: Till) -> None:
    articles = [make_article(cast.shop) for _ in range(5)]
    till.hand_over(*(sale(f"FAC-{number}", line(article)) for number, article in enumerate(articles)))

    with CaptureQueriesContext(connection) as queries:
        report = post_slice(cast.terminal.pk, slice_s=60)

    assert report.posted == len(articles)
    assert sum("inventory_article`.`uuid" in one["sql"].replace('"', "`") for one in queries) == 1


@pytest.mark.embedded
def test_a_fault_in_a_later_sale_refuses_that_sale_alone(cast: Cast, till: Till) -> None:
    foreign = line(cast.other_article)
    till.hand_over(
        sale("FAC-1", line(cast.rice)),
        sale("FAC-2", foreign),
        sale("FAC-3", {"article_id": "15"}),
        {"numero_facture": "FAC-4", "lignes": None},
        sale("FAC-5", line(cast.oil)),
    )
    post_slice(cast.terminal.pk, slice_s=60)

    outcomes = SaleOutcome.objects.order_by("position").values_list("status", "path")
    assert list(outcomes) == [
        ("created", ""),
        ("rejected", "lignes[0].article_id"),
        ("rejected", "lignes[0].article_id"),
        ("rejected", "lignes"),
        ("created", ""),
    ]


@pytest.mark.parametrize(
    ("content", "keys"),
    [
        ({"lignes": [{"article_id": 15}, {"article_id": 18}]}, [(("article_id", 15),), (("article_id", 18),)]),
        ({"lignes": [{"unite_uuid": UUID.upper()}]}, [(("unite_uuid", UUID),)]),
        (
            {"lignes": [{"article_id": 15, "article_uuid": UUID, "unite_uuid": UUID}]},
            [(("unite_uuid", UUID), ("article_uuid", UUID), ("article_id", 15))],
        ),
        ({"lignes": [{"quantite": 1}]}, []),
        ({"lignes": [{"article_id": "15"}]}, []),
        ({"lignes": None}, []),
        ({"lignes": 7}, []),
        ({}, []),
        ([], []),
    ],
)
def test_it_peeks_at_the_keys_of_the_units(content: object, keys: list) -> None:
    assert peek_units(json.dumps(content).encode()) == keys


def test_an_unreadable_sale_has_no_keys() -> None:
    assert peek_units(b'{"lignes": [{"article_id": NaN}]}') == []
    assert peek_units(b'{"lignes": [{"unite_uuid": "\xff"}]}') == []
