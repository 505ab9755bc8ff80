"""What became of one world. Knows nothing of Django, so that it can go from one process to another."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Life:
    """What became of one world."""

    seed: int
    amiss: list[str]
    wrong: list[str]
    figures: Counter[str]
    story: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        return not self.amiss and not self.wrong

    @property
    def mark(self) -> str:
        """Equal for equal lives: a replay shows it."""
        return hashlib.sha256("\n".join(self.story).encode()).hexdigest()[:12]
