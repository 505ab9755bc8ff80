"""Old rows go into files and only then out of the database, whatever is killed; the ledger and the engine don't feel it."""

import gzip
import hashlib
import json
import os
from datetime import UTC, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection as database
from django.utils import timezone

from alerts.models import Alert, Channel, Notification
from connectors.management.base import CommandExit
from connectors.models import ApiCall
from sync.core.why.facts import Moment
from sync.core.why.then import ThenFacts, then_known
from sync.models import InboundEvent, OutboundWrite, PriceWrite, RunProblem, SyncConflict, SyncLog, SyncRun, TillFeed
from sync.upkeep import archive
from sync.upkeep.archive import UNFINISHED, archive_folder
from sync.upkeep.housekeeping import housekeep, rows_archive, rows_to_archive
from tests import factories as make
from tests.sync.shop import FULL, INCREMENTAL

pytestmark = pytest.mark.django_db
NINETY = timedelta(days=90)
# What must be the same before and after, to the last byte.
LEDGER = (
    *("inventory_item", "inventory_location", "inventory_stocklevel", "inventory_movement"),
    *("inventory_listing", "alignment_alignment", "alignment_storelocation", "alignment_historicalalignment"),
    *("sync_order", "sync_orderline", "sync_syncstate", "sync_historicalsyncstate", "sync_tillfeed"),
    *("sync_syncconflict", "sync_historicalsyncconflict", "sync_pricereview", "sync_putoff", "alerts_historicalalert"),
)


@pytest.fixture(autouse=True)
def _folder(tmp_path, settings):
    settings.DATA_DIR = tmp_path / "data"


@pytest.fixture
def store(db):
    return make.store_connection()


def ledger() -> dict[str, tuple[int, str]]:
    """Rows and checksum of each table that is never touched."""
    found = {}
    with database.cursor() as cursor:
        for table in LEDGER:
            cursor.execute(f"select * from {table} order by 1")  # noqa: S608 - names of our own tables
            rows = cursor.fetchall()
            found[table] = (len(rows), hashlib.sha256(repr(rows).encode()).hexdigest())
    return found


def calls(store, at, count=3):
    return ApiCall.objects.bulk_create(
        ApiCall(connection=store, at=at, method="GET", path=f"/{n}", status=200, latency_ms=n) for n in range(count)
    )


def files(kind: str = "") -> list[str]:
    return sorted(str(path.relative_to(archive_folder())) for path in archive_folder().glob(f"*/{kind}*"))


def read(kind: str) -> list[dict]:
    """Everything the archive holds of a kind, as docs/operations.md says to read it."""
    return [json.loads(line) for path in sorted(archive_folder().glob(f"*/{kind}-*.jsonl.gz")) for line in gzip.open(path, "rt")]


def written(store, now, count: int, **fields):
    """Writes to one listing, one a day, the newest 100 days old."""
    listing = make.listing(store, "OLD-1")
    return [
        OutboundWrite.objects.create(
            **{
                "connection": store, "listing": listing, "state": "applied", "planned_from": n, "planned_to": n + 1, "delta": 1,
                "created_at": now - timedelta(days=100 + count - n), "answered_at": now - timedelta(days=100 + count - n),
                **fields,
            }
        )
        for n in range(count)
    ]  # fmt: skip


