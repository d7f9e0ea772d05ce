"""Charts: bars in proportion to their values, and the values as text."""

import re
from decimal import Decimal

import pytest
from django.template.loader import render_to_string

from backend.web.charts import HEIGHT, Bar, Chart

pytestmark = pytest.mark.embedded


def chart(*values: str) -> Chart:
    return Chart("Trente jours", [Bar(f"jour {n}", Decimal(value), f"{value} FC") for n, value in enumerate(values)])


def heights(drawn: Chart) -> list[Decimal]:
    return [Decimal(found) for found in re.findall(r' height="([\d.]+)"', drawn.svg())]


def test_the_highest_bar_goes_all_the_way_up_and_the_others_in_proportion() -> None:
    assert heights(chart("50", "200", "100")) == [25, HEIGHT, 50]


def test_a_small_value_is_visible_and_zero_is_not() -> None:
    assert heights(chart("0", "0.01", "100000", "-5")) == [0, 1, HEIGHT, 0]


def test_an_empty_chart_says_so() -> None:
    assert "Rien à montrer" in render_to_string("web/parts/chart.html", {"chart": chart("0", "0")})


def test_every_value_is_also_written_as_text() -> None:
    words = render_to_string("web/parts/chart.html", {"chart": chart("50", "200")})
    assert words.count("200 FC") == 3  # the bar's own, the highest, the table
    assert words.count("50 FC") == 2


def test_a_label_is_escaped() -> None:
    drawn = Chart("T", [Bar("<b>", Decimal(1), "&")])
    assert "<b>" not in drawn.svg()
    assert "style=" not in drawn.svg()
