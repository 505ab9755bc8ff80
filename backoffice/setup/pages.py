"""The pages of Set-up: the checklist, adding and testing a connection, the shadow run with its report, and going live. Each asks
for the permission it takes, and reads anew what is so. The pages about a sample are in sample_pages.py."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from backoffice.setup.forms import GoLiveForm, connection_form
from backoffice.setup.golive import golive_lines, golive_report
from backoffice.setup.golive_files import golive_csv, golive_markdown
from backoffice.setup.parts import ADD, CHANGE, LIVE, START, Act, State, Step
from backoffice.setup.rows import StoreRows, rows_read, store_read
from backoffice.setup.sample_pages import SamplePages
from backoffice.setup.sides import add_acts
from backoffice.setup.steps import paths
from connectors.contract import Side
from connectors.errors import ConfigError
from connectors.models import Connection, ConnectionCheck, Mode
from connectors.registry import LABELS
from connectors.services import connection_check, connection_set_mode
from jobs.schedule import schedule_install
from kit.admin.parts import person
from kit.errors import ToldError
from reporting.schedule import run_next
from sync.models import SyncRun
from sync.stores.hooks import OFF
from sync.turns.start import hooks_request, run_request

SEE = "connectors.view_connection"
SEE_RUNS = "sync.view_syncrun"


class SetupPages:
    """Hung into the site, below `setup/`."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site
        self.samples = SamplePages(site)

    def urls(self) -> list[URLPattern]:
        def view(route: str, page: Callable[..., HttpResponseBase], name: str) -> URLPattern:
            return path(f"setup/{route}", self.site.admin_view(page), name=name)

        return [
            view("", self.checklist, "setup"),
            view("live/", self.parts, "setup_parts"),
            view("add/<slug:kind>/", self.add, "setup_add"),
            view("<int:pk>/", self.connection, "setup_connection"),
            view("<int:pk>/sample/", self.samples.upload, "setup_sample"),
            view("<int:pk>/sample/<str:token>/", self.samples.columns, "setup_columns"),
            view("<int:pk>/read/", self.read, "setup_read"),
            view("<int:pk>/shadow/", self.shadow, "setup_shadow"),
            view("<int:pk>/report/", self.report, "setup_report"),
            view("<int:pk>/go-live/", self.go_live, "setup_go_live"),
        ]

    # -- the checklist ---------------------------------------------------------------------------------------------

    def checklist(self, request: HttpRequest) -> HttpResponse:
        """Every shop's steps, as things stand. Whoever may see connections may see it; buttons are for those who may."""
        return self._page(request, "index.html", "Set-up", **self._shown(request))

    def parts(self, request: HttpRequest) -> HttpResponse:
        """The same without its frame, for the script that asks again every few seconds."""
        page = TemplateResponse(request, "admin/setup/parts.html", self._shown(request))
        page["Cache-Control"] = "no-store"
        return page

    def _shown(self, request: HttpRequest) -> dict[str, Any]:
        require(request, SEE)
        rows = rows_read(now=timezone.now())
        found = paths(rows)
        more = [*add_acts(Side.STORE, is_main=False), *add_acts(Side.POS, is_main=False)] if rows.stores and rows.tills else []
        return {
            "paths": [(one, [(step, *self._acts(request, step)) for step in one.steps]) for one in found],
            "more": [self._link(act) for act in more if request.user.has_perm(act.needs)],
            "silent_since": rows.schedule_silent_since,
        }

    def _acts(self, request: HttpRequest, step: Step) -> tuple[list[dict[str, Any]], bool]:
        """Result: what this reader may do about a step; whether somebody else has to."""
        may = [act for act in step.acts if not act.needs or request.user.has_perm(act.needs)]
        return [self._link(act) for act in may], step.is_open and not any(act.is_main for act in may)

    @staticmethod
    def _link(act: Act) -> dict[str, Any]:
        query = f"?{act.query}" if act.query else ""
        return {
            "label": act.label,
            "url": reverse(f"admin:{act.view}", args=act.args) + query,
            "is_main": act.is_main,
            "posts": act.posts,
        }

    # -- adding and testing ----------------------------------------------------------------------------------------

    @method_decorator(sensitive_post_parameters())
    def add(self, request: HttpRequest, kind: str) -> HttpResponse:
        """A new connection, in observe mode; it is tested as soon as it is saved."""
        require(request, ADD)
        try:
            made = connection_form(kind)
        except ConfigError:
            raise Http404 from None
        form = made(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            connection: Connection = form.save()
            self._log(request, connection, added=True, message="Added under Set-up.")
            self._test(connection)
            return HttpResponseRedirect(reverse("admin:setup_connection", args=[connection.pk]))
        return self._page(request, "add.html", f"Add a {LABELS[kind]}", form=form, kind=kind, label=LABELS[kind])

    def connection(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What the newest test of a connection found; POST tests it again."""
        require(request, SEE)
        connection = connection_of(pk)
        if request.method == "POST":
            require(request, CHANGE)
            self._test(connection)
            return HttpResponseRedirect(request.path)
        check = ConnectionCheck.objects.filter(connection=connection).first()
        if check:
            check.connection = connection
        return self._page(
            request, "connection.html", f"Test of {connection}",
            original=connection, check=check, facts=connection.facts, may=request.user.has_perm(CHANGE),
            is_store=connection.side == Side.STORE, has_files=connection.spec.capabilities.files,
        )  # fmt: skip

    @staticmethod
    def _test(connection: Connection) -> None:
        with suppress(ToldError):  # it is kept with what was found
            connection_check(connection=connection, now=timezone.now)

    # -- reading, and the shadow run -------------------------------------------------------------------------------

    def read(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have both sides read and partners looked for."""
        return self._start(request, pk, State.DOING, "Both sides are to be read")

    def shadow(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have a whole sync made that writes nothing."""
        return self._start(request, pk, State.NEXT, "A shadow run was asked for")

    def _start(self, request: HttpRequest, pk: int, purpose: State, words: str) -> HttpResponse:
        """Ask a worker for a run. Nothing of it happens in the request: the shop may be large."""
        require(request, START)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        one = self._store(pk)
        is_reading = purpose == State.DOING
        if one.store.is_live and not is_reading:
            messages.warning(request, f"“{one.store}” is live: a sync would write. Nothing was started.")
            return to_setup()
        kind = SyncRun.Kind.FULL if is_reading else one.whole_kind
        try:
            run_request(store=one.store, kind=kind, by=person(request), match_again=is_reading)
        except ToldError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"{words}. It shows below once a worker has begun.")
        return to_setup()

    def report(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """What a first sync would write; with `format`, as a file."""
        require(request, SEE_RUNS)
        one = self._store(pk)
        found = golive_report(rows=one)
        wanted = request.GET.get("format", "")
        if found and wanted == "csv":
            answer: HttpResponseBase = StreamingHttpResponse(
                golive_csv(golive_lines(run=found.run)), content_type="text/csv; charset=utf-8"
            )
        elif found and wanted == "md":
            answer = HttpResponse(golive_markdown(found), content_type="text/markdown; charset=utf-8")
        else:
            may = request.user.has_perm(LIVE) and not one.store.is_live
            return self._page(
                request, "report.html", f"Go-live report of {one.store}", original=one.store, report=found, may_go_live=may
            )
        answer["Content-Disposition"] = f'attachment; filename="{found.file_name}.{wanted}"'
        return answer

    # -- going live ------------------------------------------------------------------------------------------------

    def go_live(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what follows, ask, and do it: the modes, the schedule, the webhooks, and the first sync of everything."""
        require(request, LIVE)
        one = self._store(pk)
        step = next(
            step
            for found in paths(rows_read(now=timezone.now()))
            if found.store == one.store
            for step in found.steps
            if step.key == "live"
        )
        if step.state != State.NEXT:
            level = messages.info if one.store.is_live else messages.warning
            level(request, step.sentence)
            return to_setup()
        observing = [till for till in one.tills if not till.is_live]
        form = GoLiveForm(request.POST if request.method == "POST" else None, observing=observing)
        if request.method == "POST" and form.is_valid():
            self._set_live(request, [one.store, *form.cleaned_data.get("tills", [])])
            self._begin(request, one)
            return to_setup()
        return self._page(
            request, "go_live.html", f"Let Evenstock write to {one.store}?",
            original=one.store, form=form, report=golive_report(rows=one), has_hooks=one.store.spec.capabilities.webhooks,
            hooks_off=OFF if not settings.EVENSTOCK_PUBLIC_URL else "",
        )  # fmt: skip

    def _set_live(self, request: HttpRequest, connections: list[Connection]) -> None:
        with transaction.atomic():
            for connection in connections:
                connection_set_mode(connection=connection, mode=Mode.LIVE)
                self._log(request, connection, added=False, message="Set live under Set-up.")
            schedule_install()

    @staticmethod
    def _begin(request: HttpRequest, one: StoreRows) -> None:
        due = run_next(now=timezone.now())
        then = f" The next one by the schedule: {timezone.localtime(due.at):%H:%M}." if due else ""
        try:
            run_request(store=one.store, kind=one.whole_kind, by=person(request))
            if one.store.spec.capabilities.webhooks:
                hooks_request(store=one.store)
        except ToldError as error:
            messages.warning(request, f"“{one.store}” is live. {error}{then}")
        else:
            messages.success(request, f"“{one.store}” is live. Its first full sync was asked for.{then}")

    # -- what all of them need -------------------------------------------------------------------------------------

    @staticmethod
    def _store(pk: int) -> StoreRows:
        found = store_read(pk=pk)
        if found is None:
            raise Http404
        return found

    def _log(self, request: HttpRequest, connection: Connection, *, added: bool, message: str) -> None:
        model_admin = self.site.get_model_admin(Connection)
        (model_admin.log_addition if added else model_admin.log_change)(request, connection, message)

    def _page(self, request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
        return TemplateResponse(
            request, f"admin/setup/{template}", {**self.site.each_context(request), "title": title, **context}
        )


def require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def connection_of(pk: int) -> Connection:
    found = Connection.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def to_setup() -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:setup"))
