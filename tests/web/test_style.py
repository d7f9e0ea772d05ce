"""The colours of the style sheet: text is readable on its background, in the light and the dark scheme."""

import re

import pytest
from django.contrib.staticfiles import finders

pytestmark = pytest.mark.embedded

# The contrast that WCAG requires of ordinary text at level AA.
CONTRAST_MIN = 4.5
PAIRS = [
    ("ink", "paper"),
    ("ink", "surface"),
    ("ink", "sunken"),
    ("ink-soft", "paper"),
    ("ink-soft", "surface"),
    ("ink-soft", "sunken"),
    ("accent", "paper"),
    ("accent", "surface"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("hero-ink", "hero"),
    ("hero-soft", "hero"),
    *((f"{tone}-ink", f"{tone}-paper") for tone in ("good", "waiting", "warning", "bad", "quiet")),
]


def tokens() -> dict[str, dict[str, str]]:
    with open(finders.find("web/style.css"), encoding="utf-8") as sheet:  # noqa: PTH123 - a finder gives a name
        text = sheet.read()
    light, dark = re.findall(r":root \{(.*?)\}", text, flags=re.DOTALL)[:2]
    found = {}
    for scheme, block in (("light", light), ("dark", dark)):
        found[scheme] = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
    return found


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_black_on_white_is_what_the_standard_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("words", "ground"), PAIRS)
def test_words_can_be_read(words: str, ground: str, scheme: str) -> None:
    colours = tokens()[scheme]
    assert contrast(colours[words], colours[ground]) >= CONTRAST_MIN


def test_the_dark_scheme_has_every_colour_of_the_light_one() -> None:
    assert tokens()["light"].keys() == tokens()["dark"].keys()
