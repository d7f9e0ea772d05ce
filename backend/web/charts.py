"""Bar charts rendered on the server as SVG that scales to its container. Pages show the values in a table too.

The page's policy forbids inline styles: bars have classes, and positions as SVG attributes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

HEIGHT = 100
# The part of a bar's width that stays empty at its right.
GAP = Decimal("0.2")
# The minimum height of a bar above zero, so that it is visible.
SLIVER = 1


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. words: the value as people read it; tone: a CSS class, or an empty string."""

    label: str
    value: Decimal
    words: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A row of bars with a title. A negative value has no bar; its words still show it."""

    title: str
    bars: Sequence[Bar]

    @property
    def peak(self) -> Bar | None:
        return max(self.bars, key=lambda bar: bar.value, default=None)

    @property
    def is_empty(self) -> bool:
        return not any(bar.value > 0 for bar in self.bars)

    def svg(self) -> SafeString:
        """Return the bars, each one unit wide; the highest one is HEIGHT high."""
        highest = max((bar.value for bar in self.bars), default=Decimal(0)) or Decimal(1)
        rectangles = format_html_join(
            "",
            '<rect class="chart-bar {}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
            (self._rectangle(index, bar, highest) for index, bar in enumerate(self.bars)),
        )
        return format_html(
            '<svg class="chart" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
            len(self.bars),
            HEIGHT,
            self.title,
            rectangles,
        )

    def _rectangle(self, index: int, bar: Bar, highest: Decimal) -> tuple[object, ...]:
        height = Decimal(0)
        if bar.value > 0:
            height = max(Decimal(SLIVER), bar.value / highest * HEIGHT).quantize(Decimal("0.01"))
        return bar.tone, index, HEIGHT - height, 1 - GAP, height, f"{bar.label} : {bar.words}"
