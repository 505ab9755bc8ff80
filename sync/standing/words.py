"""How a pair's standing is written into its state: a status that other tools know, and a sentence."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from sync.core.standing import Verdict
from sync.models import SyncState

Status = SyncState.Status
STATUS: Final[Mapping[Verdict, Status]] = {
    Verdict.GONE: Status.CONFLICT,
    Verdict.UNREAD: Status.ERROR,
    Verdict.WITH_PARENT: Status.CONFLICT,
    Verdict.NOT_COUNTED: Status.CONFLICT,
    Verdict.ITEM_MISSING: Status.CONFLICT,
    Verdict.ITEM_UNCOUNTED: Status.CONFLICT,
    Verdict.NO_TARGET: Status.CONFLICT,
    Verdict.UNOPENED: Status.PENDING,
    Verdict.UNANSWERED: Status.PENDING,
    Verdict.DISPUTED: Status.CONFLICT,
    Verdict.SUSPECT: Status.PENDING,
    Verdict.OFF: Status.PENDING,
    Verdict.TILL_UNTOLD: Status.PENDING,
    Verdict.TILL_TROUBLE: Status.ERROR,
    Verdict.LEFT: Status.SYNCED,
    Verdict.IN_STEP: Status.SYNCED,
    Verdict.FAILED: Status.ERROR,
    Verdict.OWED: Status.PENDING,
}
SENTENCE: Final[Mapping[Verdict, str]] = {
    Verdict.GONE: "The product is no longer in the shop. Restore it there, or reject the alignment.",
    Verdict.UNREAD: "The shop's answer can't be read, so nothing is written to it. {why}",
    Verdict.WITH_PARENT: "The shop counts this variation with its parent product. Let the variation manage its own stock.",
    Verdict.NOT_COUNTED: "The shop doesn't count this product: unknown, not zero. Tick “Manage stock” on it in the shop.",
    Verdict.ITEM_MISSING: "The till's export leaves this item out. Its last number stands; missing is not zero.",
    Verdict.ITEM_UNCOUNTED: "The till no longer counts this item. Its last number stands; not counted is not zero.",
    Verdict.NO_TARGET: "The till doesn't count this item, so the shop's number is left alone.",
    Verdict.UNOPENED: "The shop's number waits for a reading without news in between.",
    Verdict.UNANSWERED: "A write to the shop has no answer yet; it will be looked up.",
    Verdict.DISPUTED: "The shop's number is off by {off}, and nothing explains it ({size}). Settle it under Conflicts; until "
    "then nothing is written to it.",
    Verdict.SUSPECT: "The shop's number is off by {off} and nothing explains it yet; it gets a second look.",
    Verdict.OFF: "The shop's number was off when an order on it changed; the next sync reads it again.",
    Verdict.TILL_UNTOLD: "The till has not taken in yet what was sold online; until then its own sales of it can't be told.",
    Verdict.TILL_TROUBLE: "{why}",
    Verdict.LEFT: "The shop shows {off} beside what it should: a person has left it so.",
    Verdict.IN_STEP: "",
    Verdict.FAILED: "{why}",
    Verdict.OWED: "The shop should show {target}.",
}


def state_said(
    verdict: Verdict, *, off: Decimal | None = None, target: Decimal | None = None, size: str = "", why: str = ""
) -> tuple[Status, str]:
    """Result: a state's status, and the sentence that explains it ("" where it is in step), at most 300 letters."""
    sentence = SENTENCE[verdict].format(
        off=f"{off.normalize():+f}" if off is not None else "",
        target=f"{target.normalize():f}" if target is not None else "",
        size=size,
        why=why,
    )
    return STATUS[verdict], sentence[:300]
