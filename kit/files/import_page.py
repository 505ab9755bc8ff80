"""Upload → every row's effect → confirm: the pages by which a file is imported. Each step asks for the permission again, and
plans again from the kept file."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from kit.admin.parts import AnyModelAdmin, badge, person
from kit.errors import ToldError
from kit.files.effects import PROBLEMS, TO_DO, Effect
from kit.files.uploads import Upload, upload_drop, upload_get, upload_keep

ROWS_PER_PAGE = 200
# What needs a person comes first.
WORDS: Mapping[Effect, tuple[str, str]] = {
    Effect.CONFLICT: ("Conflict", "bad"),
    Effect.ERROR: ("Error", "bad"),
    Effect.CHANGE: ("Change", "info"),
    Effect.CREATE: ("New", "ok"),
    Effect.UNCHANGED: ("Unchanged", "mute"),
}


class Row(Protocol):
    """One row's fate."""

    @property
    def effect(self) -> Effect: ...


class Planned(Protocol):
    """What a file would do. `fingerprint` differs as soon as any of it does."""

    @property
    def rows(self) -> Sequence[Row]: ...

    @property
    def fingerprint(self) -> str: ...


Plan = TypeVar("Plan", bound=Planned)


def file_clean(file: "UploadedFile[Any]") -> "UploadedFile[Any]":
    """Result: the same file. Raises ValidationError for one that is too large to be read."""
    limit, size = settings.EVENSTOCK_UPLOAD_LIMIT, file.size or 0
    if size > limit:
        raise forms.ValidationError(f"The file has {size / 1e6:.1f} MB; the limit is {limit / 1e6:.0f} MB.")
    return file


class FileImport(ABC, Generic[Plan]):
    """The two pages of an import, hung below a list of the admin; the templates lie in the list's own folder."""

    title: ClassVar[str]
    sort: ClassVar[str]  # each session keeps one file of a sort
    form: ClassVar[type[forms.Form]]  # with a `file` and an `encoding`

    def __init__(self, model_admin: AnyModelAdmin) -> None:
        self.admin = model_admin
        self.name = f"{model_admin.opts.app_label}_{model_admin.opts.model_name}"

    # -- what differs ----------------------------------------------------------------------------------------------

    @abstractmethod
    def plan_given(self, content: bytes, given: dict[str, Any]) -> Plan:
        """Result: what the file of a valid form would do. Raises ToldError for a file that can't be used."""

    @abstractmethod
    def plan_kept(self, content: bytes, upload: Upload) -> Plan:
        """The same, of a file that was kept."""

    @abstractmethod
    def apply(self, plan: Plan, *, by: User, reason: str, name: str) -> tuple[str, int]:
        """Apply what was confirmed. Result: what to say of it, and how loudly (a level of Django's messages)."""

    def choices(self, given: dict[str, Any]) -> dict[str, int]:
        """Result: what the form asked beside the file, for `upload_keep`."""
        return {}

    # -- what is the same ------------------------------------------------------------------------------------------

    def urls(self) -> list[URLPattern]:
        guarded = self.admin.admin_site.admin_view  # login and CSRF
        return [
            path("import/", guarded(self.upload), name=f"{self.name}_import"),
            path("import/<str:token>/", guarded(self.preview), name=f"{self.name}_import_preview"),
        ]

    def is_allowed(self, request: HttpRequest) -> bool:
        return bool(self.admin.has_add_permission(request) and self.admin.has_change_permission(request))

    def upload(self, request: HttpRequest) -> HttpResponse:
        self._require(request)
        form = self.form(request.POST, request.FILES) if request.method == "POST" else self.form()
        if form.is_valid():
            try:
                return self._kept(request, form.cleaned_data)
            except ToldError as error:
                form.add_error("file", f"{error.message} {error.next_step}")
        return self._page(request, "import_form.html", title=self.title, form=form)

    def _kept(self, request: HttpRequest, given: dict[str, Any]) -> HttpResponse:
        """Check the file as a whole, before anything of it is kept."""
        content = given["file"].read()
        self.plan_given(content, given)
        upload = upload_keep(
            content=content,
            name=given["file"].name,
            encoding=given["encoding"],
            user_id=person(request).pk,
            session=request.session,
            now=timezone.now(),
            sort=self.sort,
            **self.choices(given),
        )
        return self._to_preview(upload)

    def preview(self, request: HttpRequest, token: str) -> HttpResponse:
        self._require(request)
        try:
            upload, content = upload_get(token=token, user_id=person(request).pk, session=request.session, sort=self.sort)
            if "cancel" in request.POST:
                upload_drop(upload=upload, session=request.session)
                return self._to_list(request, "The import was cancelled; nothing was applied.", messages.INFO)
            plan = self.plan_kept(content, upload)
            if request.method == "POST":
                return self._confirmed(request, upload, plan)
        except ToldError as error:
            self.admin.message_user(request, f"{error.message} {error.next_step}", messages.ERROR)
            return HttpResponseRedirect(reverse(f"admin:{self.name}_import"))
        shown = _shown(plan, asked=request.GET.get("effect", ""), page=request.GET.get("p"))
        return self._page(request, "import_preview.html", title="What this file would do", upload=upload, plan=plan, **shown)

    def _confirmed(self, request: HttpRequest, upload: Upload, plan: Plan) -> HttpResponse:
        """Apply what was looked at, or show what it has become meanwhile."""
        if request.POST.get("fingerprint") != plan.fingerprint:
            changed = "Something changed since you looked: this is what the file would do now. Nothing was applied."
            self.admin.message_user(request, changed, messages.WARNING)
            return self._to_preview(upload)
        text, level = self.apply(plan, by=person(request), reason=f"import of {upload.name}", name=upload.name)
        upload_drop(upload=upload, session=request.session)
        return self._to_list(request, text, level)

    def _require(self, request: HttpRequest) -> None:
        if not self.is_allowed(request):
            raise PermissionDenied

    def _page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        context = {**self.admin.admin_site.each_context(request), "opts": self.admin.opts, **context}
        return TemplateResponse(request, f"admin/{self.name.replace('_', '/', 1)}/{template}", context)

    def _to_preview(self, upload: Upload) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"admin:{self.name}_import_preview", args=[upload.token]))

    def _to_list(self, request: HttpRequest, text: str, level: int) -> HttpResponse:
        self.admin.message_user(request, text, level)
        return HttpResponseRedirect(reverse(f"admin:{self.name}_changelist"))


def _shown(plan: Planned, *, asked: str, page: str | None) -> dict[str, Any]:
    """Result: what a preview shows: the rows with the effect asked for, else all, a page at a time; and how many there are."""
    wanted = [effect for effect in WORDS if effect.value == asked] or list(WORDS)
    counts = Counter(row.effect for row in plan.rows)
    pages = Paginator([row for effect in wanted for row in plan.rows if row.effect == effect], ROWS_PER_PAGE)
    return {
        "page": (shown := pages.get_page(page)),
        "rows": [(row, badge(*WORDS[row.effect])) for row in shown],
        "chips": [(effect.value, word, counts[effect]) for effect, (word, _) in WORDS.items()],
        "asked": asked if len(wanted) == 1 else "",
        "to_do": sum(counts[effect] for effect in TO_DO),
        "left_out": sum(counts[effect] for effect in PROBLEMS),
    }
