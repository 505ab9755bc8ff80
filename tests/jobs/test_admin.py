"""The schedule's runs in the admin: seen and filtered, never edited."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from jobs.models import Heartbeat, JobSlot
from tests.admin_pages import EVIL, filter_links, page, queries_for

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SLOTS, BEATS = reverse("admin:jobs_jobslot_changelist"), reverse("admin:jobs_heartbeat_changelist")


@pytest.fixture
def slot():
    Heartbeat.objects.create(name="schedule", at=AT, process="pc:7:t1", silent_since=AT, noticed_at=AT)
    return JobSlot.objects.create(
        job=f"Full sync of {EVIL}", slot=AT, task="sync.tasks.sync_store", state="set_aside", attempts=3, queued_at=AT,
        started_at=AT, finished_at=AT + timedelta(seconds=83), worker="pc:12:t1", message=f"It was begun 3 times {EVIL}",
    )  # fmt: skip


def test_lists_filters_and_pages_answer_and_escape(slot, admin_client):
    for url in (SLOTS, BEATS):
        for link in filter_links(page(admin_client, url)):
            page(admin_client, url + link.replace("&amp;", "&"))
    html = page(admin_client, SLOTS, q="Full sync")
    assert "Set aside" in html
    assert "1 min 23 s" in html
    assert "&lt;script&gt;" in page(admin_client, reverse("admin:jobs_jobslot_change", args=[slot.pk]))
    assert "Silent" in page(admin_client, BEATS)
    assert "pc, process 7" in page(admin_client, reverse("admin:jobs_heartbeat_change", args=[Heartbeat.objects.get().pk]))


def test_nothing_can_be_added_edited_or_deleted(slot, admin_client):
    for row in (slot, Heartbeat.objects.get()):
        name = row._meta.model_name
        assert admin_client.get(reverse(f"admin:jobs_{name}_add")).status_code == 403
        assert admin_client.post(reverse(f"admin:jobs_{name}_change", args=[row.pk]), {}).status_code == 403
        assert admin_client.post(reverse(f"admin:jobs_{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


def test_a_long_list_costs_no_more_queries(slot, admin_client):
    few = queries_for(admin_client, SLOTS)
    JobSlot.objects.bulk_create([JobSlot(job="x", slot=AT + timedelta(minutes=n), task="x", queued_at=AT) for n in range(1, 60)])
    assert queries_for(admin_client, SLOTS) == few
