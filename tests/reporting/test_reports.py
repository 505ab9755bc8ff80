"""Reports: what a period's report says, where the period ends, and that no format lets through what it should escape."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alerts.models import Threshold
from connectors.errors import ConfigError
from connectors.management.base import CommandExit
from connectors.models import Connection
from inventory.models import Item
from reporting.core.report import Every, Report, Section, Span, Table, last_over, span_ending
from reporting.models import DailyMetric, ReportMail
from reporting.reports.found import scope_of
from reporting.reports.make import Part, report_make
from reporting.reports.rendering import report_csv, report_html, report_markdown
from reporting.reports.rows import report_find
from sync.models import OutboundWrite, RunProblem, SyncConflict, SyncLog, SyncRun, SyncState
from tests import factories
from tests.admin_pages import page, queries_for
from tests.browser.seed import shop_seed
from tests.ledger import booked, moved

UTC_ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
PAGE = "admin:reporting_dailymetric_report"


@pytest.fixture
def shop(db):
    """Four items in two categories; three pairs: one in step, one off, one unknown."""
    till, store = factories.pos_connection(), factories.store_connection()
    factories.supply(store, factories.location(till))
    for sku, category, on_hand, status in (
        ("MUG-1", "Cups", 5, "synced"),
        ("POT-1", "Pots", 2, "conflict"),
        ("PAN-1", "Pots", 0, "pending"),
        ("LID-1", "Pots", None, None),
    ):
        item = factories.item(till, sku, name=f"The {sku}", category=category)
        if on_hand is None:
            factories.level(item, 0, baseline=None, last_reading=None)
            continue
        factories.level(item, on_hand)
        pair = factories.alignment(item, factories.listing(store, sku))
        SyncState.objects.create(
            alignment=pair, pos=till, woo=store, pos_sku=sku, woo_sku=sku, pos_quantity=on_hand,
            woo_quantity=None if status == "pending" else 5, sync_status=status,
            reason="Not read yet." if status == "pending" else "",
        )  # fmt: skip
    return till, store


def pair_of(sku: str):
    return SyncState.objects.get(pos_sku=sku).alignment


def run(store, at, state="done", **fields):
    return SyncRun.objects.create(store=store, kind="full", state=state, started_at=at, finished_at=at, **fields)


def conflict(store, sku, at, **fields):
    return SyncConflict.objects.create(
        **{
            "store": store, "alignment": pair_of(sku), "conflict_type": SyncConflict.Type.QUANTITY, "drift_class": "minor",
            "pos_value": "5", "woo_value": "7", "difference": 2, "why": "Changed in the shop.", "detected_at": at, **fields,
        }
    )  # fmt: skip


def report(now, every=Every.DAILY, last=None, store=None) -> Report:
    scope = scope_of(store)
    return report_make(scope=scope, span=span_ending(every, last or now.date(), scope.zone), now=now)


def section(made: Report, code: str) -> Section:
    return next(one for one in made.sections if one.code == code)


def rows(made: Report, code: str) -> list[tuple[str, ...]]:
    table = section(made, code).table
    return list(table.rows) if table else []


def happened(till, store, now):
    """One of each, on the day of `now`."""
    at = now - timedelta(hours=1)
    ended = run(store, at)
    run(store, at, "partial")
    failed = run(store, at, "failed", message="The shop did not answer.")
    run(store, at, dry_run=True)
    RunProblem.objects.create(run=failed, connection=store, subject="MUG-1", code="no_stock", message="Not counted.")
    mug, pot = pair_of("MUG-1"), pair_of("POT-1")
    for pair, action in ((mug, "qty_update"), (mug, "price_update"), (pot, "qty_update"), (pot, "conflict_resolved")):
        SyncLog.objects.create(alignment=pair, run=ended, at=at, source="sync_engine", action=action)
    for state in ("applied", "rejected"):
        OutboundWrite.objects.create(
            connection=store, listing=mug.listing, state=state, planned_from=5, planned_to=4, created_at=at, answered_at=at,
            error="Out of range" if state == "rejected" else "",
        )  # fmt: skip
    for place, units in enumerate(("-1.5", "-0.25")):
        booked([moved(
            item=mug.item, location=factories.location(till), quantity=Decimal(units), kind="till", source=till,
            of=f"sale {place}", occurred_at=at, recorded_at=at,
        )])  # fmt: skip
    boss = factories.person("boss")
    conflict(store, "MUG-1", at, resolved_at=at, resolution="pos", reason="Minor.")
    conflict(store, "MUG-1", at, resolved_at=at, resolution="woo", resolved_by=boss, reason="Counted.")
    conflict(store, "POT-1", at, drift_class="critical")


def test_a_day_is_told_exactly(shop, now):
    happened(*shop, now)
    made = report(now)
    assert section(made, "short").sentences == (
        "2 syncs completed, 1 failed.",
        "1 change was carried to the other side, 1 refused there.",
        "3 values changed on 2 products.",
        "3 conflicts were found; 1 open now.",
        "The period is not over: it is told up to 2026-03-02 09:30.",
        "Stock, pairs and what is open are as of 2026-03-02 09:30; the rest is of the period.",
    )
    assert rows(made, "syncs") == [("Full", "1", "1", "1", "0")]
    assert rows(made, "values") == [("Quantity", "Evenstock", "2"), ("Price", "Evenstock", "1")]
    assert rows(made, "errors") == [
        ("Sync that failed", "1", "The shop did not answer."),
        ("Refused by the shop", "1", "Out of range"),
        ("No stock", "1", "Not counted."),
    ]
    assert rows(made, "issues") == [("Conflict", "Quantity, minor", "2"), ("Conflict", "Quantity, critical", "1")]
    assert rows(made, "actions") == [
        ("Told to the shop", "Evenstock", "1"),
        ("Conflicts: the till won", "a rule, or a command", "1"),
        ("Conflicts: the shop won", "boss", "1"),
    ]
    assert [one.code for one in made.sections if one.code in {"often", "fixes", "alone", "settled"}] == []


def test_stock_is_told_by_category_and_nothing_is_low_unless_a_limit_says_so(shop, now):
    made = report(now)
    assert rows(made, "stock") == [("Cups", "1", "0", "0", "0", "1"), ("Pots", "1", "0", "1", "1", "3")]
    assert "no limit for low stock is set" in section(made, "stock").sentences[0]
    Threshold.objects.create(category="Pots", low_stock_below=3)
    made = report(now)
    assert rows(made, "stock") == [("Cups", "1", "0", "0", "0", "1"), ("Pots", "0", "1", "1", "1", "3")]
    assert section(made, "stock").sentences == ()


def test_what_the_till_lists_no_more_is_not_stock(shop, now):
    Item.objects.filter(category="Pots").update(missing_since=now)
    assert rows(report(now), "stock") == [("Cups", "1", "0", "0", "0", "1")]


def test_the_shop_is_reconciled_with_the_till(shop, now):
    happened(*shop, now)
    made = report(now)
    assert section(made, "apart").sentences == ("Of 3 pairs, 1 in step, 1 not yet, 1 unknown.",)
    assert rows(made, "apart") == [
        ("The PAN-1", "PAN-1", "0", "unknown", "Unknown", "Not read yet."),
        ("The POT-1", "POT-1", "2", "5", "Needs a decision", ""),
    ]
    assert rows(made, "moved") == [("Sale, count or receipt at the till", "2", "-1.75")]
    assert [row[-1] for row in rows(made, "differences")] == [
        "None yet: it waits for a decision.",
        "The shop won, by boss: Counted.",
        "The till won, by a rule, or a command: Minor.",
    ]
    assert rows(made, "differences")[2][:6] == ("The MUG-1", "MUG-1", "5", "7", "2", "Changed in the shop.")


def test_a_week_says_who_settled_what_and_whether_fixes_took_effect(shop, now):
    happened(*shop, now)
    conflict(shop[1], "PAN-1", now, resolved_at=now, resolution="pos")  # nothing was told since: no effect known
    made = report(now, Every.WEEKLY)
    assert rows(made, "often") == [("The MUG-1", "MUG-1", "2", "0")]
    assert section(made, "fixes").sentences[0] == "3 numbers were found that nothing explains."
    made = report(now + timedelta(hours=1), Every.WEEKLY)
    assert section(made, "fixes").sentences == (
        "4 numbers were found that nothing explains.",
        "A rule settled 2 by itself (50 %), people 1.",
        "Gone or settled otherwise: 0. Open: 1.",
        "Of those a rule settled, 1 took effect: auto-fix success 50 %.",
    )
    assert rows(made, "settled") == [
        ("a rule, or a command", "The till won", "2"),
        ("boss", "The shop won", "1"),
    ]


def test_missing_alignments_are_counted_and_what_was_sold_without_one_is_named(shop, now):
    conflict(shop[1], "MUG-1", now, alignment=None, subject="TEA-9", conflict_type="missing_alignment", why="Order 512.")
    made = report(now + timedelta(hours=1), Every.WEEKLY)
    assert section(made, "alone").sentences == (
        "1 till item has no product in the shop, 0 shop products have no till item, 0 proposals wait for review.",
    )
    assert rows(made, "alone") == [("TEA-9", "", "2026-03-02", "Order 512.")]


def test_figures_are_held_against_their_goals_over_the_days_that_were_measured(shop, now):
    _, store = shop
    week = {"items": 100, "pairs": 100, "pairs_known": 100, "runs_ended": 10, "measured_at": now}
    for day, conflicts, latency, in_step, aligned in ((1, 4, 200, 90, 90), (2, 7, 400, 99, 96)):
        DailyMetric.objects.create(
            connection=store, day=date(2026, 3, day), conflicts=conflicts, latency_p95=latency, pairs_in_step=in_step,
            items_aligned=aligned, **week,
        )  # fmt: skip
    made = report(now, Every.WEEKLY)
    assert rows(made, "metrics") == [
        ("Sync latency", "Under 5 min", "7 min", "1 of 2", "2 days of 7"),
        ("Alignment coverage", "Over 95 %", "96 %", "1 of 2", "2 days of 7"),
        ("Conflicts a day", "Under 5", "5.5", "1 of 2", "2 days of 7"),
        ("Sync success", "Over 99 %", "100 %", "2 of 2", "2 days of 7"),
        ("Inventory accuracy", "Over 98 %", "99 %", "1 of 2", "2 days of 7"),
    ]
    assert len(section(made, "metrics").charts) == 5


def test_an_empty_period_says_so_and_unknown_figures_are_unknown_not_zero(db, now):
    made = report(now, last=date(2026, 3, 1))
    assert made.about == ()
    assert section(made, "short").sentences[0] == (
        "Nothing happened in this period: no sync ended, nothing changed and nothing was told."
    )
    assert [one.code for one in made.sections if one.table] == ["metrics"]
    assert {row[2] for row in rows(made, "metrics")} == {"unknown"}
    assert section(made, "apart").sentences == ("There is no pair yet, so nothing could be compared.",)
    assert section(made, "metrics").charts == ()


def test_a_period_takes_its_first_moment_and_leaves_its_end_to_the_next(shop, now):
    _, store = shop
    Connection.objects.filter(pk=store.pk).update(time_zone="Europe/Berlin")
    begin, end = datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)  # a day of 23 hours
    for at in (begin - timedelta(microseconds=1), begin, end - timedelta(microseconds=1), end):
        run(store, at)
    made = report(datetime(2026, 3, 31, 12, tzinfo=UTC), last=date(2026, 3, 29))
    assert rows(made, "syncs") == [("Full", "2", "0", "0", "0")]
    assert made.period == "Sunday 29 March 2026 (Europe/Berlin)"


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 3, 2), 24)])
def test_days_are_as_long_as_clocks_make_them(day, hours):
    span = span_ending(Every.DAILY, day, BERLIN)
    assert span.until.astimezone(UTC) - span.since.astimezone(UTC) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("every", "last", "first"),
    [
        (Every.DAILY, "2026-03-02", "2026-03-02"),
        (Every.WEEKLY, "2026-03-01", "2026-02-23"),
        (Every.MONTHLY, "2026-02-28", "2026-02-01"),
        (Every.MONTHLY, "2026-03-15", "2026-02-16"),
        (Every.MONTHLY, "2026-03-30", "2026-03-01"),
        (Every.MONTHLY, "2026-01-10", "2025-12-11"),
    ],
)
def test_a_period_ends_with_the_day_that_is_named(every, last, first):
    assert span_ending(every, date.fromisoformat(last), UTC_ZONE).first == date.fromisoformat(first)


@pytest.mark.parametrize(
    ("every", "last"), [(Every.DAILY, date(2026, 3, 1)), (Every.WEEKLY, date(2026, 3, 1)), (Every.MONTHLY, date(2026, 2, 28))]
)
def test_unless_named_it_is_the_newest_period_that_is_over_by_the_shops_clock(every, last, now):
    assert last_over(every, now, UTC_ZONE) == last
    assert last_over(Every.DAILY, datetime(2026, 3, 1, 23, 30, tzinfo=UTC), BERLIN) == date(2026, 3, 1)


def test_another_shops_rows_stay_out_of_a_shops_report(shop, now):
    _, store = shop
    other = factories.store_connection("other")
    run(other, now - timedelta(hours=1))
    assert rows(report(now), "syncs") == [("Full", "1", "0", "0", "0")]
    assert rows(report(now, store=store), "syncs") == []


def test_a_period_to_come_is_refused(shop, now):
    with pytest.raises(ConfigError, match="not begun"):
        report(now, last=date(2026, 3, 3))


def test_a_report_takes_eight_statements_whatever_the_size_of_the_shop(shop, now):
    happened(*shop, now)
    scope = scope_of(shop[1])
    with CaptureQueriesContext(database) as seen:
        report_find(scope=scope, span=span_ending(Every.MONTHLY, now.date(), scope.zone), now=now)
    assert len(seen) == 8


def evil_report(now) -> Report:
    day = now.date()
    table = Table(("Product", " @SUM(A1)"), (('=HYPERLINK("http://x")', "-3"), ("<b>A|B</b>\n# c", "1")), numbers=(1,))
    return Report(
        "Daily report", Span(Every.DAILY, day, day, UTC_ZONE), ("@shop <i>",), now, (Section("s", "S", ("+1 too few",), table),)
    )  # fmt: skip


def test_no_cell_of_a_spreadsheet_is_a_formula(now):
    cells = [cell for row in csv.reader(io.StringIO(report_csv(evil_report(now)))) for cell in row]
    assert [cell for cell in cells if cell.lstrip()[:1] in "=+-@" and cell] == ["-3"]  # a number stays one
    assert '\'=HYPERLINK("http://x")' in cells
    assert {"'+1 too few", "' @SUM(A1)"} <= set(cells)


def test_a_page_to_keep_holds_no_formula_either_for_a_spreadsheet_that_opens_it(now):
    said = [unescape(text) for text in re.findall(r">([^<]+)<", report_html(evil_report(now)))]
    assert [text for text in said if text.strip() and text.lstrip()[0] in "=+-@"] == ["-3"]
    assert '\'=HYPERLINK("http://x")' in said


def test_markdown_and_html_show_names_as_text(now):
    text, html = report_markdown(evil_report(now)), report_html(evil_report(now))
    assert "| &lt;b&gt;A\\|B&lt;/b&gt; \\# c | 1 |" in text
    assert "<" not in text
    assert "<b>" not in html
    assert "<i>" not in html
    assert "&lt;b&gt;A|B&lt;/b&gt;" in html


def command(*words: object) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("sync_report", *map(str, words), stdout=out, stderr=out)
    except CommandExit as end:
        return end.code, end.message
    return 0, out.getvalue()


def test_the_command_writes_a_file_named_by_its_period(shop, tmp_path):
    code, said = command("--period", "weekly", "--until", "2026-03-01", "--out", tmp_path)
    path = tmp_path / "sync_report_2026-02-23_2026-03-01.md"
    assert (code, said.strip()) == (0, str(path))
    assert path.read_text(encoding="utf-8").startswith(
        "# Weekly report\n\n23 February 2026 to 1 March 2026 (UTC)\n\nShops: shop."
    )
    command("--period", "weekly", "--until", "2026-03-01", "--out", tmp_path, "--connection", "shop", "--format", "csv")
    assert {one.name for one in tmp_path.iterdir()} == {path.name, "sync_report_2026-02-23_2026-03-01_shop.csv"}


def test_the_command_prints_instead_and_refuses_what_it_can_not_do(shop, tmp_path):
    code, said = command("--period", "daily", "--stdout", "--format", "html")
    assert (code, said[:15]) == (0, "<!DOCTYPE html>")
    for words, message in (
        (("--out", tmp_path / "none"), "is no folder"),
        (("--until", "tomorrow", "--out", tmp_path), "is no date"),
        (("--until", "2999-01-01", "--out", tmp_path), "has not begun"),
        (("--connection", "till", "--out", tmp_path), "is a till"),
    ):
        code, said = command("--period", "daily", *words)
        assert (code, message in said) == (1, True)
    assert list(tmp_path.iterdir()) == []


def visitor(*permissions: str) -> Client:
    client = Client()
    client.force_login(factories.person("reader", *permissions), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def lively(db):
    shop_seed(now=timezone.now(), products=66)


@pytest.mark.parametrize("period", Every)
def test_the_page_shows_each_period_escaped_and_asks_little(lively, period):
    client = visitor("reporting.view_dailymetric")
    yesterday = (timezone.now() - timedelta(days=1)).date()  # the newest day that was measured: last month may have none
    html = page(client, reverse(PAGE), period=period, until=yesterday)
    assert "Stock by category" in html
    assert html.count("<svg") >= 5
    assert queries_for(client, f"{reverse(PAGE)}?period={period}&until={yesterday}") <= 15


@pytest.mark.parametrize(("form", "kind"), [("md", "text/markdown"), ("html", "text/html"), ("csv", "text/csv")])
def test_a_report_is_taken_along_as_a_file(lively, form, kind):
    answer = visitor("reporting.view_dailymetric").get(reverse(PAGE), {"period": "daily", "until": "2026-03-01", "format": form})
    assert answer["Content-Type"] == f"{kind}; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="sync_report_2026-03-01_2026-03-01.{form}"'


def test_who_may_not_see_figures_gets_no_report(lively):
    assert visitor("sync.view_syncrun").get(reverse(PAGE)).status_code == 403
    assert Client().get(reverse(PAGE)).status_code == 302


def test_the_page_says_what_is_wrong_with_a_period(lively):
    client = visitor("reporting.view_dailymetric")
    assert "has not begun yet" in page(client, reverse(PAGE), period="daily", until="2999-01-01")
    assert "Enter a valid date" in page(client, reverse(PAGE), period="daily", until="no", format="csv")
    assert "Choose a day, a week or a month" in page(client, reverse(PAGE), period="hourly")
    assert reverse(PAGE) in page(client, reverse("admin:reporting_dailymetric_changelist"))


def as_one(login: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=login), backend="django.contrib.auth.backends.ModelBackend")
    return client


def shown(client: Client, query: str = "") -> str:
    return page(client, reverse(PAGE) + query)


@pytest.fixture
def reader(db):
    shop_seed(now=timezone.now(), products=66)
    return as_one("viewer")


def test_the_menu_leads_to_reports_and_only_who_may_see_them(reader):
    html = shown(reader)
    assert 'aria-current="page">Reports</a>' in html  # a tab beside the figures and who gets mail
    assert all(f">{tab}</a>" in html for tab in ("Daily figures", "By mail", "Reports sent"))
    assert "Reports" not in page(as_one("nobody"), reverse("admin:index"))


@pytest.mark.parametrize(
    ("query", "before", "after"),
    [
        ("?period=daily&until=2026-03-01", "2026-02-28", "2026-03-02"),
        ("?period=weekly&until=2026-03-01", "2026-02-22", "2026-03-08"),
        ("?period=monthly&until=2026-02-28", "2026-01-31", "2026-03-31"),
        ("?period=monthly&until=2026-01-15", "2025-12-15", "2026-02-15"),
    ],
)
def test_the_periods_before_and_after_are_a_press_away(reader, query, before, after):
    html = shown(reader, query)
    period = query[1:].split("&")[0]
    assert f'href="?{period}&amp;until={before}" rel="prev"' in html
    assert f'href="?{period}&amp;until={after}" rel="next"' in html


def test_there_is_no_way_to_a_period_that_has_not_begun(reader):
    today = timezone.now().astimezone(ZoneInfo("America/New_York")).date()
    assert 'rel="next"' not in shown(reader, f"?period=daily&until={today}")


def test_the_reconciliation_alone_with_more_rows_as_a_file(reader):
    html = shown(reader, "?period=weekly&part=reconciliation")
    assert '<h2 id="h-report">Reconciliation: ' in html
    assert "Stock by category" not in html
    assert "Send me this now" not in html
    answer = reader.get(reverse(PAGE) + "?period=weekly&until=2026-03-01&part=reconciliation&format=csv")
    assert 'filename="reconciliation_2026-02-23_2026-03-01.csv"' in answer["Content-Disposition"]


def test_a_reconciliation_lists_a_thousand_where_a_report_lists_fifty(shop, now):
    for number in range(60):
        conflict(shop[1], "MUG-1", now - timedelta(hours=1), resolved_at=now, resolution="pos", reason=f"No. {number}")
    scope = scope_of()
    span = span_ending(Every.DAILY, now.date(), scope.zone)
    whole = report_make(scope=scope, span=span, now=now)
    alone = report_make(scope=scope, span=span, now=now, part=Part.RECONCILIATION)
    assert (len(rows(whole, "differences")), len(rows(alone, "differences"))) == (50, 60)
    assert section(whole, "differences").sentences == ("The first 50 are shown; there are more.",)
    assert [one.code for one in alone.sections] == ["short", "apart", "moved", "differences"]


def test_a_report_of_a_time_that_is_archived_says_that_counts_may_be_too_low(shop, now):
    said = "Logs older than 90 days are archived, so counts of this period may be too low."
    assert said in section(report(now, last=now.date() - timedelta(days=91)), "short").sentences
    assert said not in section(report(now, last=now.date() - timedelta(days=89)), "short").sentences


def test_without_anybody_who_gets_mail_the_page_says_so(reader):
    assert "Reports go out by mail too" in shown(reader)
    ReportMail.objects.update(is_active=False)
    assert "A lead can choose who should." in shown(reader)


def test_the_command_writes_the_reconciliation_alone(shop, tmp_path):
    call_command("sync_report", period="weekly", until="2026-03-01", part="reconciliation", form="csv", out=str(tmp_path))
    (path,) = tmp_path.iterdir()
    assert path.name == "reconciliation_2026-02-23_2026-03-01.csv"
    assert "Reconciliation: shop against till" in path.read_text("utf-8-sig")
