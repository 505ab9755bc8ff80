"""Reports by mail: each period once to each address, whoever is killed, through a real mail server on this machine."""

import csv
import io
from datetime import UTC, date, datetime, time, timedelta
from unittest.mock import patch

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from alerts.models import Alert
from jobs.schedule import all_jobs
from reporting.core.report import Every, newest_due
from reporting.mails import send as mails
from reporting.mails.send import ATTEMPTS, PAUSES, report_mail_save, reports_mail, reports_retry
from reporting.models import ReportDelivery, ReportMail
from sync.upkeep.housekeeping import rows_archive
from tests import factories
from tests.admin_pages import page
from tests.alerts.receivers import MailSink, free_port
from tests.browser.seed import people_seed

pytestmark = pytest.mark.django_db
SMTP = "django.core.mail.backends.smtp.EmailBackend"
MONDAY = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)  # the report of Sunday, of the week and of nothing monthly is due
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def sink(settings):
    with MailSink() as found:
        settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", found.port
        yield found


@pytest.fixture
def store(db):
    return factories.store_connection(name="web-shop")


def wanted(every="daily", to="anna@example.com", since=MONDAY - 40 * DAY, **fields) -> ReportMail:
    return ReportMail.objects.create(every=every, to=to, since=since, **fields)


def told(sink) -> list[tuple[str, str]]:
    return [(mail["To"], mail["Subject"]) for mail in sink.mails]


def states() -> list[tuple[str, int]]:
    return list(ReportDelivery.objects.order_by("pk").values_list("state", "attempts"))


class TestWhatArrives:
    def test_text_html_and_a_table_file_to_each_address_alone(self, sink, store):
        wanted(to="anna@example.com\nben@example.com")
        assert reports_mail(now=MONDAY).sent == 2
        subject = "[Evenstock] Daily report, Sunday 1 March 2026: web-shop"
        assert told(sink) == [("anna@example.com", subject), ("ben@example.com", subject)]
        mail = sink.mails[0]
        text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
        assert "DAILY REPORT\nSunday 1 March 2026 (UTC)\nShops: web-shop." in text.replace("\r\n", "\n")
        assert "<h2" in html
        assert "<svg" not in html
        (attached,) = mail.iter_attachments()
        assert (attached.get_filename(), attached.get_content_type()) == ("sync_report_2026-03-01_2026-03-01.csv", "text/csv")
        assert attached.get_content().lstrip("\ufeff").startswith("Daily report")

    def test_what_looks_like_a_formula_or_markup_is_harmless(self, sink, store):
        factories.supply(store, factories.location(till := factories.pos_connection()))
        factories.level(factories.item(till, "X-1", category="=HYPERLINK(1)<b>"), 5)
        wanted()
        reports_mail(now=MONDAY)
        (mail,) = sink.mails
        assert "=HYPERLINK(1)&lt;b&gt;" in mail.get_body(("html",)).get_content()
        (attached,) = mail.iter_attachments()
        cells = [cell for row in csv.reader(io.StringIO(attached.get_content())) for cell in row]
        assert "'=HYPERLINK(1)<b>" in cells
        assert not [cell for cell in cells if cell.startswith("=")]

    def test_it_leads_to_the_page_where_the_address_is_known(self, sink, store, settings):
        settings.EVENSTOCK_PUBLIC_URL = "https://stock.example.com"
        wanted()
        reports_mail(now=MONDAY)
        link = "https://stock.example.com/admin/reporting/dailymetric/report/?period=daily&until=2026-03-01"
        assert link in sink.mails[0].get_body(("plain",)).get_content().replace("=\r\n", "")

    def test_the_minute_s_job_is_there(self):
        assert "reporting.tasks.reports_mail" in {job.task for job in all_jobs()}