class TestFiles:
    def test_rows_are_in_a_file_of_their_month_exactly_as_they_were(self, store, now):
        at = now - timedelta(days=100, microseconds=1)
        row, fresh = calls(store, at, 1)[0], calls(store, now - NINETY, 1)[0]
        assert rows_archive(older_than=NINETY, now=now)["requests"] == 1
        assert list(ApiCall.objects.all()) == [fresh]
        (name,) = files()
        assert name.startswith(f"{at:%Y-%m}/requests-{now:%Y%m%dT%H%M%SZ}-")
        assert read("requests") == [
            {
                "model": "connectors.apicall",
                "row": {
                    "id": row.pk, "connection_id": store.pk, "at": at.isoformat(), "method": "GET", "path": "/0", "status": 200,
                    "latency_ms": 0, "error": "",
                },
            }
        ]  # fmt: skip

    def test_nobody_else_may_read_them(self, store, now):
        calls(store, now - timedelta(days=100))
        rows_archive(older_than=NINETY, now=now)
        (path,) = archive_folder().glob("*/*")
        assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)

    def test_months_have_files_of_their_own(self, store, now):
        for days in (100, 140, 141):
            calls(store, now - timedelta(days=days), 1)
        rows_archive(older_than=NINETY, now=now)
        assert [name[:7] for name in files()] == sorted({f"{now - timedelta(days=days):%Y-%m}" for days in (100, 140)})
        assert len(read("requests")) == 3

    def test_a_second_time_nothing_is_left_to_do(self, store, now):
        calls(store, now - timedelta(days=100))
        rows_archive(older_than=NINETY, now=now)
        before = files()
        assert not any(rows_archive(older_than=NINETY, now=now).values())
        assert files() == before

    def test_values_keep_their_digits(self, store, now):
        written(store, now, 2, delta=Decimal("-1.125"))
        rows_archive(older_than=NINETY, now=now)
        assert read("writes")[0]["row"]["delta"] == "-1.125"


class Killed(BaseException):
    """Not an Exception: nobody gets to tidy up."""


class TestKilled:
    def test_between_writing_and_deleting_rows_are_in_two_files_and_never_in_none(self, store, now, monkeypatch):
        calls(store, now - timedelta(days=100), 5)

        def killed(*_):
            raise Killed

        monkeypatch.setattr(archive, "_delete", killed)
        with pytest.raises(Killed):
            rows_archive(older_than=NINETY, now=now)
        assert (ApiCall.objects.count(), len(read("requests"))) == (5, 5)
        monkeypatch.undo()
        assert rows_archive(older_than=NINETY, now=now)["requests"] == 5
        found = [each["row"]["path"] for each in read("requests")]
        assert (ApiCall.objects.count(), sorted(found)) == (0, sorted(2 * [f"/{n}" for n in range(5)]))

    @pytest.mark.django_db(transaction=True)
    def test_between_two_parts_what_is_deleted_is_in_a_file(self, now, monkeypatch):
        calls(make.store_connection(), now - timedelta(days=100), 6)
        monkeypatch.setattr(archive, "AT_A_TIME", 2)
        delete, passes = archive._delete, []

        def killed_third(*args):
            passes.append(1)
            if len(passes) == 3:
                raise Killed
            return delete(*args)

        monkeypatch.setattr(archive, "_delete", killed_third)
        with pytest.raises(Killed):
            rows_archive(older_than=NINETY, now=now)
        kept = {each.path for each in ApiCall.objects.all()}
        assert len(kept) == 2
        assert kept | {each["row"]["path"] for each in read("requests")} == {f"/{n}" for n in range(6)}
        assert len(read("requests")) == 6

    def test_while_writing_nothing_is_deleted_and_the_stump_goes_later(self, store, now, monkeypatch):
        calls(store, now - timedelta(days=100), 5)

        def killed(*_):
            raise Killed

        monkeypatch.setattr(archive, "_read_back", killed)
        with pytest.raises(Killed):
            rows_archive(older_than=NINETY, now=now)
        (stump,) = archive_folder().glob("*/*")
        assert (stump.name.endswith(UNFINISHED), ApiCall.objects.count()) == (True, 5)
        monkeypatch.undo()
        os.utime(stump, (now.timestamp() - 90_000,) * 2)
        rows_archive(older_than=NINETY, now=now)
        assert not stump.exists()
        assert len(read("requests")) == 5

    def test_a_file_that_cannot_be_read_back_lets_nothing_be_deleted(self, store, now, monkeypatch):
        calls(store, now - timedelta(days=100), 5)
        read_back = archive._read_back

        def spoiled(path, expected):
            path.write_bytes(gzip.compress(b"{}\n" * 4))
            read_back(path, expected)

        monkeypatch.setattr(archive, "_read_back", spoiled)
        with pytest.raises(archive.ArchiveError, match="holds 4 rows of 5"):
            rows_archive(older_than=NINETY, now=now)
        assert ApiCall.objects.count() == 5
        assert read("requests") == []

    def test_what_can_not_be_archived_keeps_nothing_else_from_it(self, store, now, monkeypatch):
        calls(store, now - timedelta(days=100), 5)
        InboundEvent.objects.create(
            connection=store, topic="order.updated", resource_id=1, body_hash="x", payload={}, state="done",
            received_at=now - timedelta(days=100), done_at=now - timedelta(days=100),
        )  # fmt: skip
        whole = archive._read_back

        def spoiled(path, expected):
            if "requests" in path.name:
                raise archive.ArchiveError("spoiled")
            whole(path, expected)

        monkeypatch.setattr(archive, "_read_back", spoiled)
        with pytest.raises(archive.ArchiveError, match="spoiled"):
            rows_archive(older_than=NINETY, now=now)
        assert (ApiCall.objects.count(), InboundEvent.objects.count()) == (5, 0)

    def test_a_full_disk_lets_nothing_be_deleted(self, store, now, settings, tmp_path):
        calls(store, now - timedelta(days=100), 5)
        (tmp_path / "file").write_text("")
        settings.DATA_DIR = tmp_path / "file"
        with pytest.raises(OSError, match="file"):
            rows_archive(older_than=NINETY, now=now)
        assert ApiCall.objects.count() == 5

    def test_what_changes_while_it_is_written_stays(self, store, now, monkeypatch):
        event = InboundEvent.objects.create(
            connection=store, topic="order.updated", resource_id=1, body_hash="x", payload={}, state="done",
            received_at=now - timedelta(days=100), done_at=now - timedelta(days=100),
        )  # fmt: skip
        first = calls(store, now - timedelta(days=100), 2)[0]
        read_back = archive._read_back

        def meanwhile(path, expected):
            read_back(path, expected)
            if "webhooks" in path.name:
                InboundEvent.objects.update(state="new", done_at=None)
            ApiCall.objects.filter(pk=first.pk).update(error="noted late")

        monkeypatch.setattr(archive, "_read_back", meanwhile)
        done = rows_archive(older_than=NINETY, now=now)
        assert (done["webhooks"], InboundEvent.objects.get()) == (0, event)
        assert sorted((each["row"]["path"], each["row"]["error"]) for each in read("requests")) == [
            ("/0", ""),
            ("/0", "noted late"),
            ("/1", ""),
        ]
        assert ApiCall.objects.count() == 0


