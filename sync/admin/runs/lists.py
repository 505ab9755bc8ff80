"""Runs: started, watched, released or discarded."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from connectors.contract import Side
from connectors.errors import ConnectorError
from connectors.leases import LeaseHeldError
from kit.admin.parts import ReadOnlyAdmin, duration, moment
from sync.admin.parts import SideFilter, run_badge
from sync.admin.runs.forms import StartForm
from sync.admin.runs.page import run_page
from sync.models import SyncRun
from sync.turns.decisions import run_feeds_release
from sync.turns.run import run_discard
from sync.turns.start import run_request


class StoreFilter(SideFilter):
    title, parameter_name, side = "shop", "store", Side.STORE


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    """Newest first. A held one waits here for a manager; a new one is started here."""

    list_display = ("short_name", "state_badge", "store", "started", "took", "carried", "trouble")
    list_filter = ("state", StoreFilter, "kind", "dry_run", "started_at")
    list_select_related = ("store",)
    search_fields = ("store__name", "message")
    change_list_template = "admin/sync/syncrun/change_list.html"
    change_form_template = "admin/sync/syncrun/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("new/", wrap(self.new_view), name="sync_syncrun_new"),
            path("<path:object_id>/release/", wrap(self.release_view), name="sync_syncrun_release"),
            path("<path:object_id>/discard/", wrap(self.discard_view), name="sync_syncrun_discard"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may = request.user.has_perm("sync.start_run")
        return super().changelist_view(request, {**(extra_context or {}), "may_start": may})

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        run = self.get_object(request, unquote(object_id)) if object_id else None
        context = {**(extra_context or {}), "may_decide": request.user.has_perm("sync.release_run")}
        if run is not None and self.has_view_permission(request, run):
            context |= run_page(run)
        return super().changeform_view(request, object_id, form_url, context)

    # -- starting one ----------------------------------------------------------------------------------------------

    def new_view(self, request: HttpRequest) -> HttpResponse:
        """Choose the shop, full or incremental, dry or for real; then a worker starts it."""
        if not request.user.has_perm("sync.start_run"):
            raise PermissionDenied
        form = StartForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            chosen = form.cleaned_data
            store = chosen["store"]
            words = f"{chosen['kind']} sync of “{store}”{' as a dry run' if chosen['dry_run'] else ''}".capitalize()
            try:
                run_request(store=store, kind=chosen["kind"], by=_person(request), dry_run=chosen["dry_run"])
            except ConnectorError as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.message_user(request, f"{words} asked for. It shows up below once a worker has begun.", messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:sync_syncrun_changelist"))
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Sync now", "form": form}
        return TemplateResponse(request, "admin/sync/syncrun/new.html", context)

    # -- deciding on a held one ------------------------------------------------------------------------------------

    def release_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what it would write; then let it go on."""
        run = self._held(request, object_id)
        if run.state != SyncRun.State.HELD:
            return self._not_held(request, run)
        if request.method != "POST":
            return self._decide(request, run, verb="release")
        try:
            run_feeds_release(run=run, now=timezone.now)
            run_request(store=run.store, kind=SyncRun.Kind(run.kind), by=_person(request), release=run)
        except (ConnectorError, LeaseHeldError) as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.log_change(request, run, f"Released. It was held because: {' '.join(run.held_for)}")
            self.message_user(request, f"{run} goes on as soon as a worker takes it up.", messages.SUCCESS)
        return self._to(run)

    def discard_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what it would write; then let it be."""
        run = self._held(request, object_id)
        if run.state != SyncRun.State.HELD:
            return self._not_held(request, run)
        if request.method != "POST":
            return self._decide(request, run, verb="discard")
        run_discard(run=run, by=_person(request), now=timezone.now())
        self.log_change(request, run, "Discarded")
        self.message_user(request, f"{run} is discarded. Nothing of it was written.", messages.SUCCESS)
        return self._to(run)

    def _held(self, request: HttpRequest, object_id: str) -> SyncRun:
        if not request.user.has_perm("sync.release_run"):
            raise PermissionDenied
        run: SyncRun | None = self.get_object(request, unquote(object_id))
        if run is None:
            raise Http404
        return run

    def _decide(self, request: HttpRequest, run: SyncRun, *, verb: str) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            **run_page(run, preview_rows=None),
            "opts": self.opts,
            "original": run,
            "verb": verb,
            "title": f"{verb.capitalize()} {run}?",
        }
        return TemplateResponse(request, "admin/sync/syncrun/decide.html", context)

    def _not_held(self, request: HttpRequest, run: SyncRun) -> HttpResponseRedirect:
        label = SyncRun.State(run.state).label.lower()
        self.message_user(request, f"{run} is not held any more: {label}.", messages.WARNING)
        return self._to(run)

    def _to(self, run: SyncRun) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:sync_syncrun_change", args=[run.pk]))

    # -- columns ---------------------------------------------------------------------------------------------------

    @admin.display(description="run", ordering="id")
    def short_name(self, run: SyncRun) -> str:
        return f"{SyncRun.Kind(run.kind).label.split(':')[0]} {run.pk}"

    @admin.display(description="started", ordering="started_at")
    def started(self, run: SyncRun) -> SafeString | str:
        return moment(run.started_at)

    @admin.display(description="state", ordering="state")
    def state_badge(self, run: SyncRun) -> SafeString:
        return run_badge(run)

    @admin.display(description="took")
    def took(self, run: SyncRun) -> str:
        return duration(run.started_at, run.finished_at)

    @admin.display(description="carried")
    def carried(self, run: SyncRun) -> str:
        if run.dry_run or run.state == SyncRun.State.HELD:
            return f"{run.counts.get('changes', 0):,} would change"
        sides = ((run.counts.get("writes"), "to the shop"), (run.counts.get("till_writes"), "to the till"))
        return ", ".join(f"{count:,} {where}" for count, where in sides if count) or "–"

    @admin.display(description="problems")
    def trouble(self, run: SyncRun) -> str:
        return f"{run.counts['failures']:,}" if run.counts.get("failures") else "–"


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the admin lets nobody else in
    return request.user
