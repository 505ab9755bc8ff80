"""What a channel is given to tell: plain words, the same for all kinds."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

SHOWN = {40: ("✗", "Critical"), 30: ("▲", "High"), 20: ("▲", "Medium"), 10: ("–", "Low")}


@dataclass(frozen=True, slots=True)
class Line:
    """One alert. `link` is empty where nobody has said under which address Evenstock is reached."""

    alert_id: int
    severity: int
    rule: str
    rule_title: str
    title: str
    words: str
    next_step: str = ""
    system: str = ""
    link: str = ""
    since: str = ""

    @property
    def sign(self) -> str:
        return SHOWN[self.severity][0]

    @property
    def severity_word(self) -> str:
        return SHOWN[self.severity][1]


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `more`: alerts of the same kind that it does not list; `totals`: how many there are of each rule."""

    delivery: UUID
    subject: str
    intro: str
    lines: Sequence[Line] = ()
    more: int = 0
    totals: Sequence[tuple[str, int]] = ()
    link: str = ""


def one_line(text: str, most: int = 200) -> str:
    """Result: the text on one line, cut where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"