class TestWhatStays:
    def test_the_newest_attempt_and_the_newest_that_took_effect_of_each_target(self, store, now):
        rows = written(store, now, 5)
        OutboundWrite.objects.filter(pk=rows[-1].pk).update(state="cancelled")
        OutboundWrite.objects.filter(pk=rows[-2].pk).update(state="rejected")
        assert rows_archive(older_than=NINETY, now=now)["writes"] == 3
        assert list(OutboundWrite.objects.order_by("pk")) == [rows[2], rows[3]]

    def test_the_newest_that_carries_a_number_where_a_price_came_later(self, store, now):
        rows = written(store, now, 4)
        OutboundWrite.objects.filter(pk__in=[row.pk for row in rows[2:]]).update(carries_number=False)
        assert rows_archive(older_than=NINETY, now=now)["writes"] == 2
        assert list(OutboundWrite.objects.order_by("pk")) == [rows[1], rows[3]]

    def test_where_writes_are_archived_nobody_claims_that_nothing_was_told(self, now):
        facts = ThenFacts("shop", "till", 1, None, None, [], "", writes_from=now - NINETY)
        when = Moment(now, UTC)
        said = [{known.what: known.said for known in then_known(facts, now - age, when)} for age in (2 * NINETY, NINETY)]
        assert [each["Last told to the shop"] for each in said] == [
            "unknown: writes of that time are archived",
            "nothing by then",
        ]

    def test_the_log_of_a_pair_whose_conflict_is_open(self, store, now):
        pos, at = make.pos_connection(), now - timedelta(days=100)
        pairs = [make.alignment(make.item(pos, sku), make.listing(store, sku)) for sku in ("A", "B")]
        kept, _ = (SyncLog.objects.create(alignment=pair, at=at, source="pos", action="qty_update") for pair in pairs)
        SyncConflict.objects.create(
            store=store, alignment=pairs[0], conflict_type="quantity_mismatch", drift_class="major", detected_at=at
        )
        assert rows_archive(older_than=NINETY, now=now)["changed-values"] == 1
        assert SyncLog.objects.get() == kept

    def test_open_writes_of_any_age(self, store, now):
        rows = written(store, now, 2)
        OutboundWrite.objects.filter(pk=rows[0].pk).update(state="unknown", answered_at=None)
        assert rows_archive(older_than=NINETY, now=now)["writes"] == 0

    def test_a_write_answered_lately(self, store, now):
        rows = written(store, now, 2)
        OutboundWrite.objects.filter(pk=rows[0].pk).update(answered_at=now - timedelta(days=1))
        assert rows_archive(older_than=NINETY, now=now)["writes"] == 0

    def test_a_price_goes_with_its_write(self, store, now):
        rows = written(store, now, 2)
        for row in rows:
            PriceWrite.objects.create(write=row, price_to=Decimal("9.90"))
        rows_archive(older_than=NINETY, now=now)
        assert [each["price"][0]["price_to"] for each in read("writes")] == ["9.9000"]
        assert PriceWrite.objects.get().write == rows[1]

    def test_runs_from_the_newest_good_one_on_and_those_that_something_points_to(self, store, now):
        runs = {}
        for n, state in enumerate(("done", "failed", "held", "partial", "done", "failed", "failed")):
            at = now - timedelta(days=200 - n)
            runs[n] = SyncRun.objects.create(store=store, kind="full", state=state, started_at=at, finished_at=at)
        pair = make.alignment(make.item(make.pos_connection()), make.listing(store))
        SyncLog.objects.create(alignment=pair, run=runs[3], at=now, source="pos", action="qty_update")
        problem = RunProblem.objects.create(run=runs[1], connection=store, subject="MUG", code="odd", message="Odd.")
        assert rows_archive(older_than=NINETY, now=now)["runs"] == 2
        assert list(SyncRun.objects.order_by("pk")) == [runs[n] for n in (2, 3, 4, 5, 6)]
        assert [[each["id"] for each in run["problems"]] for run in read("runs")] == [[], [problem.pk]]
        assert SyncLog.objects.get().run == runs[3]

    def test_exports_of_the_till_so_that_an_old_one_is_known_again(self, open_shop):
        shop = open_shop(stock={"A": 5}, till_mode="live")
        shop.running()
        old, name = next((shop.folder / "done").glob("*.csv")).read_bytes(), TillFeed.objects.get().name
        shop.till.sell("A", 2)
        shop.clock.tick(minutes=5)
        shop.export()
        shop.sync(INCREMENTAL)
        shop.clock.tick(days=120)
        housekeep(now=shop.clock.now)
        assert TillFeed.objects.count() == 2
        before = ledger()["inventory_movement"]
        shop.drop(old, name)
        shop.sync(INCREMENTAL)
        assert ledger()["inventory_movement"] == before
        assert TillFeed.objects.get(name=name).seen_again == 1

    def test_alerts_whose_cause_lasts_and_messages_about_them(self, now):
        channel = Channel.objects.create(name="mail", kind="email", settings={"to": ["a@example.com"]})
        old = now - timedelta(days=200)
        common = {
            "rule": "low_stock",
            "severity": 10,
            "title": "x",
            "words": "x",
            "since": old,
            "opened_at": old,
            "last_seen_at": old,
        }
        gone = Alert.objects.create(**common, subject="1", state="gone", cause_gone_at=old, resolved_at=old)
        lasts = Alert.objects.create(**common, subject="2")
        message = {"channel": channel, "occasion": "alert", "severity": 10, "next_attempt_at": old, "created_at": old}
        for alert in (gone, lasts):
            Notification.objects.create(**message, alert=alert, state="sent", sent_at=old)
        digests = [
            Notification.objects.create(**message | {"occasion": "digest"}, state="sent", sent_at=old + timedelta(days=n))
            for n in range(2)
        ]
        done = rows_archive(older_than=NINETY, now=now)
        assert (done["alerts"], done["messages"]) == (1, 1)
        assert list(Alert.objects.all()) == [lasts]
        assert set(Notification.objects.all()) == {Notification.objects.get(alert=lasts), digests[1]}
        assert [len(each["notifications"]) for each in read("alerts")] == [1]

    def test_sessions_are_forgotten_when_over_and_never_written_down(self, now, client):
        from django.contrib.sessions.models import Session

        client.force_login(make.person("anna"), backend="django.contrib.auth.backends.ModelBackend")
        assert rows_archive(older_than=NINETY, now=timezone.now())["sessions"] == 0
        assert rows_archive(older_than=NINETY, now=timezone.now() + timedelta(days=120))["sessions"] == 1
        assert (Session.objects.count(), files("sessions")) == (0, [])


