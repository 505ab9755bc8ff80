"""Thresholds from a file, and back into one."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone

from alerts.services.importing import COLUMNS, ThresholdPlan, thresholds_apply, thresholds_plan, thresholds_rows
from kit.files.cells import csv_lines
from kit.files.effects import Effect
from kit.files.import_page import FileImport, file_clean
from kit.files.table import ENCODINGS
from kit.files.uploads import Upload


class ImportForm(forms.Form):
    """Which file."""

    file = forms.FileField(label="File", help_text=f"CSV with the columns {', '.join(COLUMNS)}; limits may be left out.")
    encoding = forms.ChoiceField(choices=list(ENCODINGS.items()), label="Encoding", initial="utf-8")

    def clean_file(self) -> Any:
        return file_clean(self.cleaned_data["file"])


class ImportPage(FileImport[ThresholdPlan]):
    title, sort, form = "Import thresholds", "thresholds", ImportForm

    def urls(self) -> list[URLPattern]:
        export = path("export/", self.admin.admin_site.admin_view(self.export), name="alerts_threshold_export")
        return [export, *super().urls()]

    def export(self, request: HttpRequest) -> HttpResponse:
        """Every threshold, as the import takes it."""
        if not self.admin.has_view_permission(request):
            raise PermissionDenied
        answer = HttpResponse(csv_lines(thresholds_rows()), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="thresholds_{timezone.localdate():%Y%m%d}.csv"'
        return answer

    def plan_given(self, content: bytes, given: dict[str, Any]) -> ThresholdPlan:
        return _plan(content, given["encoding"])

    def plan_kept(self, content: bytes, upload: Upload) -> ThresholdPlan:
        return _plan(content, upload.encoding)

    def apply(self, plan: ThresholdPlan, *, by: User, reason: str, name: str) -> tuple[str, int]:
        count, errors = thresholds_apply(plan=plan, by=by, reason=reason), plan.counts[Effect.ERROR]
        left = f" {errors} row{'' if errors == 1 else 's'} could not be used." if errors else ""
        return f"{count} applied from “{name}”.{left}", messages.WARNING if errors else messages.SUCCESS


def _plan(content: bytes, encoding: str) -> ThresholdPlan:
    return thresholds_plan(content=content, encoding=encoding, limit=settings.EVENSTOCK_UPLOAD_LIMIT)
