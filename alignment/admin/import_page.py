"""Alignments from a file, between a till and a store that the person chooses."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User

from alignment.admin.between import BetweenForm
from alignment.importing.apply import ImportPlan, import_apply, plan_import
from alignment.importing.rows import COLUMNS, ENCODINGS, alignment_parse
from alignment.selectors import connections_on
from connectors.contract import Side
from connectors.models import Connection
from kit.errors import FileError
from kit.files.import_page import FileImport, file_clean
from kit.files.uploads import ALIGNMENT, Upload


class ImportForm(BetweenForm):
    """Which file, and between which two systems."""

    file = forms.FileField(label="Alignment file", help_text=f"CSV with the columns {', '.join(COLUMNS)}.")
    encoding = forms.ChoiceField(choices=list(ENCODINGS.items()), label="Encoding", initial="utf-8")
    field_order = ("file",)

    def clean_file(self) -> Any:
        return file_clean(self.cleaned_data["file"])


class ImportPage(FileImport[ImportPlan]):
    title, sort, form = "Import an alignment file", ALIGNMENT, ImportForm

    def plan_given(self, content: bytes, given: dict[str, Any]) -> ImportPlan:
        return _plan(content, given["till"], given["store"], given["encoding"])

    def plan_kept(self, content: bytes, upload: Upload) -> ImportPlan:
        return _plan(content, *_sides(upload), upload.encoding)

    def choices(self, given: dict[str, Any]) -> dict[str, int]:
        return {"pos_id": given["till"].pk, "store_id": given["store"].pk}

    def apply(self, plan: ImportPlan, *, by: User, reason: str, name: str) -> tuple[str, int]:
        result = import_apply(plan=plan, by=by, reason=reason)
        text = f"Pairs of “{name}”: {result.created} created, {result.changed} changed, {result.unchanged} unchanged."
        if result.problems:
            return f"{text} {result.problems} rows were not applied.", messages.WARNING
        return text, messages.SUCCESS


def _plan(content: bytes, pos: Connection, store: Connection, encoding: str) -> ImportPlan:
    return plan_import(alignment_parse(content, encoding=encoding, limit=settings.EVENSTOCK_UPLOAD_LIMIT), pos, store)


def _sides(upload: Upload) -> tuple[Connection, Connection]:
    """Result: the till and the store of an upload. Raises FileError where one is not in use any more."""
    pos = connections_on(Side.POS).filter(pk=upload.pos_id).first()
    store = connections_on(Side.STORE).filter(pk=upload.store_id).first()
    if pos is None or store is None:
        raise FileError("The till or the store of this import is not in use any more.", next_step="Upload the file again.")
    return pos, store