def test_the_ledger_is_the_same_to_the_last_byte_and_the_next_full_sync_writes_nothing(open_shop):
    shop = open_shop(stock={"A": 10, "B": 4, "C": 7}, till_mode="live")
    shop.running()
    for _ in range(4):
        shop.app.place_order([("A", 1), ("B", 1)])
        shop.clock.tick(minutes=5)
        shop.sync(INCREMENTAL)
        shop.take_in_adjustments()
        shop.till.sell("C", 1)
        shop.clock.tick(minutes=5)
        shop.export()
        shop.sync(INCREMENTAL)
    shown, before = shop.shown(), None
    counts = {model: model.objects.count() for model in (SyncLog, OutboundWrite, SyncRun, ApiCall)}
    shop.clock.tick(days=120)
    shop.export()
    shop.sync(FULL)  # the newest good run: all before it may go
    before = ledger()
    done = rows_archive(older_than=NINETY, now=shop.clock.now())
    assert ledger() == before
    assert done["changed-values"] == counts[SyncLog] > 5
    assert done["writes"] >= 5
    assert done["requests"] == counts[ApiCall]
    assert OutboundWrite.objects.exclude(level=None).filter(state="applied").exists()
    shop.app.forget_requests()
    shop.clock.tick(minutes=5)
    shop.export()
    assert shop.sync(FULL).state == "done"
    assert (shop.sent(), shop.waiting_files("outbound")) == ({}, [])
    assert shop.shown() == shown == shop.expected()
    assert ledger()["inventory_movement"] == before["inventory_movement"]
    order = shop.app.place_order([("A", 2)])
    shop.clock.tick(minutes=5)
    shop.sync(INCREMENTAL)
    assert order.id
    assert len(shop.waiting_files("outbound")) == 1  # one adjustment, about this order alone
    assert (ledger()["inventory_movement"][0], len(shop.movements())) == (before["inventory_movement"][0] + 1, 13)


class TestCommand:
    def test_a_dry_run_counts_and_touches_nothing(self, store, capsys):
        calls(store, timezone.now() - timedelta(days=40))
        call_command("archive", older_than=30, dry_run=True)
        said = capsys.readouterr().out
        assert "requests                   3\n" in said
        assert "3 rows older than 30 days would go to" in said
        assert (ApiCall.objects.count(), files()) == (3, [])

    def test_it_archives_and_says_how_much(self, store, capsys):
        calls(store, timezone.now() - timedelta(days=100))
        call_command("archive")
        assert "3 rows older than 90 days went to" in capsys.readouterr().out
        assert (ApiCall.objects.count(), len(read("requests"))) == (0, 3)

    def test_what_the_engine_still_asks_for_is_refused(self):
        with pytest.raises(CommandExit, match="younger than 7 days"):
            call_command("archive", older_than=6)

    def test_what_is_counted_is_what_goes(self, store, now):
        written(store, now, 4)
        calls(store, now - timedelta(days=100))
        assert rows_to_archive(older_than=NINETY, now=now) == rows_archive(older_than=NINETY, now=now)