class TestWhen:
    @pytest.mark.parametrize(
        ("every", "now", "last"),
        [
            (Every.DAILY, datetime(2026, 3, 2, 7, 0, tzinfo=UTC), date(2026, 3, 1)),
            (Every.DAILY, datetime(2026, 3, 2, 6, 59, 59, tzinfo=UTC), date(2026, 2, 28)),
            (Every.WEEKLY, datetime(2026, 3, 2, 7, 0, tzinfo=UTC), date(2026, 3, 1)),
            (Every.WEEKLY, datetime(2026, 3, 2, 6, 59, tzinfo=UTC), date(2026, 2, 22)),
            (Every.MONTHLY, datetime(2026, 3, 1, 7, 0, tzinfo=UTC), date(2026, 2, 28)),
            (Every.MONTHLY, datetime(2026, 3, 1, 6, 59, tzinfo=UTC), date(2026, 1, 31)),
        ],
    )
    def test_a_period_is_due_at_its_hour_of_the_day_after_it(self, every, now, last):
        from zoneinfo import ZoneInfo

        assert newest_due(every, time(7), now, ZoneInfo("UTC"))[0] == last

    def test_the_clock_is_the_shop_s(self, sink, store):
        type(store).objects.update(time_zone="America/New_York")
        wanted()
        reports_mail(now=datetime(2026, 3, 2, 11, 59, tzinfo=UTC))
        assert told(sink) == [("anna@example.com", "[Evenstock] Daily report, Saturday 28 February 2026: web-shop")]
        reports_mail(now=datetime(2026, 3, 2, 12, 0, tzinfo=UTC))
        assert len(sink.mails) == 2

    def test_once_a_period_however_often_it_is_looked(self, sink, store):
        wanted()
        for minute in range(5):
            reports_mail(now=MONDAY + minute * MINUTE)
        assert len(sink.mails) == 1
        reports_mail(now=MONDAY + DAY)
        assert len(sink.mails) == 2

    def test_what_was_missed_is_made_up_for_once(self, sink, store):
        wanted()
        reports_mail(now=MONDAY)
        reports_mail(now=MONDAY + 5 * DAY)
        assert [subject.split(": ")[0][-12:] for _, subject in told(sink)] == ["1 March 2026", "6 March 2026"]

    def test_what_was_over_before_it_was_asked_for_is_not_sent(self, sink, store):
        mail = ReportMail(every="weekly", to="anna@example.com")
        report_mail_save(mail=mail, now=MONDAY + MINUTE)
        reports_mail(now=MONDAY + 2 * MINUTE)
        assert sink.mails == []
        reports_mail(now=MONDAY + 7 * DAY)
        assert len(sink.mails) == 1

    def test_switched_on_again_it_begins_with_the_next_period(self, sink, store):
        mail = wanted(is_active=False)
        reports_mail(now=MONDAY)
        mail.is_active = True
        report_mail_save(mail=mail, now=MONDAY + MINUTE)
        reports_mail(now=MONDAY + 2 * MINUTE)
        assert sink.mails == []

    def test_another_address_changes_nothing_about_when(self, sink, store):
        mail = wanted()
        mail.to = "ben@example.com"
        report_mail_save(mail=mail, now=MONDAY)
        reports_mail(now=MONDAY)
        assert [to for to, _ in told(sink)] == ["ben@example.com"]

    def test_without_a_shop_there_is_nothing_to_report(self, sink, db):
        wanted()
        assert reports_mail(now=MONDAY).opened == 0

    def test_the_newest_of_each_is_never_archived_so_it_does_not_go_out_again(self, sink, store, settings, tmp_path):
        settings.DATA_DIR = tmp_path
        wanted("monthly")
        reports_mail(now=datetime(2026, 2, 1, 7, 0, tzinfo=UTC))
        reports_mail(now=datetime(2026, 3, 1, 7, 0, tzinfo=UTC))
        later = datetime(2026, 3, 20, 7, 0, tzinfo=UTC)
        assert rows_archive(older_than=7 * DAY, now=later)["reports-sent"] == 1
        assert reports_mail(now=later).sent == 0
        assert len(sink.mails) == 2


class Killed(BaseException):
    """Not an Exception: nobody gets to tidy up."""


class TestKilled:
    def test_while_it_is_made_it_is_made_again_and_sent_once(self, sink, store):
        wanted()
        with patch.object(mails, "report_as_mail", side_effect=Killed), pytest.raises(Killed):
            reports_mail(now=MONDAY)
        assert (states(), sink.mails) == ([("making", 1)], [])
        reports_mail(now=MONDAY + 9 * MINUTE)
        assert sink.mails == []  # its worker may still be at it
        reports_mail(now=MONDAY + 11 * MINUTE)
        assert (states(), len(sink.mails)) == ([("sent", 2)], 1)

    def test_one_that_ends_its_worker_each_time_is_told_and_given_up(self, sink, store):
        wanted()
        with patch.object(mails, "report_as_mail", side_effect=Killed):
            for number in range(ATTEMPTS):
                with pytest.raises(Killed):
                    reports_mail(now=MONDAY + number * 11 * MINUTE)
        reports_mail(now=MONDAY + ATTEMPTS * 11 * MINUTE)
        assert (states(), sink.mails) == ([("held", ATTEMPTS)], [])
        assert "Its worker was stopped" in Alert.objects.get().words

    def test_while_the_mail_server_has_it_it_is_never_sent_again_blindly(self, sink, store):
        wanted()
        with patch("smtplib.SMTP.sendmail", side_effect=Killed), pytest.raises(Killed):
            reports_mail(now=MONDAY)
        for minutes in (1, 11, 60):
            reports_mail(now=MONDAY + minutes * MINUTE)
        assert (states(), sink.mails) == ([("unknown", 1)], [])
        assert "may have arrived" in Alert.objects.get(rule="report_not_sent").words

    def test_a_slow_worker_does_not_send_what_another_has_taken_over(self, sink, store):
        wanted()
        made = mails.report_as_mail

        def stands_still(*args, **kwargs):
            with patch.object(mails, "report_as_mail", made):
                reports_mail(now=MONDAY + 11 * MINUTE)  # another one finds it lost, and sends it
            return made(*args, **kwargs)

        with patch.object(mails, "report_as_mail", side_effect=stands_still):
            reports_mail(now=MONDAY)
        assert (states(), len(sink.mails)) == ([("sent", 2)], 1)

    def test_two_workers_at_once_send_it_once(self, sink, store):
        wanted()
        deliver = mails._deliver

        def beside(*args):
            with patch.object(mails, "_deliver", deliver):
                reports_mail(now=MONDAY)
            return deliver(*args)

        with patch.object(mails, "_deliver", side_effect=beside):
            reports_mail(now=MONDAY)
        assert (states(), len(sink.mails)) == ([("sent", 1)], 1)


