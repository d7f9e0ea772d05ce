"""Bars as high as what they stand for, and their words beside them."""

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


def test_what_is_little_is_still_seen_and_what_is_nothing_is_not() -> None:
    assert heights(chart("0", "0.01", "100000", "-5")) == [0, 1, HEIGHT, 0]


def test_a_chart_of_nothing_says_so() -> None:
    assert "Rien à montrer" in render_to_string("web/parts/chart.html", {"chart": chart("0", "0")})


def test_every_figure_stands_beside_the_bars_in_words() -> None:
    words = render_to_string("web/parts/chart.html", {"chart": chart("50", "200")})
    assert words.count("200 FC") == 3  # the bar's own, the highest, the table
    assert words.count("50 FC") == 2


def test_what_a_label_says_is_text() -> None:
    drawn = Chart("T", [Bar("<b>", Decimal(1), "&")])
    assert "<b>" not in drawn.svg()
    assert "style=" not in drawn.svg()
