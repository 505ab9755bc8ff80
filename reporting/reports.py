"""The report of a period: daily, weekly, monthly. docs/reports.md says to managers what its figures are."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from alerts.rules.words import RULES, Code
from connectors.errors import ConfigError
from reporting.core.charts import Chart, Point
from reporting.core.metrics import ACCURACY, CONFLICTS, COVERAGE, HEADLINES, Figures, Headline, figures_sum, percent
from reporting.core.report import Every, Report, Section, Span, section_of
from reporting.core.words import counted, goal_said, percent_said, value_said
from reporting.report_rows import SHOWN, Found, Number, Numbers, Scope, report_find
from reporting.selectors import WELL
from sync.models import OutboundWrite, SyncConflict, SyncLog, SyncRun, SyncState
from sync.services.log import quantity_text

UNKNOWN = "unknown"
A_RULE = "a rule, or a command"
Run, Write, Type = SyncRun.State, OutboundWrite.State, SyncConflict.Type
TITLES = {Every.DAILY: "Daily report", Every.WEEKLY: "Weekly report", Every.MONTHLY: "Monthly report"}


def report_make(*, scope: Scope, span: Span, now: datetime) -> Report:
    """Result: the report of that period for these shops. Raises ConfigError for a period that has not begun."""
    if span.since > now:
        raise ConfigError("That period has not begun yet.", next_step="Name a day that has come.")
    found = report_find(scope=scope, span=span, now=now)
    sections = [_short(found, span, now), _syncs(found), _values(found), _errors(found), _stock(found), _issues(found)]
    sections += [_actions(found), *_reconciled(found), _metrics(found, span)]
    if span.every is not Every.DAILY:
        sections += [_often(found), _fixes(found.numbers), _alone(found), _settled(found.numbers)]
    return Report(TITLES[span.every], span, tuple(store.name for store in scope.stores), now, tuple(sections))


def _short(found: Found, span: Span, now: datetime) -> Section:
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
    if now < span.until:
        sentences.append(f"The period is not over: it is told up to {_clock(now, span)}.")
    sentences.append(f"Stock, pairs and what is open are as of {_clock(now, span)}; the rest is of the period.")
    return Section("short", "In short", tuple(sentences))


def _clock(at: datetime, span: Span) -> str:
    return f"{at.astimezone(span.zone):%Y-%m-%d %H:%M}"


def _syncs(found: Found) -> Section:
    kinds = [(kind, label.split(":")[0]) for kind, label in SyncRun.Kind.choices]
    states = ([Run.DONE], [Run.PARTIAL], [Run.FAILED], [Run.DISCARDED])
    rows = [
        (label, *(f"{found.numbers.count('runs', a=[kind], b=state):,}" for state in states))
        for kind, label in kinds
        if found.numbers.count("runs", a=[kind])
    ]
    header = ("Sync", "Completed", "Completed, with problems", "Failed", "Discarded")
    return section_of("syncs", "Syncs", header=header, rows=rows, numbers=(1, 2, 3, 4), empty="No sync ended in this period.")


def _values(found: Found) -> Section:
    rows = [
        (_label(SyncLog.Action.choices, row.b), _label(SyncLog.Source.choices, row.a), f"{row.count:,}")
        for row in found.numbers.of("values")
    ]
    header = ("Value", "Changed by", "Times")
    return section_of(
        "values", "Records updated", header=header, rows=rows, numbers=(2,), empty="No number and no price changed."
    )  # fmt: skip


def _errors(found: Found) -> Section:
    numbers = found.numbers
    runs = [("Sync that failed", row) for row in numbers.of("runs") if row.b == Run.FAILED]
    writes = [(f"Refused by the {row.a}", row) for row in numbers.of("writes") if row.b == Write.REJECTED]
    problems = [(row.a.replace("_", " ").capitalize(), row) for row in numbers.of("problems")]
    rows = [(what, f"{row.count:,}", row.sample or UNKNOWN) for what, row in (*runs, *writes, *problems)]
    header = ("Error", "Times", "One of them says")
    return section_of("errors", "Errors", header=header, rows=rows, numbers=(1,), empty="Nothing went wrong.")


def _stock(found: Found) -> Section:
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


def _issues(found: Found) -> Section:
    numbers = found.numbers
    standing = (
        f"Open now: {counted(numbers.count('open'), 'conflict', 'conflicts')}, "
        f"{counted(numbers.count('alerts open'), 'alert', 'alerts')}, "
        f"{counted(numbers.count('held'), 'sync held', 'syncs held')} for a manager."
    )
    sizes = SyncConflict.Class.choices
    conflicts = [
        ("Conflict", f"{_label(Type.choices, row.a)}, {_label(sizes, row.b).lower()}", row.count)
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


def _actions(found: Found) -> Section:
    numbers = found.numbers
    writes = [(f"Told to the {row.a}", row.count) for row in numbers.of("writes") if row.b == Write.APPLIED]
    settled = [
        (f"Conflicts: {_label(SyncConflict.Resolution.choices, row.a).lower()}", row.b or A_RULE, row.count)
        for row in numbers.of("settled")
    ]
    alerts = [("Alerts resolved", row.a or UNKNOWN, row.count) for row in numbers.of("alerts ended")]
    done = [*((what, "Evenstock", count) for what, count in writes), *settled, *alerts]
    rows = [(what, by, f"{count:,}") for what, by, count in done]
    header = ("Action", "By", "Times")
    return section_of("actions", "Actions taken", header=header, rows=rows, numbers=(2,), empty="Nothing had to be done.")


def _reconciled(found: Found) -> list[Section]:
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
            _units(state.pos_quantity),
            _units(state.woo_quantity),
            "Unknown" if None in (state.pos_quantity, state.woo_quantity) else state.get_sync_status_display(),
            state.reason,
        )
        for state in found.apart[:SHOWN]
    ]
    header = ("Product", "SKU", "Till says", "Shop shows", "State", "Why")
    return section_of(
        "apart", "Reconciliation: shop against till", header=header, rows=rows, numbers=(2, 3),
        sentences=(said, *_more(found.apart)) if pairs else (),
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
    return _units(Decimal(row.sample).quantize(Decimal("0.001"))) if row.sample else UNKNOWN


def _differences(found: Found) -> Section:
    rows = [
        (
            *_named(conflict),
            conflict.pos_value or UNKNOWN,
            conflict.woo_value or UNKNOWN,
            _units(conflict.difference),
            conflict.why or UNKNOWN,
            _correction(conflict),
        )
        for conflict in found.conflicts[:SHOWN]
    ]
    header = ("Product", "SKU", "Till says", "Shop showed", "Difference", "Cause", "Correction")
    return section_of(
        "differences", "Reconciliation: differences and corrections", header=header, rows=rows, numbers=(2, 3, 4),
        sentences=_more(found.conflicts), empty="No number was found that nothing explains.",
    )  # fmt: skip


def _correction(conflict: SyncConflict) -> str:
    if conflict.resolved_at is None:
        return "None yet: it waits for a decision."
    who = conflict.resolved_by.get_username() if conflict.resolved_by else A_RULE
    said = f"{conflict.get_resolution_display()}, by {who}"
    return f"{said}: {conflict.reason}" if conflict.reason else f"{said}."


def _metrics(found: Found, span: Span) -> Section:
    """Result: the figures with goals, over the measured days of the period; and 30 days of each as a chart."""
    days = [found.days[day] for day in span.days if day in found.days]
    rows = [_metric(headline, days, len(span.days)) for headline in HEADLINES]
    first = min(span.first, min(found.days, default=span.first))
    charts = tuple(_chart(headline, found, Span(span.every, first, span.last, span.zone)) for headline in HEADLINES)
    header = ("Figure", "Goal", "Value", "Days that met it", "Measured")
    none = () if days else ("No day of this period was measured, so no figure is known.",)
    table = section_of("metrics", "Figures against goals", header=header, rows=rows, empty="", sentences=none)
    return Section(table.code, table.title, table.sentences, table.table, charts if found.days else ())


def _metric(headline: Headline, days: Sequence[Figures], all_days: int) -> tuple[str, ...]:
    values = [value for one in days if (value := one.value(headline)) is not None]
    met = sum(bool(headline.meets(value)) for value in values)
    return (
        headline.title,
        goal_said(headline).removeprefix("goal ").capitalize(),
        _metric_said(headline, days),
        f"{met} of {len(values)}" if values else UNKNOWN,
        f"{counted(len(values), 'day', 'days')} of {all_days}",
    )


def _metric_said(headline: Headline, days: Sequence[Figures]) -> str:
    """Result: what a period's figure is: shares that stand are the last measured day's, conflicts are a day's mean, success is
    of all syncs, latency is the slowest day's."""
    if headline in (COVERAGE, ACCURACY):
        known = [value for one in days if (value := one.value(headline)) is not None]
        return value_said(headline, known[-1]) if known else UNKNOWN
    if headline is CONFLICTS:
        mean = Decimal(sum(one.conflicts for one in days)) / len(days) if days else None
        return UNKNOWN if mean is None else quantity_text(mean.quantize(Decimal("0.1")))
    value = figures_sum(days).value(headline)
    return UNKNOWN if value is None else value_said(headline, value)


