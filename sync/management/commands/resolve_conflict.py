"""`manage.py resolve_conflict`: settle what was left to a person."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from connectors.contract import Side
from connectors.errors import ConfigError
from connectors.leases import LeaseHeldError
from connectors.management.base import CommandExit, EvenstockCommand, Exit
from sync.conflicts.settle import conflict_resolve, conflicts_of_sku, outcome_of, way_of, winner_parse, winners_of
from sync.core.settling import Way


class Command(EvenstockCommand):
    help = (
        "Settle the conflict about a SKU. Exit codes: 0 settled, 1 there is none or it can't be settled so, "
        "4 refused because a sync is running."
    )
    connection_side = Side.STORE
    connection_help = "The store; may be left out where there is only one."
    writes = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--sku", required=True, help="As the till or the store writes it.")
        parser.add_argument(
            "--winner",
            required=True,
            metavar="pos|woo|higher|merge|ignore|N",
            help="Who is right: the till, the shop, the higher number, both sides' changes, or "
            "nobody, so that it is left as it is; or how many were counted.",
        )
        parser.add_argument("--reason", default="", help="Why; kept in the history.")

    def handle(self, *, sku: str, winner: str, connection: str, reason: str, dry_run: bool, **_: Any) -> None:
        store = self.chosen(connection, side=Side.STORE)
        wins = winner_parse(winner)
        waiting = [each for each in conflicts_of_sku(store=store, sku=sku) if winners_of(each) != [Way.NOTED]]
        way, _count = way_of(wins)
        conflicts = [each for each in waiting if way in winners_of(each)] or waiting[:1]  # the first says why it can't be
        if not conflicts:
            raise ConfigError(
                f"Nothing about “{sku}” waits for a person in “{store}”.", next_step="detect_conflicts lists all that does."
            )
        for conflict in conflicts:
            said = outcome_of(conflict, wins)
            if not dry_run:
                try:
                    conflict_resolve(
                        conflict=conflict, winner=wins, by=None, reason=reason or "By command, no reason given.", now=timezone.now
                    )
                except LeaseHeldError as error:
                    raise CommandExit(Exit.REFUSED, str(error)) from error
            self.stdout.write(f"{sku}: {said}{' Nothing was changed: a dry run.' if dry_run else ''}")
