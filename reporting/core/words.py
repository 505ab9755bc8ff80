"""Figures as people read them."""

from datetime import timedelta
from decimal import Decimal

from reporting.metrics.figures import Better, Headline

UNKNOWN = "–"


def seconds_said(seconds: Decimal | float | None) -> str:
    """Result: a span in its largest fitting unit: 0.4 s, 41 s, 7 min, 3 h, 2 days; a dash while unknown."""
    if seconds is None:
        return UNKNOWN
    value = float(seconds)
    if value < 10:
        return f"{value:.1f} s"
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if value < limit:
            return f"{value / size:.0f} {unit}"
    return f"{value / 86400:.0f} days"


def seconds_exact(milliseconds: Decimal) -> str:
    """Result: how long an answer took: 0.24 s."""
    return f"{milliseconds / 1000:.2f} s"


def span_said(span: timedelta | None) -> str:
    return UNKNOWN if span is None else seconds_said(span.total_seconds())


def percent_said(value: Decimal | None) -> str:
    """Result: 99.88 %; 100 % only when it is all, since percentages are cut, not rounded."""
    return UNKNOWN if value is None else f"{value.normalize():f} %"


def value_said(headline: Headline, value: Decimal | None) -> str:
    """Result: a headline's value with its unit; a dash while unknown."""
    if value is None:
        return UNKNOWN
    if headline.unit == "s":
        return seconds_said(value)
    return percent_said(value) if headline.unit == "%" else f"{value:,.0f}"


def goal_said(headline: Headline) -> str:
    """Result: “goal under 5 min”."""
    word = "under" if headline.better is Better.BELOW else "over"
    goal = "5 min" if headline.unit == "s" and headline.goal == 300 else value_said(headline, headline.goal)
    return f"goal {word} {goal}"
