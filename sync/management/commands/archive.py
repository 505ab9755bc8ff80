"""`manage.py archive`: move old rows out of the database into files."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from connectors.errors import ConfigError
from connectors.management.base import EvenstockCommand
from sync.limits import limits
from sync.upkeep.archive import archive_folder
from sync.upkeep.housekeeping import MOST, rows_archive, rows_to_archive


class Command(EvenstockCommand):
    help = (
        "Move old requests, webhooks, changed values, writes, runs, alerts and messages into files in the data folder. Never the "
        "ledger. The nightly job does the same. Exit codes: 0 done, 1 not possible."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        BaseCommand.add_arguments(self, parser)  # it is about no connection
        parser.add_argument("--older-than", type=int, metavar="DAYS", default=limits().keep.days, help="Default: %(default)s.")
        parser.add_argument("--dry-run", action="store_true", help="Count; write and delete nothing.")

    def handle(self, *, older_than: int, dry_run: bool, **options: Any) -> None:
        span, now = timedelta(days=older_than), timezone.now()
        try:
            done = rows_to_archive(older_than=span, now=now) if dry_run else rows_archive(older_than=span, now=now)
        except OSError as error:
            raise ConfigError(
                f"The archive can't be written: {error}.", next_step="Nothing of it was deleted. Make room, or give the right to."
            ) from error
        for name, count in done.items():
            self.stdout.write(f"{name:16}{count:>12,}")
        said = "would go to" if dry_run else "went to"
        self.stdout.write(f"{sum(done.values()):,} rows older than {older_than} days {said} {archive_folder()}.")
        if not dry_run and MOST in done.values():
            self.stdout.write(f"No more than {MOST:,} of a kind go at a time: run it again for the rest.")
