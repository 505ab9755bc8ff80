"""`manage.py sync_report`: a period's report into a file."""

from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.text import slugify

from connectors.contract import Side
from connectors.errors import ConfigError
from connectors.management.base import EvenstockCommand
from connectors.selectors import connection_named
from reporting.core.report import Every, last_over, span_ending
from reporting.reports.found import scope_of
from reporting.reports.make import Part, report_make
from reporting.reports.rendering import Format, report_bytes, report_render


class Command(EvenstockCommand):
    help = (
        "Write a report of a day, a week or a month to sync_report_FROM_TO.md; FROM and TO are its first and last day; with "
        "--connection, the shop's name follows. "
        "The same period written again replaces its file. Exit codes: 0 done, 1 not possible."
    )
    connection_help = "Only this store (default: every store in use)."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--period", required=True, choices=[every.value for every in Every])
        parser.add_argument("--format", default=Format.MD, choices=[form.value for form in Format], dest="form")
        parser.add_argument("--part", default=Part.WHOLE, choices=[part.value for part in Part], help="Default: all of it.")
        parser.add_argument("--until", default="", metavar="DATE", help="Its last day: 2026-03-01 (default: the last one over).")
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--out", default=".", metavar="FOLDER", help="Where to put the file (default: here).")
        # Under two names: call_command would take its own argument `stdout` for an option of that name alone.
        where.add_argument("--print", "--stdout", action="store_true", dest="printed", help="Print it; write no file.")

    def handle(self, *, connection: str, period: str, form: str, until: str, out: str, **options: Any) -> None:
        now, every = timezone.now(), Every(period)
        scope = scope_of(connection_named(connection, side=Side.STORE) if connection else None)
        last = _day(until) if until else last_over(every, now, scope.zone)
        folder = Path(out)
        if not options["printed"] and not folder.is_dir():
            raise ConfigError(f"“{out}” is no folder.", next_step="Make it, or name another one with --out.")
        report = report_make(scope=scope, span=span_ending(every, last, scope.zone), now=now, part=Part(options["part"]))
        if options["printed"]:
            self.stdout.write(report_render(report, Format(form)), ending="")
            return
        of = f"_{slugify(connection) or scope.stores[0].pk}" if connection else ""  # one shop's must not replace that of all
        path = folder / f"{report.file_name}{of}.{form}"
        path.write_bytes(report_bytes(report, Format(form)))
        self.stdout.write(str(path))


def _day(said: str) -> date:
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise ConfigError(f"“{said}” is no date.", next_step="Write it like 2026-03-01.") from None
