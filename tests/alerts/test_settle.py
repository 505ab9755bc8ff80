"""What was found becomes alerts: once while it lasts, the same again when it soon comes back, gone when the cause is gone."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from alerts.models import Alert, Channel, Notification
from alerts.rules.words import Code, Finding, Severity
from alerts.selectors.looks import EVERYTHING, findings
from alerts.services.alerts import alerts_assign, alerts_reopen, alerts_resolve, alerts_snooze
from alerts.services.evaluate import alerts_evaluate
from alerts.services.settle import alerts_settle
from connectors.errors import ConfigError
from inventory.models import Item, StockLevel
from tests import factories as make
from tests.alerts.cases import HOUR, MINUTE, SECOND
from tests.ledger import booked, keeping, moved

pytestmark = pytest.mark.django_db
CODES = [Code.SYNC_FAILED, Code.LOW_STOCK]


def found(words: str = "It failed.", **fields) -> Finding:
    return Finding(**{"code": Code.SYNC_FAILED, "subject": "store:1", "title": "shop", "words": words, **fields})


def look(now, *findings: Finding):
    return alerts_settle(findings=findings, codes=CODES, now=now)


@pytest.fixture
def mail(db) -> Channel:
    return Channel.objects.create(name="Mail", kind="email", settings={"to": ["a@example.com"]}, min_severity=Severity.HIGH)


@pytest.fixture
def lead(db) -> Channel:
    return Channel.objects.create(name="Lead", kind="email", settings={"to": ["lead@example.com"]}, is_for_lead=True)


def told(channel: Channel) -> int:
    return Notification.objects.filter(channel=channel).count()


def test_a_cause_that_lasts_is_one_alert_however_often_it_is_seen(now, mail):
    for minutes in range(5):
        done = look(now + minutes * MINUTE, found())
        assert done.opened == (minutes == 0)
    alert = Alert.objects.get()
    assert (alert.times_seen, alert.opened_at, alert.last_seen_at) == (5, now, now + 4 * MINUTE)
    assert alert.history.count() == 1
    assert told(mail) == 1


def test_new_words_are_kept_and_nobody_is_told_again(now, mail):
    look(now, found("Twice."))
    look(now + MINUTE, found("Three times."))
    alert = Alert.objects.get()
    assert alert.words == "Three times."
    assert alert.history.count() == 1
    assert told(mail) == 1


def test_a_look_that_did_not_ask_a_rule_resolves_nothing_of_it(now):
    look(now, found())
    alerts_settle(findings=[], codes=[Code.LOW_STOCK], now=now + MINUTE)
    assert Alert.objects.get().state == "open"


def test_a_cause_that_soon_comes_back_is_the_same_alert_and_told_once(now, mail):
    look(now, found())
    look(now + MINUTE)
    assert Alert.objects.get().state == "gone"
    done = look(now + 30 * MINUTE, found())
    assert (done.opened, done.returned) == (0, 1)
    alert = Alert.objects.get()
    assert (alert.state, alert.came_back, alert.cause_gone_at, alert.opened_at) == ("open", 1, None, now)
    assert told(mail) == 1


def test_a_cause_that_comes_back_later_is_a_new_alert(now, mail):
    look(now, found())
    look(now + MINUTE)
    look(now + 31 * MINUTE, found())
    assert list(Alert.objects.order_by("pk").values_list("state", flat=True)) == ["gone", "open"]
    assert told(mail) == 2


def test_two_rules_and_two_subjects_are_apart(now):
    look(now, found(), found(subject="store:2"), found(code=Code.LOW_STOCK))
    assert Alert.objects.count() == 3


def test_the_database_keeps_one_alert_for_a_cause(now):
    look(now, found())
    alert = Alert.objects.get()
    alert.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        alert.save()


def test_a_second_look_at_the_same_time_does_nothing(now, monkeypatch):
    look(now, found())
    monkeypatch.setattr("alerts.services.settle._Pass._known", lambda *_, **__: iter(()))  # as if it had not been there yet
    done = look(now, found())
    assert done.is_busy
    assert Alert.objects.count() == 1


class TestEscalation:
    def test_what_lasts_over_an_hour_goes_to_the_lead_once_as_critical(self, now, mail, lead):
        look(now, found(since=now))
        look(now + HOUR, found(since=now))
        assert (Alert.objects.get().severity, told(lead)) == (Severity.HIGH, 0)
        done = look(now + HOUR + SECOND, found(since=now))
        assert done.escalated == 1
        alert = Alert.objects.get()
        assert (alert.severity, alert.escalated_at) == (Severity.CRITICAL, now + HOUR + SECOND)
        look(now + 2 * HOUR, found(since=now))
        assert (told(lead), told(mail)) == (1, 1)
        assert Alert.objects.get().severity == Severity.CRITICAL

    def test_a_failure_that_ends_within_the_hour_does_not(self, now, lead):
        look(now, found(since=now))
        look(now + 50 * MINUTE)
        look(now + 55 * MINUTE, found(since=now + 55 * MINUTE))
        look(now + 100 * MINUTE, found(since=now + 55 * MINUTE))
        assert told(lead) == 0

    def test_a_failure_that_began_long_before_the_first_look_does_at_once(self, now, lead):
        look(now, found(since=now - 2 * HOUR))
        assert (Alert.objects.get().severity, told(lead)) == (Severity.CRITICAL, 1)

    def test_three_failures_in_a_row_are_the_lead_s_too_and_other_alerts_are_not(self, now, lead):
        alerts_settle(
            findings=[found(code=Code.SYNC_FAILED_AGAIN), found(code=Code.CRITICAL_DRIFT)],
            codes=[Code.SYNC_FAILED_AGAIN, Code.CRITICAL_DRIFT],
            now=now,
        )
        assert told(lead) == 1

    def test_low_stock_never_goes_to_the_lead(self, now, lead):
        look(now, found(code=Code.LOW_STOCK, since=now - timedelta(days=9)))
        assert told(lead) == 0


class TestPeople:
    @pytest.fixture
    def by(self, db):
        return make.person("anna")

    def test_a_snoozed_alert_comes_back_and_is_told_again(self, now, by, mail):
        look(now, found())
        alerts_snooze(alerts=[Alert.objects.get()], until=now + HOUR, by=by, now=now)
        look(now + 59 * MINUTE, found())
        assert (Alert.objects.get().state, told(mail)) == ("snoozed", 1)
        look(now + HOUR, found())
        assert (Alert.objects.get().state, told(mail)) == ("open", 2)

    def test_a_snoozed_alert_resolves_when_its_cause_is_gone(self, now, by):
        look(now, found())
        alerts_snooze(alerts=[Alert.objects.get()], until=now + HOUR, by=by, now=now)
        look(now + MINUTE)
        assert Alert.objects.get().state == "gone"

    def test_a_snoozed_alert_that_gets_worse_comes_back(self, now, by, mail):
        look(now, found())
        alerts_snooze(alerts=[Alert.objects.get()], until=now + 9 * HOUR, by=by, now=now)
        look(now + MINUTE, found(severity=Severity.CRITICAL))
        assert (Alert.objects.get().state, told(mail)) == ("open", 2)

    def test_nobody_snoozes_into_the_past(self, now, by):
        look(now, found())
        with pytest.raises(ConfigError):
            alerts_snooze(alerts=[Alert.objects.get()], until=now, by=by, now=now)

    def test_resolving_takes_notes_and_keeps_who_and_what(self, now, by):
        look(now, found())
        with pytest.raises(ConfigError):
            alerts_resolve(alerts=[Alert.objects.get()], notes="  ", by=by, now=now)
        assert alerts_resolve(alerts=[Alert.objects.get()], notes="Renewed the key.", by=by, now=now) == 1
        alert = Alert.objects.get()
        assert (alert.state, alert.resolved_by, alert.notes) == ("resolved", by, "Renewed the key.")
        assert (alert.history.first().history_user, alert.history.first().history_change_reason) == (by, "Resolved")

    def test_a_resolved_alert_stays_quiet_for_a_day_while_its_cause_lasts(self, now, by, mail):
        look(now, found())
        alerts_resolve(alerts=[Alert.objects.get()], notes="Dealt with.", by=by, now=now)
        look(now + 24 * HOUR - SECOND, found())
        assert (Alert.objects.get().state, told(mail)) == ("resolved", 1)
        look(now + 24 * HOUR, found())
        assert (Alert.objects.get().state, told(mail)) == ("open", 2)

    def test_what_was_resolved_and_went_is_told_again_when_it_comes_back(self, now, by, mail):
        look(now, found())
        alerts_resolve(alerts=[Alert.objects.get()], notes="Dealt with.", by=by, now=now)
        look(now + MINUTE)
        alert = Alert.objects.get()
        assert (alert.state, alert.cause_gone_at) == ("resolved", now + MINUTE)
        assert alerts_reopen(alerts=[alert], by=by) == 0
        look(now + 2 * MINUTE, found())
        assert (Alert.objects.get().state, told(mail)) == ("open", 2)

    def test_what_is_over_can_neither_be_snoozed_nor_opened_again(self, now, by):
        look(now, found())
        look(now + MINUTE)
        gone = [Alert.objects.get()]
        assert alerts_snooze(alerts=gone, until=now + HOUR, by=by, now=now) == 0
        assert alerts_reopen(alerts=gone, by=by) == 0
        assert alerts_resolve(alerts=gone, notes="x", by=by, now=now) == 0

    def test_a_person_takes_a_decision_back(self, now, by):
        look(now, found())
        alerts_resolve(alerts=[Alert.objects.get()], notes="Dealt with.", by=by, now=now)
        assert alerts_reopen(alerts=[Alert.objects.get()], by=by) == 1
        alert = Alert.objects.get()
        assert (alert.state, alert.resolved_by, alert.resolved_at) == ("open", None, None)

    def test_assigning_keeps_the_state(self, now, by):
        look(now, found())
        alerts_assign(alerts=[Alert.objects.get()], to=by, by=by)
        alert = Alert.objects.get()
        assert (alert.assigned_to, alert.state, alert.history.first().history_change_reason) == (by, "open", "Assigned to anna")


class TestManyProducts:
    """20,000 items: the looks take few statements, and a thousand new alerts a bounded number."""

    @pytest.fixture
    def large(self, shop):
        items = Item.objects.bulk_create(
            [
                Item(connection=shop.till, sku=f"S{n:05}", sku_key=f"s{n:05}", name=f"Thing {n}", first_seen_at=shop.now)
                for n in range(20_000)
            ],
            batch_size=2000,
        )
        place = shop.level.location
        with keeping():
            StockLevel.objects.bulk_create(
                [StockLevel(item=one, location=place, on_hand=n % 20, baseline=n % 20) for n, one in enumerate(items)],
                batch_size=2000,
            )
        booked(
            moved(
                item=one, location=place, quantity=-1, kind="till", source=shop.till, of=one.sku,
                occurred_at=shop.now, recorded_at=shop.now,
            )
            for one in items
        )  # fmt: skip
        if database.vendor == "postgresql":  # autovacuum does so in life, within a minute
            with database.cursor() as cursor:
                cursor.execute("ANALYZE")
        return shop

    def test_statements_do_not_grow_with_the_catalogue(self, large, mail):
        with CaptureQueriesContext(database) as looked:
            found_now, _ = findings(codes=EVERYTHING, now=large.now)
        assert len(found_now) == 1000  # every twentieth is sold out
        assert len(looked) < 35
        with CaptureQueriesContext(database) as first:
            done = alerts_evaluate(now=large.now)
        assert done.opened == 1000
        assert len(first) < 120  # SQLite takes fifty rows a statement
        with CaptureQueriesContext(database) as second:
            again = alerts_evaluate(now=large.now + MINUTE)
        assert (again.opened, again.gone, again.changed) == (0, 0, 0)
        assert len(second) < 40
        with keeping():
            StockLevel.objects.update(on_hand=Decimal(30))
        with CaptureQueriesContext(database) as third:
            assert alerts_evaluate(now=large.now + 2 * MINUTE).gone == 1000
        assert len([each for each in third if "times: " not in each["sql"]]) < 60
