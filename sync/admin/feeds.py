"""The till's exports, each used once."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from connectors.errors import ConnectorError
from connectors.leases import LeaseHeldError
from kit.admin.parts import ReadOnlyAdmin, badge
from sync.admin.parts import FEED_TONES, RunFilter
from sync.models import TillFeed
from sync.turns.decisions import feed_release


@admin.register(TillFeed)
class TillFeedAdmin(ReadOnlyAdmin):
    """Newest truth first. A held one waits here for a manager."""

    list_display = ("name", "connection", "state_badge", "true_at", "used", "seen_again", "message")
    list_filter = (RunFilter, "state", "connection", "true_at")
    list_select_related = ("connection",)
    search_fields = ("name", "identity")
    fields = (
        "name", "connection", "state_badge", "message", "true_at", "received_at", "used", "seen_again", "run", "identity",
    )  # fmt: skip
    change_form_template = "admin/sync/tillfeed/change_form.html"

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may = request.user.has_perm("sync.release_run")
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "may_release": may})

    def get_urls(self) -> list[URLPattern]:
        release = path("<path:object_id>/release/", self.admin_site.admin_view(self.release_view), name="sync_tillfeed_release")
        return [release, *super().get_urls()]

    def release_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let a held export be used with the next sync."""
        feed = self.get_object(request, unquote(object_id))
        if feed is None:
            raise Http404
        if not request.user.has_perm("sync.release_run"):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            feed_release(feed=feed, now=timezone.now)
        except (ConnectorError, LeaseHeldError) as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.log_change(request, feed, "Released")
            self.message_user(request, f"“{feed}” will be used with the next sync.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:sync_tillfeed_change", args=[feed.pk]))

    @admin.display(description="state", ordering="state")
    def state_badge(self, feed: TillFeed) -> SafeString:
        return badge(TillFeed.State(feed.state).label.split(":")[0], FEED_TONES[TillFeed.State(feed.state)])

    @admin.display(description="rows used")
    def used(self, feed: TillFeed) -> str:
        return f"{feed.good_rows:,} of {feed.rows:,}"
