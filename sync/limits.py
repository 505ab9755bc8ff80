"""How long the engine waits and how often it tries: every such number with its reason, in one place."""

from dataclasses import dataclass, replace
from datetime import timedelta

from django.conf import settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The defaults. `EVENSTOCK_LIMITS` in the settings changes single ones by name."""

    # Clocks and readings
    till_skew: timedelta = timedelta(minutes=2)  # a till's clock may be so far off (ledger.md §3)
    store_skew: timedelta = timedelta(seconds=5)  # a store's clock: web servers keep time better than tills
    dated_ahead: timedelta = timedelta(days=1)  # a shop in the wrong time zone is off by 14 hours; what is further off is no date
    second_look: timedelta = timedelta(seconds=30)  # by then an order that moved a number can surely be seen

    # Writes that fail
    claim_lasts: timedelta = timedelta(seconds=60)  # far less than a turn lasts: an older one may be in another's hands
    attempts: int = 3  # then a person is told (reliability.md)
    first_pause: timedelta = timedelta(seconds=2)  # after a write that surely had no effect; five times as long each time
    failures_in_row: int = 3  # requests without a single good answer, then the system is left alone for a pause
    most_splits: int = 50  # requests a round may spend on finding the bad ones in refused batches
    held_for: timedelta = timedelta(hours=24)  # what was refused, or failed alone, is tried once more after this
    held_while_all_fails: timedelta = timedelta(hours=1)  # the same where nothing gets through: it is hardly the item's fault

    most_looks: int = 50  # orders that can't be read and are asked for one by one, in a full sync

    # When a person is asked
    ask_after: timedelta = timedelta(hours=4)  # a till's files are imported within a shift
    ask_after_times: int = 3  # readings put off in a row; a till that exports once a day needs days for that, rightly

    # Housekeeping
    keep: timedelta = timedelta(days=90)  # what is older is archived

    @property
    def unseen(self) -> timedelta:
        """How long an order may be there, by its store's clock, before we can see it."""
        return self.store_skew + self.second_look


def limits() -> Limits:
    """Result: the limits as they are set."""
    return replace(Limits(), **getattr(settings, "EVENSTOCK_LIMITS", {}))
