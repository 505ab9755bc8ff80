"""`import_alignment FILE`: confirm the pairs of an alignment file."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from alignment.importing.apply import ImportPlan, import_apply, plan_import
from alignment.importing.effects import RowEffect
from alignment.importing.rows import COLUMNS, ENCODINGS, alignment_parse
from connectors.contract import Side
from connectors.management.base import CommandExit, EvenstockCommand, Exit
from kit.errors import FileError


class Command(EvenstockCommand):
    help = f"Confirms the pairs of an alignment file (CSV with the columns {', '.join(COLUMNS)}). Problem rows are told."
    connection_help = "The store's name; may be left out where there is only one."
    writes = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument(
            "--till", default="", metavar="NAME", help="The till's name; may be left out where there is only one."
        )
        parser.add_argument("--encoding", choices=sorted(ENCODINGS), default="utf-8", help="How the file's letters are stored.")

    def handle(self, *, file: Path, connection: str, till: str, dry_run: bool, encoding: str, **_: Any) -> None:
        store = self.chosen(connection, side=Side.STORE)
        pos = self.chosen(till, side=Side.POS, option="--till")
        rows = alignment_parse(_content(file), encoding=encoding, limit=settings.EVENSTOCK_UPLOAD_LIMIT)
        plan = plan_import(rows, pos, store)
        if not dry_run:
            import_apply(plan=plan, by=None, reason=f"import_alignment {file.name}")
        self._report(plan, dry_run=dry_run)
        if plan.problems:
            good = len(plan.rows) - len(plan.problems)
            raise CommandExit(Exit.PARTIAL if good else Exit.FAILED, "" if good else "No row could be used.")

    def _report(self, plan: ImportPlan, *, dry_run: bool) -> None:
        counts = plan.counts
        for effect in plan.problems:
            self.stdout.write(_problem_text(effect))
        did = "would be " if dry_run else ""
        self.stdout.write(
            f"{plan.pos} ↔ {plan.store}, {len(plan.rows)} rows: {did}created {counts.create}, {did}changed {counts.change}, "
            f"unchanged {counts.unchanged}, conflicts {counts.conflict}, errors {counts.error}."
        )
        if dry_run:
            self.stdout.write("Dry run: nothing was written.")


def _content(file: Path) -> bytes:
    """Result: the file's bytes, at most one more than the limit. Raises FileError where it can't be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(settings.EVENSTOCK_UPLOAD_LIMIT + 1)
    except OSError as error:
        raise FileError(
            f"“{file}” can't be read: {error.strerror or error}.", next_step="Check the file's name and its permissions."
        ) from None


def _problem_text(effect: RowEffect) -> str:
    row = effect.row
    return (
        f"Line {row.line}: {row.pos_sku[:60] or '(empty)'} ↔ {row.store_sku[:60] or '(empty)'}: "
        f"{effect.effect.value}: {effect.message} {effect.next_step}"
    )