def _chart(headline: Headline, found: Found, shown: Span) -> Chart:
    values = [(day, found.days[day].value(headline) if day in found.days else None) for day in shown.days]
    points = [Point(f"{day.day} {day:%B}", value, value_said(headline, value)) for day, value in values]
    known = [point for point in points if point.value is not None]
    ends = f"from {known[0].said} on {known[0].label} to {known[-1].said} on {known[-1].label}" if known else "nothing measured"
    is_share = headline.unit == "%"
    return Chart(
        code=f"report-{headline.code}",
        title=f"{headline.title} by day",
        description=f"{ends}, {goal_said(headline)}",
        points=points,
        goal=headline.goal,
        floor=None if is_share else Decimal(0),
        ceiling=Decimal(100) if is_share else None,
    )


def _often(found: Found) -> Section:
    rows = [(one.name or one.sku or UNKNOWN, one.sku, f"{one.conflicts:,}", f"{one.still_open:,}") for one in found.often]
    header = ("Product", "SKU", "Conflicts", "Still open")
    return section_of(
        "often", "Products with frequent issues", header=header, rows=rows, numbers=(2, 3),
        empty="No product had more than one conflict.",
    )  # fmt: skip


def _fixes(numbers: Numbers) -> Section:
    drift, rule, landed = numbers.count("drift"), numbers.count("drift", a=["rule"]), numbers.count("landed")
    if not drift:
        return Section("fixes", "Auto-fix", ("No number was off without a cause, so nothing had to be fixed.",))
    person, gone, still_open = (numbers.count("drift", a=[how]) for how in ("person", "gone", "open"))
    sentences = [
        f"{counted(drift, 'number was', 'numbers were')} found that nothing explains.",
        f"A rule settled {rule:,} by itself ({percent_said(percent(rule, drift))}), people {person:,}.",
        f"Gone or settled otherwise: {gone:,}. Open: {still_open:,}.",
    ]
    if rule:
        share = percent_said(percent(landed, rule))
        sentences.append(f"Of those a rule settled, {landed:,} took effect: auto-fix success {share}.")
    else:
        sentences.append("Auto-fix success is unknown: no rule settled any.")
    return Section("fixes", "Auto-fix", tuple(sentences))


