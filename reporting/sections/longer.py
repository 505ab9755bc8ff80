"""What only a week or a month tells: what keeps coming back, what rules settled, what has no partner, who decided."""

from kit.words import counted
from reporting.core.report import Section, section_of
from reporting.core.words import percent_said
from reporting.metrics.figures import percent
from reporting.reports.found import Found, Numbers
from reporting.reports.words import A_RULE, UNKNOWN, label_of, more_said, named_said
from sync.models import SyncConflict


def often_section(found: Found) -> Section:
    rows = [(one.name or one.sku or UNKNOWN, one.sku, f"{one.conflicts:,}", f"{one.still_open:,}") for one in found.often]
    header = ("Product", "SKU", "Conflicts", "Still open")
    return section_of(
        "often", "Products with frequent issues", header=header, rows=rows, numbers=(2, 3),
        empty="No product had more than one conflict.",
    )  # fmt: skip


def fixes_section(numbers: Numbers) -> Section:
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


def alone_section(found: Found) -> Section:
    numbers = found.numbers
    said = (
        f"{counted(numbers.count('items alone'), 'till item has', 'till items have')} no product in the shop, "
        f"{counted(numbers.count('listings alone'), 'shop product has', 'shop products have')} no till item, "
        f"{counted(numbers.count('proposals'), 'proposal waits', 'proposals wait')} for review."
    )
    rows = [
        (*named_said(conflict), conflict.detected_at.date().isoformat(), conflict.why or UNKNOWN)
        for conflict in found.unaligned[: found.most]
    ]
    return section_of(
        "alone", "Missing alignments", header=("Sold online", "SKU", "Since", "Why"), rows=rows,
        sentences=(said, *more_said(found.unaligned, found.most)), empty="Nothing that was sold online waits for its alignment.",
    )  # fmt: skip


def settled_section(numbers: Numbers) -> Section:
    rows = [
        (row.b or A_RULE, label_of(SyncConflict.Resolution.choices, row.a), f"{row.count:,}") for row in numbers.of("settled")
    ]
    return section_of(
        "settled", "Conflicts, and who settled them", header=("Who", "How", "Conflicts"), rows=rows, numbers=(2,),
        empty="No conflict was settled in this period.",
    )  # fmt: skip