class TestFailure:
    def test_a_busy_server_is_tried_again_and_an_alert_comes_with_the_third_failure_and_goes_with_the_mail(self, sink, store):
        wanted()
        sink.busy, now = True, MONDAY
        for attempt in range(1, 4):
            assert reports_mail(now=now).failed == 1
            assert states() == [("pending", attempt)]
            assert Alert.objects.exists() is (attempt == 3)
            assert reports_mail(now=now + PAUSES[attempt - 1] - timedelta(seconds=1)).failed == 0
            now += PAUSES[attempt - 1]
        alert = Alert.objects.get()
        assert (alert.rule, alert.title, alert.state) == ("report_not_sent", "Daily report of all shops", "open")
        assert "It did not go out to 1 address. The mail server could not be used" in alert.words
        assert alert.next_step.startswith("It is tried again.")
        sink.busy = False
        reports_mail(now=now)
        assert (states(), len(sink.mails)) == ([("sent", 4)], 1)
        assert Alert.objects.get().state == "gone"

    def test_after_the_last_attempt_it_waits_for_a_person(self, store, settings):
        settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", free_port()
        wanted()
        now = MONDAY
        for pause in (*PAUSES, DAY / 2):
            reports_mail(now=now)
            now += pause
        reports_mail(now=now)
        assert states() == [("held", ATTEMPTS)]
        assert Alert.objects.get().next_step.startswith("It is not tried again by itself.")

    def test_sent_again_by_a_person(self, sink, store):
        wanted()
        sink.vanishes = True
        reports_mail(now=MONDAY)
        (first,) = sink.mails
        assert states() == [("unknown", 1)]  # it did arrive: the server only failed to say so
        sink.vanishes = False
        reports_mail(now=MONDAY + DAY / 2)
        assert len(sink.mails) == 1
        assert reports_retry(deliveries=list(ReportDelivery.objects.all()), now=MONDAY + DAY / 2) == 1
        reports_mail(now=MONDAY + DAY / 2)
        assert (states(), len(sink.mails)) == ([("sent", 1)], 2)
        assert sink.mails[1]["Message-ID"] == first["Message-ID"]  # a mail program knows it again

    def test_an_address_that_is_refused_holds_up_nobody_else(self, sink, store):
        wanted(to="gone@example.com\nben@example.com")
        sink.refuses = "gone@"
        done = reports_mail(now=MONDAY)
        assert (done.sent, done.failed) == (1, 1)
        assert [to for to, _ in told(sink)] == ["ben@example.com"]
        assert states() == [("held", 1), ("sent", 1)]
        assert "refuses every recipient" in Alert.objects.get().words

    def test_an_address_that_is_refused_for_now_is_tried_again(self, sink, store):
        wanted()
        sink.refuses, sink.refusal = "@", "450 greylisted, come again"
        reports_mail(now=MONDAY)
        assert states() == [("pending", 1)]
        sink.refuses = ""
        reports_mail(now=MONDAY + PAUSES[0])
        assert (states(), len(sink.mails)) == ([("sent", 2)], 1)

    def test_without_a_mail_server_the_alert_says_what_to_set(self, store, settings):
        settings.EMAIL_BACKEND, settings.EMAIL_HOST = SMTP, ""
        wanted()
        for minutes in (0, 1, 6):
            reports_mail(now=MONDAY + minutes * MINUTE)
        assert "EVENSTOCK_MAIL_URL" in Alert.objects.get().words

    def test_the_next_report_that_goes_out_ends_the_alert(self, sink, store):
        wanted()
        sink.vanishes = True
        reports_mail(now=MONDAY)
        assert Alert.objects.get().state == "open"
        sink.vanishes = False
        reports_mail(now=MONDAY + DAY)
        assert Alert.objects.get().state == "gone"

    def test_what_is_switched_off_meanwhile_is_dropped(self, sink, store):
        mail = wanted()
        sink.busy = True
        reports_mail(now=MONDAY)
        sink.busy, mail.is_active = False, False
        report_mail_save(mail=mail, now=MONDAY)
        reports_mail(now=MONDAY + DAY / 2)
        assert (states(), sink.mails) == ([("dropped", 2)], [])


