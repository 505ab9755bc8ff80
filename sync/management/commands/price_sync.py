"""`manage.py price_sync`: bring the prices of a store and its till into step, and their numbers with them."""

from typing import Any

from django.core.management.base import CommandParser

from connectors.contract import Side
from connectors.management.base import CommandExit, EvenstockCommand, Exit
from connectors.selectors import connection_named
from sync.management.commands.inventory_sync import Command as InventorySync
from sync.management.commands.inventory_sync import badness
from sync.models import SyncRun
from sync.prices.rules import price_policy_needed, price_policy_of


class Command(InventorySync):
    help = (
        "Bring prices into step, as each store's price rule says, and stock with them. Exit codes: 0 done, 1 failed, 3 done in "
        "part or held for a manager, 4 refused because another sync of the store is running."
    )
    connection_help = "The store whose prices to sync (default: every store with a price rule)."

    def add_arguments(self, parser: CommandParser) -> None:
        EvenstockCommand.add_arguments(self, parser)
        parser.add_argument("--no-wait", action="store_true", help="Leave second looks and settle times to the next run.")
        parser.add_argument("--json", action="store_true", help="End with one line of JSON a store.")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["connection"]
        stores = [connection_named(name, side=Side.STORE)] if name else self.stores("")
        ruled = [store for store in stores if price_policy_of(store=store)]
        if not ruled:
            price_policy_needed(store=stores[0])  # says what to do
        for store in stores:
            if store not in ruled:
                self.stdout.write(f"{store.name}: nobody has said who owns its prices, so they are not touched.")
        worst = max((self.sync(store, SyncRun.Kind.PRICES, None, options) for store in ruled), key=badness, default=Exit.OK)
        if worst != Exit.OK:
            raise CommandExit(worst)
