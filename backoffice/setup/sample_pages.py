"""A till's sample export: uploaded, shown as it would be read, with columns chosen by a person; saved only when they say so.
Nothing of the file is booked, and it is kept for the session alone."""

from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from pydantic import ValidationError as SettingsError

from backoffice.setup.forms import NAMED, READING, ROLE_WORDS, ColumnsForm, SampleForm, delimiter_said
from backoffice.setup.parts import CHANGE
from connectors.models import Connection, settings_errors
from connectors.pos_csv.reading.columns import presets_that_fit
from connectors.pos_csv.sample import Sample, SampleLine, sample_read, sample_settings
from connectors.pos_csv.settings import PosCsvSettings
from connectors.services import connection_check, connection_settings_change
from kit.admin.parts import number, person
from kit.errors import FileError, ToldError
from kit.files.uploads import Upload, upload_drop, upload_get, upload_keep
from kit.words import counted

SAMPLE = "sample"
# What to do about a file that can't be read, on a page where everything can be set.
STEPS = {
    "header": "Choose the column below, then look again; or take another file.",
    "ambiguous_columns": "Choose the right one below, then look again.",
    "encoding": "Choose other letters below, then look again.",
    "number_format": "Choose how the till writes numbers below, then look again.",
    "mostly_bad": "Check that this is the till's stock list, and how it writes numbers and separates columns.",
    "truncated": "Export again; or, if this till always ends its files so, untick “The last line has an end”.",
}


class SamplePages:
    """Two pages: the upload, and how it would be read."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    def upload(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a file. One that is no text table at all is refused here, by what it is."""
        till = self._till(request, pk)
        form = SampleForm(request.POST, request.FILES) if request.method == "POST" else SampleForm()
        if request.method == "POST" and form.is_valid():
            return self._kept(request, till, form)
        return self._page(request, "sample.html", f"A sample export of {till}", till, form=form)

    def _kept(self, request: HttpRequest, till: Connection, form: SampleForm) -> HttpResponse:
        file = form.cleaned_data["file"]
        kept = upload_keep(
            content=file.read(), name=file.name, encoding="", user_id=person(request).pk, session=request.session,
            now=timezone.now(), pos_id=till.pk, sort=SAMPLE,
        )  # fmt: skip
        usual = _settings(till)
        sample = sample_read(kept.path, usual.model_copy(update=sample_settings(kept.path, usual)))
        if sample.error and not sample.header:
            upload_drop(upload=kept, session=request.session)
            form.add_error("file", _said(sample.error))
            return self._page(request, "sample.html", f"A sample export of {till}", till, form=form)
        return HttpResponseRedirect(reverse("admin:setup_columns", args=[till.pk, kept.token]))

    def columns(self, request: HttpRequest, pk: int, token: str) -> HttpResponse:
        """Show how the sample would be read; `look` again with other choices, or `save` them."""
        till = self._till(request, pk)
        try:
            kept, _ = upload_get(token=token, user_id=person(request).pk, session=request.session, sort=SAMPLE)
        except FileError as error:
            messages.warning(request, str(error))
            return HttpResponseRedirect(reverse("admin:setup_sample", args=[till.pk]))
        if kept.pos_id != till.pk:
            raise Http404
        if request.method != "POST":
            usual = _settings(till)
            changes = sample_settings(kept.path, usual)
            return self._shown(request, till, kept, usual.model_copy(update=changes), None, recognised=changes)
        said = _recognising(till, kept, request.POST)
        chosen, complaint = _posted(till, said)
        if complaint:
            messages.error(request, complaint)
        return self._shown(request, till, kept, chosen, said)

    def _shown(
        self, request: HttpRequest, till: Connection, kept: Upload, chosen: PosCsvSettings, said: QueryDict | None,
        recognised: dict[str, Any] | None = None,
    ) -> HttpResponse:  # fmt: skip
        sample = sample_read(kept.path, chosen)
        form = ColumnsForm(_fitting(said, sample), sample=sample, chosen=chosen)
        if form.is_bound and form.is_valid():
            sample = sample_read(kept.path, _with(till, form.settings_chosen()))
            if "save" in request.POST and sample.readings:
                return self._saved(request, till, kept, form)
            if "save" in request.POST:
                messages.error(request, "Nothing was saved: with these choices no row of the file can be read.")
        return self._page(
            request, "columns.html", f"How exports of {till} are read", till,
            form=form, sample=sample, upload=kept, outcome=_outcome(sample), recognised=_recognised(sample, chosen, recognised),
            step=_step(sample.error), lines=[_line(one) for one in sample.lines],
        )  # fmt: skip

    def _saved(self, request: HttpRequest, till: Connection, kept: Upload, form: ColumnsForm) -> HttpResponse:
        """Save the choices as settings, with history, and test the till with them. The sample goes."""
        try:
            connection_settings_change(connection=till, changes=form.settings_chosen())
        except ToldError as error:
            messages.error(request, _said(error))
            return HttpResponseRedirect(request.path)
        self.site.get_model_admin(Connection).log_change(request, till, "How its exports are read, by a sample.")
        upload_drop(upload=kept, session=request.session)
        with suppress(ToldError):  # it is kept with what was found
            connection_check(connection=till, now=timezone.now)
        messages.success(request, f"Saved: exports of “{till}” are read like that. The sample itself was not used.")
        return HttpResponseRedirect(reverse("admin:setup"))

    def _till(self, request: HttpRequest, pk: int) -> Connection:
        if not request.user.has_perm(CHANGE):
            raise PermissionDenied
        till = Connection.objects.filter(pk=pk).first()
        if till is None or till.spec.settings is not PosCsvSettings:
            raise Http404
        return till

    def _page(self, request: HttpRequest, template: str, title: str, till: Connection, **context: Any) -> TemplateResponse:
        page = {**self.site.each_context(request), "title": title, "original": till, **context}
        return TemplateResponse(request, f"admin/setup/{template}", page)


