"""Charts made on the server: bars as SVG that stretches to its place. What they say stands beside them as a table too.

No style is written into the page (its policy forbids it): bars have classes, and places as SVG attributes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

HEIGHT = 100
# Of the room that a bar has, what it leaves free at its right.
GAP = Decimal("0.2")
# The least height of a bar that is not nothing: it must be seen.
SLIVER = 1


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it stands for, how much, and both as a person reads them. `tone`: "" or a class of the sheet."""

    label: str
    value: Decimal
    words: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A row of bars with its title. Values below zero are shown as none; their words say what they are."""

    title: str
    bars: Sequence[Bar]

    @property
    def peak(self) -> Bar | None:
        return max(self.bars, key=lambda bar: bar.value, default=None)

    @property
    def is_empty(self) -> bool:
        return not any(bar.value > 0 for bar in self.bars)

    def svg(self) -> SafeString:
        """Return the bars alone: one unit wide each, HEIGHT high, the highest of them all the way up."""
        highest = max((bar.value for bar in self.bars), default=Decimal(0)) or Decimal(1)
        rectangles = format_html_join(
            "",
            '<rect class="chart-bar {}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
            (self._rectangle(place, bar, highest) for place, bar in enumerate(self.bars)),
        )
        return format_html(
            '<svg class="chart" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
            len(self.bars),
            HEIGHT,
            self.title,
            rectangles,
        )

    def _rectangle(self, place: int, bar: Bar, highest: Decimal) -> tuple[object, ...]:
        height = Decimal(0)
        if bar.value > 0:
            height = max(Decimal(SLIVER), bar.value / highest * HEIGHT).quantize(Decimal("0.01"))
        return bar.tone, place, HEIGHT - height, 1 - GAP, height, f"{bar.label} : {bar.words}"