def _alone(found: Found) -> Section:
    numbers = found.numbers
    said = (
        f"{counted(numbers.count('items alone'), 'till item has', 'till items have')} no product in the shop, "
        f"{counted(numbers.count('listings alone'), 'shop product has', 'shop products have')} no till item, "
        f"{counted(numbers.count('proposals'), 'proposal waits', 'proposals wait')} for review."
    )
    rows = [
        (*_named(conflict), conflict.detected_at.date().isoformat(), conflict.why or UNKNOWN)
        for conflict in found.unaligned[:SHOWN]
    ]
    return section_of(
        "alone", "Missing alignments", header=("Sold online", "SKU", "Since", "Why"), rows=rows,
        sentences=(said, *_more(found.unaligned)), empty="Nothing that was sold online waits for its alignment.",
    )  # fmt: skip


def _settled(numbers: Numbers) -> Section:
    rows = [(row.b or A_RULE, _label(SyncConflict.Resolution.choices, row.a), f"{row.count:,}") for row in numbers.of("settled")]
    return section_of(
        "settled", "Conflicts, and who settled them", header=("Who", "How", "Conflicts"), rows=rows, numbers=(2,),
        empty="No conflict was settled in this period.",
    )  # fmt: skip


def _named(conflict: SyncConflict) -> tuple[str, str]:
    """Result: name and SKU of what a conflict is about."""
    pair = conflict.alignment
    listing = pair.listing if pair else conflict.listing
    sku = pair.item.sku if pair else listing.sku if listing else ""
    return (pair.item.name if pair else "") or (listing.name if listing else "") or conflict.subject or sku, sku


def _more(rows: Sequence[object]) -> tuple[str, ...]:
    return (f"The first {SHOWN} are shown; there are more.",) if len(rows) > SHOWN else ()


def _units(quantity: Decimal | None) -> str:
    return quantity_text(quantity) or UNKNOWN


def _label(choices: Iterable[tuple[str, str]], value: str) -> str:
    return dict(choices).get(value, value)
