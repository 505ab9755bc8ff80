"""Upload → every row's effect → confirm. Each step asks for the permission again, and plans again from the kept file."""

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

from alignment.errors import AlignmentFileError
from alignment.importing.effects import Effect
from alignment.importing.rows import COLUMNS, ENCODINGS, alignment_parse
from alignment.selectors import connections_on
from alignment.services.importing import ImportPlan, import_apply, plan_import
from alignment.uploads import Upload, upload_drop, upload_get, upload_keep
from connectors.admin.parts import badge
from connectors.contract import Side
from connectors.errors import ConnectorError
from connectors.models import Connection

if TYPE_CHECKING:
    from alignment.admin.pairs import AlignmentAdmin

ROWS_PER_PAGE = 200
# What needs a person comes first.
WORDS = {
    Effect.CONFLICT: ("Conflict", "bad"),
    Effect.ERROR: ("Error", "bad"),
    Effect.CHANGE: ("Change", "info"),
    Effect.CREATE: ("New", "ok"),
    Effect.UNCHANGED: ("Unchanged", "mute"),
}


def person(request: HttpRequest) -> User:
    """Result: who asks; the admin lets nobody in who isn't logged in."""
    assert request.user.is_authenticated
    return request.user


class ImportForm(forms.Form):
    """Which file, and between which two systems."""

    file = forms.FileField(label="Alignment file", help_text=f"CSV with the columns {', '.join(COLUMNS)}.")
    till = forms.ModelChoiceField(queryset=Connection.objects.none(), label="Till", empty_label=None)
    store = forms.ModelChoiceField(queryset=Connection.objects.none(), label="Store", empty_label=None)
    encoding = forms.ChoiceField(choices=list(ENCODINGS.items()), label="Encoding", initial="utf-8")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, side in (("till", Side.POS), ("store", Side.STORE)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = connections_on(side)

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > settings.EVENSTOCK_UPLOAD_LIMIT:
            limit = settings.EVENSTOCK_UPLOAD_LIMIT / 1e6
            raise forms.ValidationError(f"The file has {file.size / 1e6:.1f} MB; the limit is {limit:.0f} MB.")
        return file


class ImportPage:
    """The two pages of an import, hung below the list of alignments."""

    def __init__(self, model_admin: "AlignmentAdmin") -> None:
        self.admin = model_admin

    def urls(self) -> list[URLPattern]:
        guarded = self.admin.admin_site.admin_view  # login and CSRF
        return [
            path("import/", guarded(self.upload), name="alignment_alignment_import"),
            path("import/<str:token>/", guarded(self.preview), name="alignment_alignment_import_preview"),
        ]

    def is_allowed(self, request: HttpRequest) -> bool:
        return self.admin.has_add_permission(request) and self.admin.has_change_permission(request)

    # -- step 1 ----------------------------------------------------------------------------------------------------

    def upload(self, request: HttpRequest) -> HttpResponse:
        self._require(request)
        form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
        if form.is_valid():
            try:
                return self._kept(request, form.cleaned_data)
            except ConnectorError as error:
                form.add_error("file", f"{error.message} {error.next_step}")
        return self._page(request, "import_form.html", title="Import an alignment file", form=form, columns=COLUMNS)

    def _kept(self, request: HttpRequest, given: dict[str, Any]) -> HttpResponse:
        """Check the file as a whole, before anything of it is kept."""
        content = given["file"].read()
        _plan(content, given["till"], given["store"], given["encoding"])
        upload = upload_keep(
            content=content,
            name=given["file"].name,
            pos_id=given["till"].pk,
            store_id=given["store"].pk,
            encoding=given["encoding"],
            user_id=person(request).pk,
            session=request.session,
            now=timezone.now(),
        )
        return HttpResponseRedirect(reverse("admin:alignment_alignment_import_preview", args=[upload.token]))

    # -- step 2 ----------------------------------------------------------------------------------------------------

    def preview(self, request: HttpRequest, token: str) -> HttpResponse:
        self._require(request)
        try:
            upload, content = upload_get(token=token, user_id=person(request).pk, session=request.session)
            if "cancel" in request.POST:
                upload_drop(upload=upload, session=request.session)
                return self._to_list(request, "The import was cancelled; nothing was applied.", messages.INFO)
            pos, store = _sides(upload)
            plan = _plan(content, pos, store, upload.encoding)
            if request.method == "POST":
                return self._confirmed(request, upload, plan)
        except ConnectorError as error:
            self.admin.message_user(request, f"{error.message} {error.next_step}", messages.ERROR)
            return HttpResponseRedirect(reverse("admin:alignment_alignment_import"))
        return self._preview(request, upload, plan)

    def _confirmed(self, request: HttpRequest, upload: Upload, plan: ImportPlan) -> HttpResponse:
        """Apply what was looked at, or show what it has become meanwhile."""
        if request.POST.get("fingerprint") != plan.fingerprint:
            changed = "Something changed since you looked: this is what the file would do now. Nothing was applied."
            self.admin.message_user(request, changed, messages.WARNING)
            return HttpResponseRedirect(reverse("admin:alignment_alignment_import_preview", args=[upload.token]))
        result = import_apply(plan=plan, by=person(request), reason=f"import of {upload.name}")
        upload_drop(upload=upload, session=request.session)
        text = f"Pairs of “{upload.name}”: {result.created} created, {result.changed} changed, {result.unchanged} unchanged."
        if result.problems:
            return self._to_list(request, f"{text} {result.problems} rows were not applied.", messages.WARNING)
        return self._to_list(request, text, messages.SUCCESS)

    def _preview(self, request: HttpRequest, upload: Upload, plan: ImportPlan) -> HttpResponse:
        asked = request.GET.get("effect", "")
        wanted = [effect for effect in WORDS if effect.value == asked] or list(WORDS)
        page = Paginator([row for effect in wanted for row in plan.of(effect)], ROWS_PER_PAGE).get_page(request.GET.get("p"))
        return self._page(
            request,
            "import_preview.html",
            title="What this file would do",
            upload=upload,
            plan=plan,
            page=page,
            rows=[(row, badge(*WORDS[row.effect])) for row in page],
            chips=[(effect.value, word, getattr(plan.counts, effect.value)) for effect, (word, _) in WORDS.items()],
            asked=asked if len(wanted) == 1 else "",
        )

    # -- both ------------------------------------------------------------------------------------------------------

    def _require(self, request: HttpRequest) -> None:
        if not self.is_allowed(request):
            raise PermissionDenied

    def _page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        context = {**self.admin.admin_site.each_context(request), "opts": self.admin.opts, **context}
        return TemplateResponse(request, f"admin/alignment/alignment/{template}", context)

    def _to_list(self, request: HttpRequest, text: str, level: int) -> HttpResponse:
        self.admin.message_user(request, text, level)
        return HttpResponseRedirect(reverse("admin:alignment_alignment_changelist"))


def _plan(content: bytes, pos: Connection, store: Connection, encoding: str) -> ImportPlan:
    return plan_import(alignment_parse(content, encoding=encoding, limit=settings.EVENSTOCK_UPLOAD_LIMIT), pos, store)


def _sides(upload: Upload) -> tuple[Connection, Connection]:
    """Result: the till and the store of an upload. Raises AlignmentFileError where one is not in use any more."""
    pos = connections_on(Side.POS).filter(pk=upload.pos_id).first()
    store = connections_on(Side.STORE).filter(pk=upload.store_id).first()
    if pos is None or store is None:
        raise AlignmentFileError(
            "The till or the store of this import is not in use any more.", next_step="Upload the file again."
        )
    return pos, store