class TestNow:
    @pytest.fixture
    def anna(self, store):
        people_seed()
        User.objects.filter(username="viewer").update(email="viewer@example.com")
        client = Client()
        client.force_login(User.objects.get(username="viewer"), backend="django.contrib.auth.backends.ModelBackend")
        return client

    def asked(self, client, **fields) -> str:
        url = reverse("admin:reporting_dailymetric_mail")
        answer = client.post(url, {"period": "weekly", "until": "2026-03-01", **fields}, follow=True)
        assert answer.redirect_chain[-1][0].endswith("report/?period=weekly&until=2026-03-01")
        return " ".join(str(message) for message in answer.context["messages"])

    def test_whoever_may_read_a_report_has_it_sent_to_himself(self, sink, anna):
        assert self.asked(anna) == "The report was sent to viewer@example.com."
        assert told(sink) == [("viewer@example.com", "[Evenstock] Weekly report, 23 February 2026 to 1 March 2026: web-shop")]
        row = ReportDelivery.objects.get()
        assert (row.state, row.asked_by.username, row.mail) == ("sent", "viewer", None)

    def test_what_goes_wrong_is_said_and_not_tried_again(self, sink, anna):
        sink.busy = True
        assert self.asked(anna).startswith("It was not sent. The mail server could not be used")
        sink.busy = False
        reports_mail(now=MONDAY + 3 * DAY)
        assert (states(), sink.mails, Alert.objects.count()) == ([("held", ATTEMPTS)], [], 0)

    def test_without_an_address_it_says_who_can_help(self, sink, anna):
        User.objects.update(email="")
        assert self.asked(anna) == ("It was not sent. Your account has no e-mail address. An administrator adds it under People.")
        assert ReportDelivery.objects.count() == 0

    def test_a_link_alone_sends_nothing(self, sink, anna):
        assert anna.get(reverse("admin:reporting_dailymetric_mail")).status_code == 405
        assert sink.mails == []


class TestPages:
    def test_addresses_are_looked_at(self):
        for wrong in ("anna", "anna@example.com; ben@example.com", "\n".join(f"a{n}@example.com" for n in range(51))):
            with pytest.raises(ValidationError):
                ReportMail(every="daily", to=wrong, since=MONDAY).full_clean()
        fine = ReportMail(every="daily", to=" anna@example.com,ben@example.com\n\nanna@example.com", since=MONDAY)
        fine.full_clean()
        assert fine.addresses == ["anna@example.com", "ben@example.com"]

    def test_a_lead_chooses_who_gets_what(self, store, now):
        people_seed()
        client = Client()
        client.force_login(User.objects.get(username="lead"), backend="django.contrib.auth.backends.ModelBackend")
        html = page(client, reverse("admin:reporting_reportmail_add"))
        assert "All shops together" in html
        fields = {"every": "weekly", "store": store.pk, "to": "anna@example.com", "send_at": "08:30", "is_active": "on"}
        assert client.post(reverse("admin:reporting_reportmail_add"), fields).status_code == 302
        mail = ReportMail.objects.get()
        assert (str(mail), mail.send_at, mail.history.get().history_user.username) == (
            "Weekly report of web-shop",
            time(8, 30),
            "lead",
        )
        assert "None yet" in page(client, reverse("admin:reporting_reportmail_changelist"))
        page(client, reverse("admin:reporting_reportmail_change", args=[mail.pk]))

    def test_what_is_held_is_seen_and_sent_again(self, sink, store):
        people_seed()
        client = Client()
        client.force_login(User.objects.get(username="lead"), backend="django.contrib.auth.backends.ModelBackend")
        wanted()
        sink.vanishes = True
        reports_mail(now=MONDAY)
        assert "May have arrived" in page(client, reverse("admin:reporting_reportmail_changelist"))
        listed = reverse("admin:reporting_reportdelivery_changelist")
        assert "May have arrived" in page(client, listed)
        row = ReportDelivery.objects.get()
        client.post(listed, {"action": "send_again", "index": 0, "_selected_action": [row.pk]})
        row.refresh_from_db()
        assert (row.state, row.attempts) == ("pending", 0)
