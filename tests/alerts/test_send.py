"""Messages go out once, together, at the right hour; what fails is tried three times and then held where people see it."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, time, timedelta
from unittest.mock import patch

import pytest
from django.core import mail as outbox

from alerts.channels.webhook import webhook_body
from alerts.models import Alert, Channel, Notification
from alerts.rules.words import Code, Finding, Severity
from alerts.selectors.messages import message_of
from alerts.services.send import channel_test, notifications_retry, notifications_send
from alerts.services.settle import alerts_settle
from connectors.errors import ConfigError
from sandbox.server import serve
from tests import factories as make
from tests.alerts.cases import HOUR, MINUTE, SECOND
from tests.alerts.receivers import Hook, MailSink, free_port

pytestmark = pytest.mark.django_db
SMTP = "django.core.mail.backends.smtp.EmailBackend"


def finding(number: int = 1, code: Code = Code.NEGATIVE_STOCK, **fields) -> Finding:
    known = {"subject": f"level:{number}", "title": f"Mug {number}", "words": "−2 at Main street.", "next_step": "Count it."}
    return Finding(code, **{**known, **fields})


def happens(now: datetime, *findings: Finding) -> None:
    alerts_settle(findings=findings, codes=list(Code), now=now)


def channel(kind: str = "email", **fields) -> Channel:
    settings = {"email": {"to": ["anna@example.com", "ben@example.com"]}, "webhook": {}, "till_note": {"till": "till"}}[kind]
    return Channel.objects.create(**{"name": kind, "kind": kind, "settings": settings, **fields})


def states() -> list[str]:
    return list(Notification.objects.order_by("pk").values_list("state", flat=True))


@pytest.fixture
def hook():
    with serve(app := Hook()) as running:
        app.url = f"{running.url}/in"
        yield app


def hooked(hook: Hook, shape: str = "json", **fields) -> Channel:
    return channel("webhook", settings={"shape": shape}, secrets={"url": hook.url, "secret": "s3cret"}, **fields)


class TestMail:
    def test_it_is_sent_once_as_text_and_html(self, now, settings):
        settings.EVENSTOCK_PUBLIC_URL = "https://stock.example.com"
        channel()
        happens(now, finding(title="Mug <b>1</b>"))
        assert notifications_send(now=now).messages == 1
        assert notifications_send(now=now).messages == 0
        (sent,) = outbox.outbox
        assert sent.to == ["anna@example.com", "ben@example.com"]
        assert sent.subject == "[Evenstock] High: Below zero – Mug <b>1</b>"
        link = f"https://stock.example.com/admin/alerts/alert/{Alert.objects.get().pk}/change/"
        assert "Mug <b>1</b>" in sent.body
        assert "→ Count it." in sent.body
        assert link in sent.body
        ((html, kind),) = sent.alternatives
        assert kind == "text/html"
        assert "Mug &lt;b&gt;1&lt;/b&gt;" in html
        assert link in html
        assert states() == ["sent"]

    def test_it_arrives_at_a_real_mail_server(self, now, settings):
        with MailSink() as sink:
            settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", sink.port
            channel()
            happens(now, finding())
            assert notifications_send(now=now).messages == 1
        (got,) = sink.mails
        assert got["Subject"] == "[Evenstock] High: Below zero – Mug 1"
        assert got["Auto-Submitted"] == "auto-generated"
        assert "−2 at Main street." in got.get_body(("plain",)).get_content()
        assert "−2 at Main street." in got.get_body(("html",)).get_content()

    def test_a_busy_mail_server_gets_it_later(self, now, settings):
        with MailSink() as sink:
            settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", sink.port
            sink.busy = True
            channel()
            happens(now, finding())
            assert notifications_send(now=now).failed == 1
            assert (states(), sink.mails) == (["pending"], [])
            sink.busy = False
            assert notifications_send(now=now + MINUTE - SECOND).messages == 0
            assert notifications_send(now=now + MINUTE).messages == 1
        assert len(sink.mails) == 1

    def test_no_mail_server_is_tried_three_times_then_held_and_said(self, now, settings):
        settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", free_port()
        here = channel()
        happens(now, finding())
        for minutes, state in ((0, "pending"), (1, "pending"), (6, "held"), (60, "held")):
            notifications_send(now=now + minutes * MINUTE)
            assert states() == [state]
        row = Notification.objects.get()
        assert row.attempts == 3
        assert row.error.startswith("The mail server could not be used")
        here.refresh_from_db()
        assert here.last_error == row.error

    def test_where_no_mail_server_is_set_it_says_so(self, now, settings):
        settings.EMAIL_BACKEND, settings.EMAIL_HOST = SMTP, ""
        error = channel_test(channel=channel(), by=make.person("anna"), now=now)
        assert isinstance(error, ConfigError)
        assert error.message == "No mail server is set, so no mail can be sent."

    def test_what_was_held_is_sent_when_somebody_says_so(self, now, settings):
        settings.EMAIL_BACKEND, settings.EMAIL_HOST = SMTP, ""
        channel()
        happens(now, finding())
        for minutes in (0, 1, 6):
            notifications_send(now=now + minutes * MINUTE)
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        assert notifications_retry(notifications=list(Notification.objects.all()), now=now) == 1
        notifications_send(now=now + HOUR)
        assert (states(), len(outbox.outbox)) == (["sent"], 1)

    def test_a_line_break_in_a_name_does_not_break_the_mail(self, now):
        channel()
        happens(now, finding(title="Mug\nBcc: eve@example.com"))
        assert notifications_send(now=now).messages == 1
        assert outbox.outbox[0].subject == "[Evenstock] High: Below zero – Mug Bcc: eve@example.com"


class TestManyAtOnce:
    def test_a_hundred_go_into_one_message(self, now):
        channel()
        happens(now, *(finding(n) for n in range(250)))
        assert notifications_send(now=now).messages == 3
        assert [sent.subject for sent in outbox.outbox] == [
            "[Evenstock] High: 100 alerts", "[Evenstock] High: 100 alerts", "[Evenstock] High: 50 alerts",
        ]  # fmt: skip
        assert set(states()) == {"sent"}

    def test_a_flood_is_one_message_that_lists_a_hundred_and_counts_the_rest(self, now):
        channel(min_severity=Severity.MEDIUM)
        happens(now, *(finding(n, Code.OUT_OF_STOCK) for n in range(5000)), finding(1))
        assert notifications_send(now=now).messages == 1
        (sent,) = outbox.outbox
        assert sent.subject == "[Evenstock] High: 5001 alerts"
        assert sent.body.count("→ Count it.") == 100
        assert "And 4901 more. In all: Out of stock 5000, Below zero 1." in sent.body
        assert Alert.objects.filter(state="open").count() == 5001
        assert set(states()) == {"sent"}


class TestWebhook:
    def test_it_arrives_signed_with_a_time(self, now, hook):
        hooked(hook)
        happens(now, finding())
        assert notifications_send(now=now).messages == 1
        ((headers, body),) = hook.got
        at = headers["X-Evenstock-Timestamp"]
        assert int(at) == int(now.timestamp())
        expected = hmac.new(b"s3cret", f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        assert headers["X-Evenstock-Signature"] == f"sha256={expected}"
        said = json.loads(body)
        assert said["delivery"] == headers["X-Evenstock-Delivery"] == str(Notification.objects.get().delivery)
        assert said["alerts"][0] | {"id": 0} == {
            "id": 0, "severity": "high", "rule": "negative_stock", "title": "Mug 1", "words": "−2 at Main street.",
            "next_step": "Count it.", "system": "", "link": "",
        }  # fmt: skip

    def test_slack_gets_the_fields_it_knows_and_no_other(self, now, hook):
        hooked(hook, shape="slack")
        happens(now, finding(title="Mug <!channel> & <b>"))
        notifications_send(now=now)
        (said,) = hook.bodies
        assert said.keys() == {"text", "blocks"}
        assert said["text"] == "High: Below zero – Mug &lt;!channel&gt; &amp; &lt;b&gt;."
        assert "<!channel>" not in json.dumps(said)

    def test_long_messages_stay_within_slack_s_limits(self, now):
        happens(now, *(finding(n, words="word " * 300) for n in range(100)))
        body = webhook_body("slack", message_of(alerts=list(Alert.objects.all()), delivery=Alert, to_lead=False))
        assert len(body["blocks"]) <= 50
        assert max(len(block["text"]["text"]) for block in body["blocks"]) <= 3000

    @pytest.mark.parametrize("status", [302, 400, 404, 500, 503])
    def test_anything_but_success_is_tried_again(self, now, hook, status):
        hooked(hook)
        hook.status, hook.headers = status, {"Location": "http://127.0.0.1/elsewhere"}
        happens(now, finding())
        assert notifications_send(now=now).failed == 1
        hook.status = 204
        assert notifications_send(now=now + MINUTE).messages == 1
        assert len(hook.got) == 2

    def test_an_unsigned_channel_sends_no_signature(self, now, hook):
        channel("webhook", secrets={"url": hook.url})
        happens(now, finding())
        notifications_send(now=now)
        assert "X-Evenstock-Signature" not in hook.got[0][0]

    def test_private_addresses_are_refused_unless_allowed(self, now, hook, settings):
        settings.EVENSTOCK_ALLOW_PRIVATE_NETWORKS = False
        error = channel_test(channel=hooked(hook), by=make.person("anna"), now=now)
        assert error is not None
        assert "private network" in error.message
        assert hook.got == []

    def test_a_channel_that_fails_does_not_keep_the_others(self, now, hook):
        hooked(hook)
        channel()
        hook.status = 500
        happens(now, finding())
        sent = notifications_send(now=now)
        assert (sent.messages, sent.failed, len(outbox.outbox)) == (1, 1, 1)

    def test_no_secret_is_in_what_is_kept(self, now, hook):
        hooked(hook)
        hook.status = 500
        happens(now, finding())
        notifications_send(now=now)
        assert hook.url not in Notification.objects.get().error
        assert "s3cret" not in Notification.objects.get().error


class TestTillNote:
    @pytest.fixture
    def till(self, tmp_path):
        (tmp_path / "till").mkdir()
        return make.pos_connection(mode="live")

    @pytest.fixture
    def folder(self, tmp_path, settings, till):
        settings.DATA_DIR = tmp_path
        return tmp_path / "till" / "outbound" / "notes"

    def test_the_till_is_shown_what_is_about_it_and_nothing_else(self, now, till, folder):
        channel("till_note", rules=["negative_stock"])
        happens(now, finding(1, connection_id=till.pk), finding(2), finding(3, Code.HELD_RUN, connection_id=till.pk))
        assert notifications_send(now=now).messages == 1
        (path,) = folder.iterdir()
        assert path.read_text().splitlines() == ["High: Below zero – Mug 1", "", "Mug 1: −2 at Main street."]

    def test_a_till_that_is_only_observed_is_not_written_to(self, now, till, folder):
        till.mode = "observe"
        till.save()
        error = channel_test(channel=channel("till_note"), by=make.person("anna"), now=now)
        assert isinstance(error, ConfigError)
        assert "observe mode" in error.message
        assert not folder.exists()

    def test_a_system_that_can_t_show_notes_says_so(self, now):
        make.store_connection("till")
        error = channel_test(channel=channel("till_note"), by=make.person("anna"), now=now)
        assert error is not None
        assert error.message == "“till” can't show notes."


class TestQuietHours:
    NIGHT = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)  # 23:30 in Vienna
    HOURS = {"quiet_from": time(23), "quiet_to": time(7), "time_zone": "Europe/Vienna"}

    def test_what_happens_then_is_told_in_the_morning(self):
        channel(**self.HOURS)
        happens(self.NIGHT, finding())
        assert notifications_send(now=self.NIGHT).messages == 0
        assert notifications_send(now=datetime(2026, 3, 3, 5, 59, tzinfo=UTC)).messages == 0
        assert notifications_send(now=datetime(2026, 3, 3, 6, 0, tzinfo=UTC)).messages == 1

    def test_critical_alerts_pass_where_they_may(self):
        channel(**self.HOURS)
        happens(self.NIGHT, finding(1), finding(2, Code.CRITICAL_DRIFT))
        assert notifications_send(now=self.NIGHT).messages == 1
        assert "Mug 2" in outbox.outbox[0].body
        assert sorted(states()) == ["pending", "sent"]

    def test_and_do_not_where_they_may_not(self):
        channel(**self.HOURS, critical_passes=False)
        happens(self.NIGHT, finding(2, Code.CRITICAL_DRIFT))
        assert notifications_send(now=self.NIGHT).messages == 0

    def test_what_is_over_by_the_morning_is_not_told(self):
        channel(**self.HOURS)
        happens(self.NIGHT, finding())
        happens(self.NIGHT + HOUR)
        sent = notifications_send(now=self.NIGHT + 9 * HOUR)
        assert (sent.messages, sent.dropped, states()) == (0, 1, ["dropped"])


class TestSummaries:
    def test_it_comes_once_a_day_at_its_hour_with_what_is_open(self, now):
        here = channel(pace="daily", min_severity=Severity.MEDIUM, send_at=time(7), time_zone="Europe/Vienna")
        happens(now, finding(1, Code.DISCREPANCY), finding(2, Code.LOW_STOCK), finding(3, Code.NEGATIVE_STOCK))
        assert notifications_send(now=now).messages == 0  # the channel is new: its first one comes tomorrow
        assert notifications_send(now=datetime(2026, 3, 3, 5, 59, tzinfo=UTC)).messages == 0
        assert notifications_send(now=datetime(2026, 3, 3, 6, 0, tzinfo=UTC)).messages == 1
        assert notifications_send(now=datetime(2026, 3, 3, 6, 1, tzinfo=UTC)).messages == 0
        (sent,) = outbox.outbox
        assert sent.subject == "[Evenstock] Your day: 2 open alerts"
        assert "Mug 2" not in sent.body  # low stock is below what this channel takes
        assert sent.body.index("Mug 3") < sent.body.index("Mug 1")
        here.refresh_from_db()
        assert here.digest_sent_at == datetime(2026, 3, 3, 6, 0, tzinfo=UTC)

    def test_a_weekly_one_comes_on_mondays(self, now):
        channel(pace="weekly", min_severity=Severity.LOW)
        happens(now, finding(2, Code.LOW_STOCK))  # a Monday, 09:30
        for days in range(7):
            notifications_send(now=now + timedelta(days=days))
        assert outbox.outbox == []
        notifications_send(now=now + timedelta(days=7))
        assert outbox.outbox[0].subject == "[Evenstock] Your week: 1 open alert"

    def test_nothing_is_sent_where_there_is_nothing_to_say(self, now):
        channel(pace="daily")
        notifications_send(now=now)
        notifications_send(now=now + timedelta(days=1))
        assert (outbox.outbox, states()) == ([], ["dropped"])

    def test_what_came_and_went_is_counted(self, now):
        channel(pace="daily")
        notifications_send(now=now)
        happens(now + HOUR, finding())
        happens(now + 2 * HOUR)
        notifications_send(now=now + timedelta(days=1))
        assert outbox.outbox[0].subject == "[Evenstock] Your day: all is well"
        assert "1 came and went by itself." in outbox.outbox[0].body


class TestWhoIsTold:
    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            ({}, True),
            ({"min_severity": Severity.CRITICAL}, False),
            ({"rules": ["negative_stock"]}, True),
            ({"rules": ["held_run"]}, False),
            ({"is_active": False}, False),
            ({"is_for_lead": True}, False),
        ],
    )
    def test_by_severity_rule_and_whether_it_is_in_use(self, now, fields, told):
        channel(**fields)
        happens(now, finding())
        notifications_send(now=now)
        assert bool(outbox.outbox) is told

    @pytest.mark.parametrize(("chosen", "told"), [("till", True), ("other", False)])
    def test_by_system(self, now, chosen, told):
        systems = {"till": make.pos_connection("till"), "other": make.pos_connection("other")}
        here = channel()
        here.connections.set([systems[chosen]])
        happens(now, finding(connection_id=systems["till"].pk))
        notifications_send(now=now)
        assert bool(outbox.outbox) is told

    def test_the_lead_hears_what_lasts(self, now):
        channel(is_for_lead=True)
        lasting = finding(code=Code.SYNC_FAILED, since=now - HOUR - SECOND)
        happens(now, lasting)
        notifications_send(now=now)
        assert "comes to you" in outbox.outbox[0].body

    def test_a_channel_switched_off_meanwhile_tells_nothing(self, now):
        here = channel()
        happens(now, finding())
        here.is_active = False
        here.save()
        notifications_send(now=now)
        assert (outbox.outbox, states()) == ([], ["dropped"])


class TestCrashes:
    def test_nothing_is_sent_inside_a_transaction(self, now):
        from django.db import connection as database

        channel()
        happens(now, finding())
        depth = len(database.savepoint_ids)
        seen: list[int] = []
        with patch("alerts.services.send.email_deliver", side_effect=lambda *_: seen.append(len(database.savepoint_ids))):
            notifications_send(now=now)
        assert seen == [depth]

    def test_a_message_whose_worker_died_is_sent_again_after_ten_minutes(self, now):
        channel()
        happens(now, finding())
        with patch("alerts.services.send._transport", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
            notifications_send(now=now)
        assert states() == ["sending"]
        assert notifications_send(now=now + 10 * MINUTE).messages == 0
        assert notifications_send(now=now + 10 * MINUTE + SECOND).messages == 1

    def test_one_that_kills_three_workers_is_held(self, now):
        channel()
        happens(now, finding())
        for minutes in (0, 11, 22):
            with patch("alerts.services.send._transport", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
                notifications_send(now=now + minutes * MINUTE)
        assert notifications_send(now=now + 33 * MINUTE).messages == 0
        assert states() == ["held"]

    def test_two_workers_do_not_send_the_same(self, now):
        channel()
        happens(now, finding())

        def meanwhile(*_):
            assert notifications_send(now=now).messages == 0

        with patch("alerts.services.send._transport", side_effect=meanwhile):
            assert notifications_send(now=now).messages == 1


def test_the_test_button_sends_at_once_whatever_the_hour(now):
    here = channel(quiet_from=time(0), quiet_to=time(23, 59), pace="daily")
    assert channel_test(channel=here, by=make.person("anna"), now=now) is None
    assert outbox.outbox[0].subject == "[Evenstock] Test of “email”"
    assert states() == ["sent"]
    here.refresh_from_db()
    assert here.last_ok_at == now