def _settings(till: Connection) -> PosCsvSettings:
    """Result: the till's settings; the usual ones where what is kept is not right."""
    try:
        kept = till.settings_parsed()
    except ToldError:
        kept = PosCsvSettings(folder=str(till.settings.get("folder") or "-"))
    assert isinstance(kept, PosCsvSettings)
    return kept


def _with(till: Connection, said: dict[str, Any]) -> PosCsvSettings:
    """Result: the till's settings with these; None: as usual. Raises SettingsError."""
    kept = {name: value for name, value in _settings(till).model_dump().items() if name not in said}
    return PosCsvSettings.model_validate(kept | {name: value for name, value in said.items() if value is not None})


def _posted(till: Connection, said: QueryDict) -> tuple[PosCsvSettings, str]:
    """Result: the settings for reading that were posted, with the columns left to recognition; and what is wrong with them."""
    given: dict[str, Any] = {name: said[name] for name in READING if said.get(name)}
    given["final_newline_required"] = "final_newline_required" in said
    chosen = {role: str(said.get(f"column_{role}", "")) for role in ROLE_WORDS}
    columns = {role: value.removeprefix(NAMED) for role, value in chosen.items() if value.startswith(NAMED)}
    try:
        return _with(till, {**given, "columns": columns}), ""
    except SettingsError as error:
        return _settings(till), " ".join(settings_errors(error))


def _recognising(till: Connection, kept: Upload, said: QueryDict) -> QueryDict:
    """Result: what was posted, with what the file tells by now that its columns are known: how it writes numbers, for instance.
    What a person has chosen otherwise than usual stays."""
    usual = _settings(till)
    chosen, complaint = _posted(till, said)
    data = said.copy()
    for name, value in {} if complaint else sample_settings(kept.path, chosen).items():
        if getattr(chosen, name) == getattr(usual, name) and name != "final_newline_required":
            data[name] = str(getattr(value, "value", value))
        elif name == "final_newline_required":
            data.pop(name, None)
    return data


def _fitting(said: QueryDict | None, sample: Sample) -> QueryDict | None:
    """Result: what was posted, without columns that the file, as it is read now, doesn't have."""
    if said is None:
        return None
    data = said.copy()
    for role in ROLE_WORDS:
        value = str(data.get(f"column_{role}", ""))
        if value.startswith(NAMED) and value.removeprefix(NAMED) not in sample.header:
            data[f"column_{role}"] = ""
    return data


def _said(error: ToldError) -> str:
    return f"{error.message} {error.next_step}".strip()


def _step(error: ToldError | None) -> str:
    return STEPS.get(error.code, error.next_step) if error else ""


def _outcome(sample: Sample) -> str:
    said = _outcome_of_rows(sample)
    if not sample.untracked:
        return said
    rows, column = counted(sample.untracked, "row is", "rows are"), sample.found["tracked"]
    return f"{said} {rows} of products that the till doesn't count, by “{column}”: their number is unknown, not zero."


def _outcome_of_rows(sample: Sample) -> str:
    prices = ""
    if sample.bad_prices:
        prices = f" The price or cost of {counted(sample.bad_prices, 'row', 'rows')} can't; its quantity is used all the same."
    if not sample.bad_rows:
        rows = counted(sample.rows, "row", "rows")
        return f"{'All is well: ' if not prices else ''}{rows} can be read.{prices}"
    bad, good = counted(sample.bad_rows, "row", "rows"), counted(sample.readings, "reading", "readings")
    return f"{bad} of {sample.rows:,} can't be used; {good} can.{prices}"


def _recognised(sample: Sample, chosen: PosCsvSettings, changes: dict[str, Any] | None) -> list[str]:
    """Result: what the file told of itself, in words."""
    if not sample.header:
        return []
    said = [
        f"{len(sample.header)} columns, with {delimiter_said(sample.delimiter)} between them",
        f"letters as {sample.encoding.removesuffix('-sig')}",
    ]
    fitting = presets_that_fit(sample.header, chosen) if chosen.preset == "generic" else [chosen.preset]
    if fitting and fitting != ["generic"]:
        said.append(f"column names as {' or '.join(name.replace('_', ' ') for name in fitting)} writes them")
    if changes and "skip_lines" in changes:
        said.append(f"column names in line {changes['skip_lines'] + 1}")
    if changes and "number_format" in changes:
        said.append(f"numbers like {getattr(changes['number_format'], 'value', changes['number_format'])}")
    return said


def _line(one: SampleLine) -> dict[str, Any]:
    """A line as the table shows it."""
    said: dict[str, Any] = {"line": one.line, "reading": one.reading, "problem": one.problem}
    if read := one.reading:
        counted_there = number(read.on_hand) if read.on_hand is not None else "not counted"
        said |= {"quantity": counted_there, "price": number(read.price), "cost": number(read.cost)}
    return said
