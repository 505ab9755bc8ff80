"""What happened in the period: syncs, values, errors, stock, issues, and what was done."""

from datetime import datetime

from alerts.rules.words import RULES, Code
from kit.words import counted
from reporting.core.report import Section, Span, section_of
from reporting.reports.found import Found
from reporting.reports.words import A_RULE, UNKNOWN, label_of
from reporting.selectors import WELL
from sync.limits import limits
from sync.models import OutboundWrite, SyncConflict, SyncLog, SyncRun

Run, Write, Type = SyncRun.State, OutboundWrite.State, SyncConflict.Type


def short_section(found: Found, span: Span, now: datetime) -> Section:
    numbers = found.numbers
    well, failed = numbers.count("runs", b=WELL), numbers.count("runs", b=[Run.FAILED])
    told = numbers.count("writes", b=[Write.APPLIED])
    sentences = [
        f"{counted(well, 'sync', 'syncs')} completed, {failed:,} failed.",
        (
            f"{counted(told, 'change was', 'changes were')} carried to the other side, "
            f"{numbers.count('writes', b=[Write.REJECTED]):,} refused there."
        ),
        (
            f"{counted(numbers.count('values'), 'value', 'values')} changed on "
            f"{counted(numbers.count('products'), 'product', 'products')}."
        ),
        (f"{counted(numbers.count('conflicts'), 'conflict was', 'conflicts were')} found; {numbers.count('open'):,} open now."),
    ]
    quiet = not any(numbers.count(what) for what in ("runs", "values", "writes", "conflicts", "movements"))
    if quiet:
        sentences = ["Nothing happened in this period: no sync ended, nothing changed and nothing was told."]
    return Section("short", "In short", (*sentences, *_limits_said(span, now)))


def as_of_section(span: Span, now: datetime) -> Section:
    """Result: of which moment a report that tells nothing else is."""
    return Section("short", "What this is of", _limits_said(span, now))


def _limits_said(span: Span, now: datetime) -> tuple[str, ...]:
    """Result: what a reader must know of the period before reading figures."""
    said = [f"The period is not over: it is told up to {_clock(now, span)}."] if now < span.until else []
    if span.since < now - limits().keep:
        said.append(f"Logs older than {limits().keep.days} days are archived, so counts of this period may be too low.")
    return (*said, f"Stock, pairs and what is open are as of {_clock(now, span)}; the rest is of the period.")


def _clock(at: datetime, span: Span) -> str:
    return f"{at.astimezone(span.zone):%Y-%m-%d %H:%M}"


def syncs_section(found: Found) -> Section:
    kinds = [(kind, label.split(":")[0]) for kind, label in SyncRun.Kind.choices]
    states = ([Run.DONE], [Run.PARTIAL], [Run.FAILED], [Run.DISCARDED])
    rows = [
        (label, *(f"{found.numbers.count('runs', a=[kind], b=state):,}" for state in states))
        for kind, label in kinds
        if found.numbers.count("runs", a=[kind])
    ]
    header = ("Sync", "Completed", "Completed, with problems", "Failed", "Discarded")
    return section_of("syncs", "Syncs", header=header, rows=rows, numbers=(1, 2, 3, 4), empty="No sync ended in this period.")


def values_section(found: Found) -> Section:
    rows = [
        (label_of(SyncLog.Action.choices, row.b), label_of(SyncLog.Source.choices, row.a), f"{row.count:,}")
        for row in found.numbers.of("values")
    ]
    header = ("Value", "Changed by", "Times")
    return section_of(
        "values", "Records updated", header=header, rows=rows, numbers=(2,), empty="No number and no price changed."
    )  # fmt: skip


def errors_section(found: Found) -> Section:
    numbers = found.numbers
    runs = [("Sync that failed", row) for row in numbers.of("runs") if row.b == Run.FAILED]
    writes = [(f"Refused by the {row.a}", row) for row in numbers.of("writes") if row.b == Write.REJECTED]
    problems = [(row.a.replace("_", " ").capitalize(), row) for row in numbers.of("problems")]
    rows = [(what, f"{row.count:,}", row.sample or UNKNOWN) for what, row in (*runs, *writes, *problems)]
    header = ("Error", "Times", "One of them says")
    return section_of("errors", "Errors", header=header, rows=rows, numbers=(1,), empty="Nothing went wrong.")


def stock_section(found: Found) -> Section:
    rows = [
        (category or "without a category", *(f"{n:,}" for n in (shelf.in_stock, shelf.low, shelf.out, shelf.unknown, shelf.all)))
        for category, shelf in found.shelves.items()
    ]
    none = () if found.has_low_limit else ("Nothing counts as low: no limit for low stock is set under Rules.",)
    header = ("Category", "In stock", "Low", "Out", "Unknown", "All")
    return section_of(
        "stock", "Stock by category", header=header, rows=rows, numbers=(1, 2, 3, 4, 5), sentences=none,
        empty="No till that supplies these shops lists a product.",
    )  # fmt: skip


def issues_section(found: Found) -> Section:
    numbers = found.numbers
    standing = (
        f"Open now: {counted(numbers.count('open'), 'conflict', 'conflicts')}, "
        f"{counted(numbers.count('alerts open'), 'alert', 'alerts')}, "
        f"{counted(numbers.count('held'), 'sync held', 'syncs held')} for a manager."
    )
    sizes = SyncConflict.Class.choices
    conflicts = [
        ("Conflict", f"{label_of(Type.choices, row.a)}, {label_of(sizes, row.b).lower()}", row.count)
        for row in numbers.of("conflicts")
    ]
    by_rule: dict[str, int] = {}
    for row in numbers.of("alerts"):
        by_rule[row.a] = by_rule.get(row.a, 0) + row.count
    alerts = [("Alert", RULES[Code(rule)].title if rule in set(Code) else rule, count) for rule, count in by_rule.items()]
    rows = [(sort, what, f"{count:,}") for sort, what, count in (*conflicts, *alerts)]
    return section_of(
        "issues", "Issues", header=("Sort", "What", "New"), rows=rows, numbers=(2,), sentences=(standing,),
        empty="No conflict was found and no alert came up.",
    )  # fmt: skip


def actions_section(found: Found) -> Section:
    numbers = found.numbers
    writes = [(f"Told to the {row.a}", row.count) for row in numbers.of("writes") if row.b == Write.APPLIED]
    settled = [
        (f"Conflicts: {label_of(SyncConflict.Resolution.choices, row.a).lower()}", row.b or A_RULE, row.count)
        for row in numbers.of("settled")
    ]
    alerts = [("Alerts resolved", row.a or UNKNOWN, row.count) for row in numbers.of("alerts ended")]
    done = [*((what, "Evenstock", count) for what, count in writes), *settled, *alerts]
    rows = [(what, by, f"{count:,}") for what, by, count in done]
    header = ("Action", "By", "Times")
    return section_of("actions", "Actions taken", header=header, rows=rows, numbers=(2,), empty="Nothing had to be done.")
