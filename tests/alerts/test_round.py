"""What is done each minute, the watch that needs no schedule, and the retry of a failed sync."""

from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from django.core import mail as outbox

from alerts.models import Alert, Channel
from alerts.rules.words import RULES, Code
from alerts.schedule import jobs
from alerts.services.evaluate import alerts_round
from alerts.services.retry import failed_syncs_retry
from alerts.watch import schedule_watch
from connectors.errors import RetryableError
from tests.alerts.cases import HOUR, MINUTE, SECOND

pytestmark = pytest.mark.django_db
ASK = "alerts.services.retry.run_request"


@pytest.fixture
def mail(db) -> Channel:
    return Channel.objects.create(name="Mail", kind="email", settings={"to": ["a@example.com"]}, min_severity=10)


def test_a_critical_drift_is_found_and_told_in_the_same_minute(shop, mail):
    shop.conflict()
    alerts_round(now=shop.now + MINUTE)
    assert outbox.outbox[0].subject == "[Evenstock] Critical: Far off in the shop – Mug (MUG-1)"


def test_what_can_wait_is_looked_at_every_fifth_minute(shop):
    shop.put(shop.listing, price=90)
    at = shop.now.replace(minute=31)
    assert alerts_round(now=at).opened == 0
    assert alerts_round(now=at.replace(minute=35)).opened == 1


def test_the_round_is_in_the_schedule():
    (job,) = jobs()
    assert (job.task, job.when) == ("alerts.tasks.alerts_round", MINUTE)


def test_every_rule_is_explained_to_managers():
    text = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text()
    for about in RULES.values():
        mark = " ↑" if about.escalates_after else ""
        assert f"| {about.title} | {about.severity.name.lower()}{mark} |" in text


class TestWatch:
    def test_a_dead_schedule_is_told_once_without_it_and_resolves(self, shop, mail):
        shop.beat(timedelta(0))
        assert schedule_watch(now=shop.now)
        silent = shop.now + 76 * SECOND
        for again in range(3):
            assert not schedule_watch(now=silent + again * 30 * SECOND)
        (sent,) = outbox.outbox
        assert sent.subject == "[Evenstock] Critical: The schedule has stopped – Evenstock's schedule"
        shop.put(shop_beat(), at=silent + HOUR)
        assert schedule_watch(now=silent + HOUR)
        assert Alert.objects.get().state == "gone"

    def test_a_schedule_that_was_never_watched_is_not_missed(self, shop, mail):
        assert schedule_watch(now=shop.now)
        assert not Alert.objects.exists()


def shop_beat():
    from jobs.models import Heartbeat

    return Heartbeat.objects.get()


class TestRetry:
    def fails(self, shop) -> None:
        shop.run("failed", kind="full")
        shop.alerts(Code.SYNC_FAILED)

    def test_a_failed_sync_is_tried_again_after_five_minutes_once(self, shop):
        self.fails(shop)
        with patch(ASK) as asked:
            assert failed_syncs_retry(now=shop.now + 5 * MINUTE - SECOND) == 0
            assert failed_syncs_retry(now=shop.now + 5 * MINUTE) == 1
            assert failed_syncs_retry(now=shop.now + 6 * MINUTE) == 0
        asked.assert_called_once_with(store=shop.store, kind="full", by=None)

    def test_one_that_mended_itself_is_not(self, shop):
        self.fails(shop)
        shop.run("done", -MINUTE)
        shop.alerts(Code.SYNC_FAILED, at=shop.now + 2 * MINUTE)
        with patch(ASK) as asked:
            assert failed_syncs_retry(now=shop.now + 5 * MINUTE) == 0
        asked.assert_not_called()

    def test_a_broker_that_can_t_be_reached_is_asked_again(self, shop):
        self.fails(shop)
        with patch(ASK, side_effect=RetryableError("down")):
            assert failed_syncs_retry(now=shop.now + 5 * MINUTE) == 0
        with patch(ASK) as asked:
            assert failed_syncs_retry(now=shop.now + 6 * MINUTE) == 1
        asked.assert_called_once()
