"""The shop's stock against the till's: as it stands now, what moved, what differed, why, and what was done about it."""

from decimal import Decimal

from kit.words import counted
from reporting.core.report import Section, section_of
from reporting.reports.found import Found, Number, Numbers
from reporting.reports.words import A_RULE, UNKNOWN, more_said, named_said, units_said
from sync.models import SyncConflict, SyncState


def reconciled_sections(found: Found) -> list[Section]:
    """Result: the shop's stock against the till's: as it stands now, then what differed in the period, why, what was done."""
    return [_standing(found), _moved(found.numbers), _differences(found)]


def _standing(found: Found) -> Section:
    numbers = found.numbers
    pairs, step = numbers.count("pairs"), numbers.count("pairs", a=[SyncState.Status.SYNCED])
    dark = numbers.count("pairs", a=["unknown"])
    said = f"Of {counted(pairs, 'pair', 'pairs')}, {step:,} in step, {pairs - step - dark:,} not yet, {dark:,} unknown."
    rows = [
        (
            state.alignment.item.name or state.pos_sku,
            state.pos_sku,
            units_said(state.pos_quantity),
            units_said(state.woo_quantity),
            "Unknown" if None in (state.pos_quantity, state.woo_quantity) else state.get_sync_status_display(),
            state.reason,
        )
        for state in found.apart[: found.most]
    ]
    header = ("Product", "SKU", "Till says", "Shop shows", "State", "Why")
    return section_of(
        "apart", "Reconciliation: shop against till", header=header, rows=rows, numbers=(2, 3),
        sentences=(said, *more_said(found.apart, found.most)) if pairs else (),
        empty="Every pair agrees." if pairs else "There is no pair yet, so nothing could be compared.",
    )  # fmt: skip


def _moved(numbers: Numbers) -> Section:
    kinds = (("opening", "Opening balance"), ("till", "Sale, count or receipt at the till"), ("online", "Online orders"),
             ("store", "Accepted from the shop"))  # fmt: skip
    names = dict(kinds)
    rows = [(names.get(row.a, row.a), f"{row.count:,}", _summed(row)) for row in numbers.of("movements")]
    header = ("What moved stock", "Movements", "Units, summed")
    return section_of(
        "moved", "Reconciliation: causes", header=header, rows=rows, numbers=(1, 2), empty="No stock moved in this period."
    )  # fmt: skip


def _summed(row: Number) -> str:
    return units_said(Decimal(row.sample).quantize(Decimal("0.001"))) if row.sample else UNKNOWN


def _differences(found: Found) -> Section:
    rows = [
        (
            *named_said(conflict),
            conflict.pos_value or UNKNOWN,
            conflict.woo_value or UNKNOWN,
            units_said(conflict.difference),
            conflict.why or UNKNOWN,
            _correction(conflict),
        )
        for conflict in found.conflicts[: found.most]
    ]
    header = ("Product", "SKU", "Till says", "Shop showed", "Difference", "Cause", "Correction")
    return section_of(
        "differences", "Reconciliation: differences and corrections", header=header, rows=rows, numbers=(2, 3, 4),
        sentences=more_said(found.conflicts, found.most), empty="No number was found that nothing explains.",
    )  # fmt: skip


def _correction(conflict: SyncConflict) -> str:
    if conflict.resolved_at is None:
        return "None yet: it waits for a decision."
    who = conflict.resolved_by.get_username() if conflict.resolved_by else A_RULE
    said = f"{conflict.get_resolution_display()}, by {who}"
    return f"{said}: {conflict.reason}" if conflict.reason else f"{said}."
