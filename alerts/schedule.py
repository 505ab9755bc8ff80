"""When alerts are looked for and told. Summaries go out in the same round, when they are due."""

from collections.abc import Iterator

from jobs.schedule import EACH_MINUTE, Job


def jobs() -> Iterator[Job]:
    """The one job of this app."""
    yield Job("Alerts", "alerts.tasks.alerts_round", EACH_MINUTE)
