"""Thresholds from a file: upload → every row's effect → confirm; and back into a file."""

import csv
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from alerts.services.importing import COLUMNS, ThresholdPlan, thresholds_apply, thresholds_plan, thresholds_rows
from alignment.importing.effects import Effect
from alignment.importing.table import ENCODINGS
from alignment.uploads import Upload, upload_drop, upload_get, upload_keep
from connectors.admin.parts import badge
from connectors.errors import ConnectorError

if TYPE_CHECKING:
    from alerts.admin.thresholds import ThresholdAdmin

SORT = "thresholds"
ROWS_PER_PAGE = 200
WORDS = {
    Effect.ERROR: ("Error", "bad"),
    Effect.CHANGE: ("Change", "info"),
    Effect.CREATE: ("New", "ok"),
    Effect.UNCHANGED: ("Unchanged", "mute"),
}


class ImportForm(forms.Form):
    """Which file."""

    file = forms.FileField(label="File", help_text=f"CSV with the columns {', '.join(COLUMNS)}; limits may be left out.")
    encoding = forms.ChoiceField(choices=list(ENCODINGS.items()), label="Encoding", initial="utf-8")


class ImportPage:
    """The pages of an import, hung below the list of thresholds."""

    def __init__(self, model_admin: "ThresholdAdmin") -> None:
        self.admin = model_admin

    def urls(self) -> list[URLPattern]:
        guarded = self.admin.admin_site.admin_view  # login and CSRF
        return [
            path("export/", guarded(self.export), name="alerts_threshold_export"),
            path("import/", guarded(self.upload), name="alerts_threshold_import"),
            path("import/<str:token>/", guarded(self.preview), name="alerts_threshold_import_preview"),
        ]

    def is_allowed(self, request: HttpRequest) -> bool:
        return bool(self.admin.has_add_permission(request) and self.admin.has_change_permission(request))

    def export(self, request: HttpRequest) -> HttpResponse:
        """Every threshold, as the import takes it."""
        if not self.admin.has_view_permission(request):
            raise PermissionDenied
        answer = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="thresholds_{timezone.localdate():%Y%m%d}.csv"'
        csv.writer(answer).writerows(thresholds_rows())
        return answer

    def upload(self, request: HttpRequest) -> HttpResponse:
        self._require(request)
        form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
        if form.is_valid():
            try:
                return self._kept(request, form.cleaned_data)
            except ConnectorError as error:
                form.add_error("file", f"{error.message} {error.next_step}")
        return self._page(request, "import_form.html", title="Import thresholds", form=form)

    def _kept(self, request: HttpRequest, given: dict[str, Any]) -> HttpResponse:
        """Check the file as a whole, before anything of it is kept."""
        content = given["file"].read(settings.EVENSTOCK_UPLOAD_LIMIT + 1)
        _plan(content, given["encoding"])
        upload = upload_keep(
            content=content,
            name=given["file"].name,
            encoding=given["encoding"],
            user_id=_person(request).pk,
            session=request.session,
            now=timezone.now(),
            sort=SORT,
        )
        return HttpResponseRedirect(reverse("admin:alerts_threshold_import_preview", args=[upload.token]))

    def preview(self, request: HttpRequest, token: str) -> HttpResponse:
        self._require(request)
        try:
            upload, content = upload_get(token=token, user_id=_person(request).pk, session=request.session, sort=SORT)
            if "cancel" in request.POST:
                upload_drop(upload=upload, session=request.session)
                return self._to_list(request, "The import was cancelled; nothing was applied.", messages.INFO)
            plan = _plan(content, upload.encoding)
            if request.method == "POST":
                return self._confirmed(request, upload, plan)
        except ConnectorError as error:
            self.admin.message_user(request, f"{error.message} {error.next_step}", messages.ERROR)
            return HttpResponseRedirect(reverse("admin:alerts_threshold_import"))
        ordered = [row for effect in WORDS for row in plan.rows if row.effect == effect]
        page = Paginator(ordered, ROWS_PER_PAGE).get_page(request.GET.get("p"))
        return self._page(
            request,
            "import_preview.html",
            title="What this file would do",
            upload=upload,
            plan=plan,
            page=page,
            rows=[(row, badge(*WORDS[row.effect])) for row in page],
            errors=plan.counts[Effect.ERROR],
        )

    def _confirmed(self, request: HttpRequest, upload: Upload, plan: ThresholdPlan) -> HttpResponse:
        """Apply what was looked at, or show what it has become meanwhile."""
        if request.POST.get("fingerprint") != plan.fingerprint:
            changed = "Something changed since you looked: this is what the file would do now. Nothing was applied."
            self.admin.message_user(request, changed, messages.WARNING)
            return HttpResponseRedirect(reverse("admin:alerts_threshold_import_preview", args=[upload.token]))
        count = thresholds_apply(plan=plan, by=_person(request), reason=f"import of {upload.name}")
        upload_drop(upload=upload, session=request.session)
        errors = plan.counts[Effect.ERROR]
        left = f" {errors} row{'' if errors == 1 else 's'} could not be used." if errors else ""
        return self._to_list(
            request, f"{count} applied from “{upload.name}”.{left}", messages.WARNING if errors else messages.SUCCESS
        )

    def _require(self, request: HttpRequest) -> None:
        if not self.is_allowed(request):
            raise PermissionDenied

    def _page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        context = {**self.admin.admin_site.each_context(request), "opts": self.admin.opts, **context}
        return TemplateResponse(request, f"admin/alerts/threshold/{template}", context)

    def _to_list(self, request: HttpRequest, text: str, level: int) -> HttpResponse:
        self.admin.message_user(request, text, level)
        return HttpResponseRedirect(reverse("admin:alerts_threshold_changelist"))


def _plan(content: bytes, encoding: str) -> ThresholdPlan:
    return thresholds_plan(content=content, encoding=encoding, limit=settings.EVENSTOCK_UPLOAD_LIMIT)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # admin pages know only users who signed in
    return request.user
