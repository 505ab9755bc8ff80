"""Charts as SVG, drawn on the server: no script, no style in the markup, colours by class, and a text that says the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from math import isclose

WIDTH, HEIGHT = 320, 96
LEFT, RIGHT, TOP, BOTTOM = 2, 2, 8, 4


@dataclass(frozen=True, slots=True)
class Point:
    """One day: its label, its value (None: not measured, so a gap), and the value as people read it."""

    label: str
    value: Decimal | None
    said: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What a chart shows. `goal` is drawn as a dashed line."""

    code: str  # unique on its page: ids are made from it
    title: str
    description: str
    points: Sequence[Point]
    goal: Decimal | None = None
    floor: Decimal | None = None  # the lowest value of the scale; None: the data's own
    ceiling: Decimal | None = None


def line_svg(chart: Chart) -> str:
    """Result: a line with gaps where nothing was measured; a single day is a dot."""
    scale = _Scale(chart)
    parts = [_goal(chart, scale)]
    for piece in _pieces(chart.points):
        path = " ".join(f"{scale.x(place):.1f},{scale.y(value):.1f}" for place, value in piece)
        if len(piece) > 1:
            base = HEIGHT - BOTTOM
            area = f"{scale.x(piece[0][0]):.1f},{base} {path} {scale.x(piece[-1][0]):.1f},{base}"
            parts.append(f'<polygon class="area" points="{area}"/><polyline class="line" points="{path}"/>')
    last = next(
        ((place, point.value) for place, point in reversed(list(enumerate(chart.points))) if point.value is not None), None
    )
    if last:
        parts.append(f'<circle class="dot" cx="{scale.x(last[0]):.1f}" cy="{scale.y(last[1]):.1f}" r="3"/>')
    return _svg(chart, "line-chart", parts)


def bar_svg(chart: Chart) -> str:
    """Result: a bar a day, from zero; a day without a measure has none, a day of zero a hair line. Bars over the goal say so."""
    scale = _Scale(chart, from_zero=True)
    step = (WIDTH - LEFT - RIGHT) / max(len(chart.points), 1)
    parts = []
    for place, point in enumerate(chart.points):
        if point.value is None:
            continue
        top = min(scale.y(point.value), HEIGHT - BOTTOM - 1)
        over = " over" if chart.goal is not None and point.value >= chart.goal else ""
        parts.append(
            f'<rect class="bar{over}" x="{LEFT + place * step + step * 0.15:.1f}" y="{top:.1f}" width="{step * 0.7:.1f}" '
            f'height="{HEIGHT - BOTTOM - top:.1f}" rx="1.5"/>'
        )
    return _svg(chart, "bar-chart", [*parts, _goal(chart, scale)])


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a whole, drawn by its class."""

    label: str
    count: int
    css: str


def shares_svg(code: str, title: str, shares: Sequence[Share]) -> str:
    """Result: one bar cut by shares; a part that is there at all is seen, however small."""
    whole = sum(share.count for share in shares)
    said = ", ".join(f"{share.label} {share.count:,}" for share in shares)
    visible = [share for share in shares if share.count]
    least = 6.0
    spare = WIDTH - least * len(visible)
    parts, x = [], 0.0
    for share in visible:
        width = least + spare * share.count / whole
        drawn = max(width - 1.5, 1)
        parts.append(f'<rect class="part {escape(share.css)}" x="{x:.1f}" y="0" width="{drawn:.1f}" height="14" rx="2"/>')
        x += width
    if not visible:
        parts.append(f'<rect class="part none" x="0" y="0" width="{WIDTH}" height="14" rx="2"/>')
    return (
        f'<svg class="chart shares-chart" viewBox="0 0 {WIDTH} 14" preserveAspectRatio="none" role="img" '
        f'aria-labelledby="{code}-title {code}-desc"><title id="{code}-title">{escape(title)}</title>'
        f'<desc id="{code}-desc">{escape(said)}</desc>{"".join(parts)}</svg>'
    )


class _Scale:
    """From days and values to places in the picture."""

    def __init__(self, chart: Chart, *, from_zero: bool = False) -> None:
        known = [point.value for point in chart.points if point.value is not None]
        marks = [*known, *(mark for mark in (chart.goal, chart.floor, chart.ceiling) if mark is not None)]
        low = Decimal(0) if from_zero else min(marks, default=Decimal(0))
        high = max(marks, default=Decimal(1))
        self.low, self.high = float(low), float(high)
        self.days = len(chart.points)

    def x(self, place: int) -> float:
        return LEFT + 3 + (WIDTH - LEFT - RIGHT - 6) * (place / (self.days - 1) if self.days > 1 else 0.5)

    def y(self, value: Decimal | float) -> float:
        room = HEIGHT - TOP - BOTTOM
        if isclose(self.high, self.low):
            return TOP + room / 2
        share = (float(value) - self.low) / (self.high - self.low)
        return TOP + room * (1 - min(max(share, 0.0), 1.0))


def _pieces(points: Sequence[Point]) -> list[list[tuple[int, Decimal]]]:
    """Result: runs of days that were measured, each as (place, value)."""
    pieces: list[list[tuple[int, Decimal]]] = [[]]
    for place, point in enumerate(points):
        if point.value is None:
            pieces.append([])
        else:
            pieces[-1].append((place, point.value))
    return [piece for piece in pieces if piece]


def _goal(chart: Chart, scale: _Scale) -> str:
    if chart.goal is None:
        return ""
    y = scale.y(chart.goal)
    return f'<line class="goal" x1="0" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _svg(chart: Chart, css: str, parts: Sequence[str]) -> str:
    return (
        f'<svg class="chart {css}" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-labelledby="{chart.code}-title {chart.code}-desc"><title id="{chart.code}-title">{escape(chart.title)}</title>'
        f'<desc id="{chart.code}-desc">{escape(chart.description)}</desc>'
        f'<line class="base" x1="0" x2="{WIDTH}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM}"/>{"".join(parts)}</svg>'
    )
