"""A waterfall as SVG, drawn on the server: one step below the other, each beginning where the one before it ended.

Places along the line are shares of the width, so that the text keeps its size on a phone; no script, no style in the markup.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

ROW, LABEL, BAR = 40, 15, 13  # pixels: of a step, down to its text's foot, and the bar's height


@dataclass(frozen=True, slots=True)
class Fall:
    """One step: its words, from where to where, its class (total, moved, held, odd), and the number as people read it."""

    label: str
    start: Decimal
    end: Decimal
    css: str
    said: str


@dataclass(frozen=True, slots=True)
class Scale:
    """From numbers to shares of the width; zero is always on it."""

    low: Decimal
    high: Decimal

    @classmethod
    def of(cls, falls: Sequence[Fall]) -> "Scale":
        marks = [Decimal(0), *(mark for fall in falls for mark in (fall.start, fall.end))]
        return cls(min(marks), max(marks))

    def place(self, value: Decimal) -> float:
        """Result: percent of the width."""
        span = self.high - self.low
        return float((value - self.low) / span * 100) if span else 0.0


def waterfall_svg(*, code: str, title: str, falls: Sequence[Fall]) -> str:
    """Result: the drawing. Its description says the same in words."""
    scale = Scale.of(falls)
    said = "; ".join(f"{fall.label} {fall.said}" for fall in falls)
    zero = scale.place(Decimal(0))
    parts = [f'<line class="zero" x1="{zero:.2f}%" x2="{zero:.2f}%" y1="0" y2="{ROW * len(falls)}"/>']
    for place, fall in enumerate(falls):
        top = ROW * place
        parts.append(f'<text class="label" x="0" y="{top + LABEL}">{escape(fall.label)}</text>')
        parts.append(
            f'<text class="said {escape(fall.css)}" x="100%" y="{top + LABEL}" text-anchor="end">{escape(fall.said)}</text>'
        )
        parts.append(_bar(fall, scale, y=top + LABEL + 5))
    return (
        f'<svg class="waterfall" width="100%" height="{ROW * len(falls)}" role="img" aria-labelledby="{code}-title {code}-desc">'
        f'<title id="{code}-title">{escape(title)}</title><desc id="{code}-desc">{escape(said)}.</desc>{"".join(parts)}</svg>'
    )


def fall_svg(fall: Fall, scale: Scale) -> str:
    """Result: the bar of one step alone, for a table that says its numbers beside it."""
    return f'<svg class="fall-bar" width="100%" height="{BAR}" aria-hidden="true">{_bar(fall, scale, y=0)}</svg>'


def _bar(fall: Fall, scale: Scale, *, y: int) -> str:
    left, right = sorted((scale.place(fall.start), scale.place(fall.end)))
    way = "" if fall.css == "total" else " up" if fall.end >= fall.start else " down"
    return (
        f'<rect class="fall {escape(fall.css)}{way}" x="{left:.2f}%" y="{y}" width="{max(right - left, 0.4):.2f}%" '
        f'height="{BAR}" rx="2"/>'
    )
