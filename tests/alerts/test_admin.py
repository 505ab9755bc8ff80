"""Alerts in the admin: seen, put off, given to somebody, resolved by those who may; channels set up and tested; limits edited."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail as outbox
from django.urls import reverse
from django.utils.html import escape

from alerts.models import Alert, Channel, Notification, Threshold
from alerts.rules.words import RULES, Code, Finding
from alerts.services.send import notifications_send
from alerts.services.settle import alerts_settle
from tests import factories as make
from tests.admin_pages import EVIL, filter_links, page, queries_for
from tests.alerts.cases import CASES

pytestmark = pytest.mark.django_db
LIST = reverse("admin:alerts_alert_changelist")
THRESHOLDS = reverse("admin:alerts_threshold_changelist")
CHANNELS = reverse("admin:alerts_channel_changelist")
MESSAGES = reverse("admin:alerts_notification_changelist")


def happens(now, count: int = 1, code: Code = Code.NEGATIVE_STOCK, **fields) -> list[Alert]:
    alerts_settle(
        findings=[
            Finding(code, f"level:{n}", f"Mug {n} {EVIL}", f"−2 {EVIL}", f"Count it {EVIL}", **fields) for n in range(count)
        ],
        codes=[code],
        now=now,
    )
    return list(Alert.objects.order_by("pk"))


def change(alert: Alert) -> str:
    return reverse("admin:alerts_alert_change", args=[alert.pk])


def handle(alert: Alert, verb: str) -> str:
    return reverse("admin:alerts_alert_handle", args=[alert.pk, verb])


class TestList:
    def test_it_shows_what_is_open_unless_asked_for_more(self, now, admin_client):
        gone, _ = happens(now, 2)
        alerts_settle(findings=[], codes=[Code.NEGATIVE_STOCK], now=now)
        happens(now + timedelta(hours=1), code=Code.HELD_RUN)
        html = page(admin_client, LIST)
        assert "Held for a manager" in html
        assert f"/alert/{gone.pk}/" not in html
        assert f"/alert/{gone.pk}/" in page(admin_client, LIST, state="over")
        assert f"/alert/{gone.pk}/" in page(admin_client, LIST, state="all")
        assert f"/alert/{gone.pk}/" not in page(admin_client, LIST, state="snoozed")
        for link in filter_links(html):
            page(admin_client, LIST + link.replace("&amp;", "&"))
        page(admin_client, LIST, q="mug")

    def test_it_says_severity_in_sign_and_word(self, now, admin_client):
        happens(now, code=Code.CRITICAL_DRIFT)
        assert '<span aria-hidden="true">✗</span> Critical' in page(admin_client, LIST)

    def test_lists_take_few_queries(self, now, admin_client):
        Channel.objects.create(name="Mail", kind="email", settings={"to": ["a@example.com"]})
        happens(now, 60)
        for number in range(60):
            Threshold.objects.create(category=f"C{number}", price_percent=5)
        for url in (LIST, THRESHOLDS, CHANNELS, MESSAGES):
            assert queries_for(admin_client, url) <= 15, url


class TestPage:
    @pytest.mark.parametrize("code", list(Code))
    def test_every_rule_s_alert_says_what_to_do_and_its_links_work(self, shop, admin_client, code):
        CASES[code].fires(shop)
        shop.alerts(code)
        alert = Alert.objects.get(rule=code)
        html = page(admin_client, change(alert))
        assert escape(RULES[code].title) in html
        from alerts.admin.parts import alert_links

        for _, link in alert_links(alert):
            page(admin_client, link)

    def test_it_tells_who_was_told(self, now, admin_client):
        Channel.objects.create(name=f"Mail {EVIL}"[:100], kind="email", settings={"to": ["a@example.com"]})
        (alert,) = happens(now)
        notifications_send(now=now)
        assert "Who was told" in page(admin_client, change(alert))
        page(admin_client, change(alert).replace("/change/", "/history/"))

    def test_only_what_can_be_done_is_offered(self, now, admin_client):
        (alert,) = happens(now)
        html = page(admin_client, change(alert))
        assert "Resolve…" in html
        assert "Open again…" not in html
        alerts_settle(findings=[], codes=[Code.NEGATIVE_STOCK], now=now)
        assert "Resolve…" not in page(admin_client, change(alert))


class TestHandling:
    def test_one_is_resolved_with_notes_only(self, now, admin_client, admin_user):
        (alert,) = happens(now)
        page(admin_client, handle(alert, "resolve"))
        admin_client.post(handle(alert, "resolve"), {"said": "1", "notes": ""})
        alert.refresh_from_db()
        assert alert.state == "open"
        admin_client.post(handle(alert, "resolve"), {"said": "1", "notes": "Counted: it was two."})
        alert.refresh_from_db()
        assert (alert.state, alert.notes, alert.resolved_by) == ("resolved", "Counted: it was two.", admin_user)
        assert alert.history.first().history_user == admin_user

    def test_one_is_snoozed_and_opened_again(self, now, admin_client):
        (alert,) = happens(now)
        admin_client.post(handle(alert, "snooze"), {"said": "1", "hours": "4"})
        alert.refresh_from_db()
        assert alert.state == "snoozed"
        assert alert.snoozed_until is not None
        admin_client.post(handle(alert, "reopen"), {"said": "1"})
        alert.refresh_from_db()
        assert (alert.state, alert.snoozed_until) == ("open", None)

    def test_many_are_assigned_at_once(self, now, admin_client):
        anna = make.person("anna")
        alerts = happens(now, 3)
        chosen = {"action": "assign", "_selected_action": [alert.pk for alert in alerts[:2]]}
        html = admin_client.post(LIST, chosen).content.decode()
        assert "Who looks after it?" in html
        admin_client.post(LIST, {**chosen, "said": "1", "to": anna.pk})
        assert list(Alert.objects.order_by("pk").values_list("assigned_to", flat=True)) == [anna.pk, anna.pk, None]
        assert "anna" in page(admin_client, LIST)

    def test_many_are_resolved_at_once(self, now, admin_client):
        alerts = happens(now, 3)
        chosen = {"action": "resolve", "_selected_action": [alert.pk for alert in alerts], "said": "1", "notes": "All counted."}
        admin_client.post(LIST, chosen)
        assert set(Alert.objects.values_list("state", "notes")) == {("resolved", "All counted.")}

    @pytest.mark.parametrize("verb", ["snooze", "assign", "resolve", "reopen"])
    def test_who_may_only_look_is_refused(self, now, client, verb):
        (alert,) = happens(now)
        client.force_login(make.person("viewer", "alerts.view_alert"))
        assert "Resolve…" not in page(client, change(alert))
        assert client.post(handle(alert, verb), {"said": "1", "notes": "x", "hours": "4"}).status_code == 403
        assert client.post(LIST, {"action": verb, "_selected_action": [alert.pk], "said": "1"}).status_code == 403
        alert.refresh_from_db()
        assert alert.state == "open"

    def test_nobody_edits_or_deletes_an_alert(self, now, admin_client):
        (alert,) = happens(now)
        assert admin_client.post(change(alert), {"title": "x"}).status_code == 403
        assert admin_client.post(change(alert).replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403


class TestChannels:
    FORM = {
        "name": "Mail at once", "is_active": "on", "pace": "at_once", "send_at": "07:00", "min_severity": "30",
        "critical_passes": "on", "time_zone": "UTC", "setting__to": "anna@example.com\nben@example.com",
    }  # fmt: skip
    ADD = reverse("admin:alerts_channel_add")

    def test_the_kind_is_asked_first(self, admin_client):
        html = page(admin_client, self.ADD)
        assert "Webhook" in html
        assert "Note at the till" in html

    @pytest.mark.parametrize("kind", ["email", "webhook", "till_note"])
    def test_each_kind_has_its_form(self, admin_client, kind):
        page(admin_client, self.ADD, kind=kind)

    def test_a_channel_by_mail_is_added_and_tested(self, admin_client):
        admin_client.post(f"{self.ADD}?kind=email", self.FORM)
        channel = Channel.objects.get()
        assert channel.settings == {"to": ["anna@example.com", "ben@example.com"]}
        html = page(admin_client, reverse("admin:alerts_channel_change", args=[channel.pk]))
        assert "Send a test" in html
        admin_client.post(reverse("admin:alerts_channel_test", args=[channel.pk]))
        assert outbox.outbox[0].subject == "[Evenstock] Test of “Mail at once”"
        assert "Delivers" in page(admin_client, CHANNELS)

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("setting__to", "nobody", "is no e-mail address"),
            ("time_zone", "Mars/Base", "is no time zone"),
            ("quiet_from", "22:00", "need both ends"),
            ("rules", "no_such_rule", "not one of the available choices"),
        ],
    )
    def test_what_is_wrong_is_said_at_its_field(self, admin_client, field, value, said):
        answer = admin_client.post(f"{self.ADD}?kind=email", {**self.FORM, field: value})
        assert said in answer.content.decode()
        assert not Channel.objects.exists()

    def test_a_note_or_the_lead_s_channel_is_no_summary(self, admin_client):
        answer = admin_client.post(f"{self.ADD}?kind=email", {**self.FORM, "is_for_lead": "on", "pace": "daily"})
        assert "are sent at once" in answer.content.decode()

    def test_secrets_go_in_and_never_come_out(self, admin_client):
        form = {key: value for key, value in self.FORM.items() if key != "setting__to"} | {
            "setting__shape": "slack", "credential__url": "https://hooks.example.com/T0/secret-path",
            "credential__secret": "s3cret",
        }  # fmt: skip
        admin_client.post(f"{self.ADD}?kind=webhook", form)
        channel = Channel.objects.get()
        change = reverse("admin:alerts_channel_change", args=[channel.pk])
        for url in (change, change.replace("/change/", "/history/"), CHANNELS):
            html = page(admin_client, url)
            assert "secret-path" not in html
            assert "s3cret" not in html
        kept = {**form, "credential__url": "", "credential__secret": "", "name": "Renamed"}
        admin_client.post(change, kept)
        channel.refresh_from_db()
        assert (channel.name, channel.secrets["url"]) == ("Renamed", "https://hooks.example.com/T0/secret-path")

    def test_another_address_asks_for_the_signing_secret_again(self, admin_client, caplog):
        kept = {"url": "https://hooks.example.com/T0/x", "secret": "s3cret"}
        channel = Channel.objects.create(name="Chat", kind="webhook", secrets=kept)
        change = reverse("admin:alerts_channel_change", args=[channel.pk])
        form = {key: value for key, value in self.FORM.items() if key != "setting__to"} | {"name": "Chat"}
        form |= {"setting__shape": "slack", "credential__url": "https://evil.example/T0/x", "credential__secret": ""}
        html = admin_client.post(change, form).content.decode()
        assert "Type it again: “Address” changed" in html
        channel.refresh_from_db()
        assert channel.secrets == kept
        html = admin_client.post(change, form | {"credential__url": "", "setting__ca_file": "evil.pem"}).content.decode()
        assert html.count("Type it again: “CA file” changed") == 2
        channel.refresh_from_db()
        assert (channel.secrets, channel.settings) == (kept, {})

        assert admin_client.post(change, form | {"credential__secret": "a-new-one"}).status_code == 302
        channel.refresh_from_db()
        assert channel.secrets == {"url": "https://evil.example/T0/x", "secret": "a-new-one"}
        assert "“Chat” go elsewhere from now on: “Address” changed, by admin" in caplog.text
        assert "evil.example" not in caplog.text
        assert "Address" in LogEntry.objects.get().get_change_message()

    def test_testing_takes_its_own_permission(self, client):
        channel = Channel.objects.create(name="Mail", kind="email", settings={"to": ["a@example.com"]})
        client.force_login(make.person("viewer", "alerts.view_channel"))
        page(client, reverse("admin:alerts_channel_change", args=[channel.pk]))
        assert client.post(reverse("admin:alerts_channel_test", args=[channel.pk])).status_code == 403
        assert outbox.outbox == []

    def test_what_was_held_is_sent_again(self, now, admin_client, settings):
        settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", ""
        Channel.objects.create(name="Mail", kind="email", settings={"to": ["a@example.com"]})
        happens(now)
        for minutes in (0, 1, 6):
            notifications_send(now=now + timedelta(minutes=minutes))
        assert "Held" in page(admin_client, MESSAGES)
        row = Notification.objects.get()
        page(admin_client, reverse("admin:alerts_notification_change", args=[row.pk]))
        admin_client.post(MESSAGES, {"action": "send_again", "_selected_action": [row.pk]})
        row.refresh_from_db()
        assert row.state == "pending"


class TestThresholds:
    def test_limits_are_edited_in_the_list_and_the_history_keeps_who(self, admin_client, admin_user):
        one, other = Threshold.objects.create(category="Cups"), Threshold.objects.create(category="Pots", low_stock_below=3)
        page(admin_client, THRESHOLDS)
        form = {
            "form-TOTAL_FORMS": "2", "form-INITIAL_FORMS": "2", "_save": "Save",
            "form-0-id": one.pk, "form-0-low_stock_below": "5", "form-0-out_of_stock": "false", "form-0-price_percent": "12.5",
            "form-1-id": other.pk, "form-1-low_stock_below": "3", "form-1-out_of_stock": "unknown",
        }  # fmt: skip
        admin_client.post(THRESHOLDS, form)
        one.refresh_from_db()
        assert (one.low_stock_below, one.out_of_stock, one.price_percent) == (5, False, 12.5)
        assert (one.history.count(), other.history.count()) == (2, 1)
        assert one.history.first().history_user == admin_user

    def test_a_limit_below_zero_is_refused(self, admin_client):
        one = Threshold.objects.create(category="Cups")
        form = {
            "form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "_save": "Save", "form-0-id": one.pk,
            "form-0-price_percent": "-1",
        }  # fmt: skip
        admin_client.post(THRESHOLDS, form)
        one.refresh_from_db()
        assert one.price_percent is None

    def test_the_same_scope_twice_is_refused(self, admin_client):
        Threshold.objects.create(category="Cups")
        answer = admin_client.post(reverse("admin:alerts_threshold_add"), {"category": "Cups", "out_of_stock": "unknown"})
        assert answer.status_code == 200
        assert Threshold.objects.count() == 1

    def test_who_may_only_look_can_t_edit(self, client):
        one = Threshold.objects.create(category="Cups")
        client.force_login(make.person("viewer", "alerts.view_threshold"))
        client.post(THRESHOLDS, {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "_save": "Save", "form-0-id": one.pk,
                                 "form-0-price_percent": "1"})  # fmt: skip
        one.refresh_from_db()
        assert one.price_percent is None
