"""Looking at everything there is, and acting on what was found."""

from datetime import datetime

from alerts.rules.words import Code
from alerts.selectors.looks import EACH_MINUTE, EVERYTHING, findings
from alerts.services.retry import failed_syncs_retry
from alerts.services.send import notifications_send
from alerts.services.settle import Settled, alerts_settle

FULL_LOOK_EVERY = 5  # minutes


def alerts_evaluate(*, now: datetime, codes: frozenset[Code] = EVERYTHING) -> Settled:
    """Look, by these rules, at all there is; open, change and resolve alerts. Nothing is sent yet. Result: what was done."""
    found, asked = findings(codes=codes, now=now)
    return alerts_settle(findings=found, codes=asked, now=now)


def alerts_round(*, now: datetime) -> Settled:
    """What is done each minute: the rules that can't wait, every fifth minute all of them; a failed sync is tried again; what
    people must hear is sent. Result: what was done to alerts."""
    done = alerts_evaluate(now=now, codes=EVERYTHING if now.minute % FULL_LOOK_EVERY == 0 else EACH_MINUTE)
    failed_syncs_retry(now=now)
    notifications_send(now=now)
    return done
