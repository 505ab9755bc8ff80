"""Webhooks and their health in the admin: seen, escaped, never edited, processed again by those who may."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from sync.models import HookHealth, InboundEvent
from tests import factories as make
from tests.admin_pages import EVIL, filter_links, page, queries_for

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EVENTS = reverse("admin:sync_inboundevent_changelist")
HEALTH = reverse("admin:sync_hookhealth_changelist")


@pytest.fixture
def failed() -> InboundEvent:
    shop = make.store_connection()
    HookHealth.objects.create(connection=shop, state="losing", message=f"Orders lost {EVIL}", missed=3, checked_at=AT)
    return InboundEvent.objects.create(
        connection=shop,
        topic="order.updated",
        resource_id=512,
        body_hash="a" * 64,
        payload={"id": 512, "line_items": [{"name": EVIL}]},
        state="failed",
        attempts=3,
        received_at=AT,
        note=f"The shop says {EVIL}",
    )


def again(client: Client, event: InboundEvent) -> None:
    client.post(EVENTS, {"action": "process_again", "_selected_action": [event.pk]})
    event.refresh_from_db()


def test_lists_filters_and_pages_answer_and_escape(failed, admin_client):
    for url in (EVENTS, HEALTH):
        for link in filter_links(page(admin_client, url)):
            page(admin_client, url + link.replace("&amp;", "&"))
    assert "512" in page(admin_client, EVENTS, q="512")
    assert "&lt;script&gt;" in page(admin_client, reverse("admin:sync_inboundevent_change", args=[failed.pk]))
    page(admin_client, reverse("admin:sync_hookhealth_change", args=[HookHealth.objects.get().pk]))


def test_nothing_can_be_added_edited_or_deleted(failed, admin_client):
    for name in ("inboundevent", "hookhealth"):
        row = failed if name == "inboundevent" else HookHealth.objects.get()
        assert admin_client.get(reverse(f"admin:sync_{name}_add")).status_code == 403
        assert admin_client.post(reverse(f"admin:sync_{name}_change", args=[row.pk]), {}).status_code == 403
        assert admin_client.post(reverse(f"admin:sync_{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


def test_a_long_list_costs_no_more_queries(failed, admin_client):
    few = queries_for(admin_client, EVENTS)
    InboundEvent.objects.bulk_create(
        InboundEvent(connection=failed.connection, topic="order.updated", resource_id=n, body_hash=str(n), received_at=AT)
        for n in range(40)
    )
    assert queries_for(admin_client, EVENTS) == few


def test_who_may_has_a_failed_webhook_processed_again(failed, client):
    client.force_login(make.person("ada", "sync.view_inboundevent", "sync.retry_event"))
    again(client, failed)
    assert (failed.state, failed.attempts, failed.next_attempt_at, failed.note) == ("new", 0, None, "")


def test_who_may_only_look_changes_nothing(failed, client):
    client.force_login(make.person("bob", "sync.view_inboundevent"))
    assert "Process again" not in page(client, EVENTS)
    again(client, failed)
    assert failed.state == "failed"


def test_what_could_not_be_read_cannot_be_processed_again(failed, admin_client):
    InboundEvent.objects.update(payload=None)
    again(admin_client, failed)
    assert failed.state == "failed"
