"""`manage.py inventory_sync`: bring a store and its tills into step."""

import json
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from connectors.contract import Side
from connectors.errors import ConfigError
from connectors.leases import LeaseHeldError
from connectors.management.base import CommandExit, EvenstockCommand, Exit
from connectors.models import Connection
from connectors.selectors import connection_named, connections_of
from sync.management.progress import shown_progress
from sync.models import SyncRun, SyncState
from sync.turns.asked import asked_now
from sync.turns.run import run_sync, tills_of

SHOWN_PROBLEMS = 20
SHOWN_PREVIEW = 20
SHOWN_PAIRS = 5
EXITS = {
    SyncRun.State.DONE: Exit.OK,
    SyncRun.State.PARTIAL: Exit.PARTIAL,
    SyncRun.State.HELD: Exit.PARTIAL,
    SyncRun.State.FAILED: Exit.FAILED,
}


class Command(EvenstockCommand):
    help = (
        "Bring stores into step with their tills. Exit codes: 0 done, 1 failed, 3 done in part or held for a manager, "
        "4 refused because another sync of the store is running."
    )
    connection_help = "The store to sync (default: every store in use)."
    writes = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        kind = parser.add_mutually_exclusive_group(required=True)
        kind.add_argument("--full", action="store_true", help="Read both sides whole and reconcile every pair.")
        kind.add_argument("--incremental", action="store_true", help="Only what is new on either side.")
        kind.add_argument("--release", type=int, metavar="RUN", help="Let a held run go on: it reads again, then writes.")
        parser.add_argument("--no-wait", action="store_true", help="Leave second looks and settle times to the next run.")
        parser.add_argument("--json", action="store_true", help="End with one line of JSON a store.")

    def handle(self, *args: Any, **options: Any) -> None:
        release = self._held(options["release"]) if options["release"] is not None else None
        stores = [release.store] if release else self.stores(options["connection"])
        kind = release.kind if release else SyncRun.Kind.FULL if options["full"] else SyncRun.Kind.INCREMENTAL
        worst = Exit.OK
        for store in stores:
            worst = max(worst, self.sync(store, SyncRun.Kind(kind), release, options), key=badness)
        if worst != Exit.OK:
            raise CommandExit(worst)

    def stores(self, name: str) -> list[Connection]:
        if name:
            return [connection_named(name, side=Side.STORE)]
        stores = connections_of(side=Side.STORE)
        if not stores:
            raise ConfigError(
                "There is no store yet.", next_step="Connect one: manage.py connect woocommerce --url … --key … --secret …"
            )
        return stores

    def _held(self, run_id: int) -> SyncRun:
        run = SyncRun.objects.filter(pk=run_id).select_related("store").first()
        if run is None or run.state != SyncRun.State.HELD:
            held = ", ".join(str(pk) for pk in SyncRun.objects.filter(state=SyncRun.State.HELD).values_list("pk", flat=True))
            raise ConfigError(f"Run {run_id} is not held.", next_step=f"Held runs: {held or 'none'}.")
        return run

    def sync(self, store: Connection, kind: SyncRun.Kind, release: SyncRun | None, options: dict[str, Any]) -> Exit:
        asked_now(connections=[store, *tills_of(store=store)])  # a person waits for it
        try:
            with shown_progress(self.stdout, quiet=options["verbosity"] == 0) as progress:
                run = run_sync(
                    store=store,
                    kind=kind,
                    now=timezone.now,
                    dry_run=options["dry_run"],
                    release=release,
                    progress=progress,
                    may_wait=not options["no_wait"],
                )
        except LeaseHeldError as error:
            self.stderr.write(str(error))
            return Exit.REFUSED
        self._report(run)
        if options["json"]:
            said = {"run": run.pk, "store": store.name, "state": run.state, "message": run.message, **run.counts}
            self.stdout.write(json.dumps(said, ensure_ascii=False))
        return EXITS[SyncRun.State(run.state)]

    def _report(self, run: SyncRun) -> None:
        self.stdout.write(f"{run.store.name}: {run.get_state_display()}. {run.message}")
        if run.state == SyncRun.State.HELD:
            self.stdout.write(f"Nothing was written. To let it go on: manage.py inventory_sync --release {run.pk}")
        for change in run.preview[:SHOWN_PREVIEW]:
            what = f"{change['field']} " if "field" in change else ""
            self.stdout.write(f"  {change['sku']} → {change['woo_sku']}: {what}{change['from']} → {change['to']}")
        if len(run.preview) > SHOWN_PREVIEW:
            self.stdout.write(f"  … and more; all of them are on the run's page (run {run.pk}).")
        problems = list(run.problems.all()[: SHOWN_PROBLEMS + 1])
        for problem in problems[:SHOWN_PROBLEMS]:
            line = f"line {problem.line}, " if problem.line else ""
            self.stdout.write(f"  {line}{problem.subject}: {problem.message} {problem.next_step}".rstrip())
        if len(problems) > SHOWN_PROBLEMS:
            self.stdout.write(f"  … and more; all of them are on the run's page (run {run.pk}).")
        if run.state in (SyncRun.State.DONE, SyncRun.State.PARTIAL) and not run.dry_run:
            self._undecided(run.store)

    def _undecided(self, store: Connection) -> None:
        """Name what is not in step, and why: the first few, and where the rest is."""
        waiting = SyncState.objects.filter(woo=store).exclude(sync_status=SyncState.Status.SYNCED)
        for state in waiting[:SHOWN_PAIRS]:
            self.stdout.write(f"  {state.get_sync_status_display()}: {state}: {state.reason}")
        if (more := waiting.count() - SHOWN_PAIRS) > 0:
            self.stdout.write(f"  … and {more:,} more, in the admin under Sync states.")


def badness(code: Exit) -> int:
    """Result: how bad an exit is: failed beats refused beats partial beats done."""
    return [Exit.OK, Exit.PARTIAL, Exit.REFUSED, Exit.FAILED].index(code)
