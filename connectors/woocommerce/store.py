"""A WooCommerce shop as the engine's `Store`."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from connectors.contract import (
    Aside,
    CheckReport,
    Hook,
    OrderState,
    PriceFacts,
    Recorder,
    StoreReading,
    StoreWrite,
    Told,
    WriteBatch,
    WriteResult,
    refuse,
    untold,
)
from connectors.http.door import HttpDoor, Limits
from connectors.http.pacing import Pacer
from connectors.rests import Rest
from connectors.settings.folders import Folders
from connectors.woocommerce.client import Client
from connectors.woocommerce.doctor import Doctor
from connectors.woocommerce.hooks import TOPICS, hook_create, hooks_read, order_told
from connectors.woocommerce.listings import Listings
from connectors.woocommerce.orders import orders_read, orders_read_by_id
from connectors.woocommerce.prices import price_facts_read
from connectors.woocommerce.settings import WooCommerceCredentials, WooCommerceSettings
from connectors.woocommerce.writes import batch_send, batches_plan


class WooCommerceStore:
    """See `connectors.contract.Store`. Keep an instance for a whole job: its connections stay open, and what it learnt of
    the shop's pace and version stays known."""

    topics = TOPICS

    def __init__(
        self,
        settings: WooCommerceSettings,
        credentials: WooCommerceCredentials,
        *,
        record: Recorder,
        now: Callable[[], datetime],
        folders: Folders | None = None,
        allow_private: bool = False,
        rest: Rest | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        self.pacer = Pacer(lanes=settings.lanes, batch=settings.batch_size)
        self.settle = timedelta(seconds=settings.settle_seconds)
        self._settings = settings
        key, secret = credentials.consumer_key.get_secret_value(), credentials.consumer_secret.get_secret_value()
        self._webhook_secret = credentials.webhook_secret.get_secret_value()
        door = HttpDoor(
            record=record,
            pacer=self.pacer,
            now=now,
            limits=Limits(connect=settings.connect_timeout, read=settings.read_timeout),
            ca_file=settings.ca_file,
            folders=folders,
            allow_private=allow_private,
            rest=rest,
            zone=zone,
            secrets=tuple(filter(None, (key, secret, self._webhook_secret))),
        )
        self._client = Client(settings.url, key, secret, door=door, now=now)
        self._listings = Listings(self._client, self.pacer, per_page=settings.per_page, version=settings.version)

    @property
    def clock_ahead(self) -> timedelta:
        return self._client.clock_ahead

    def check(self) -> CheckReport:
        return Doctor(self._client).report()

    def walk_listings(self, *, told: Told = untold, aside: Aside = refuse) -> Iterator[Sequence[StoreReading]]:
        self._client.products_past_caches()
        return self._listings.walk(told, aside)

    def read_listings(self, listings: Sequence[tuple[int, int]], *, aside: Aside = refuse) -> Sequence[StoreReading]:
        if listings:
            self._client.products_past_caches()
        return self._listings.read(listings, aside)

    def read_orders(self, *, modified_after: datetime, aside: Aside = refuse) -> Sequence[OrderState]:
        return orders_read(
            self._client,
            self.pacer,
            modified_after=modified_after,
            overlap=timedelta(seconds=self._settings.order_overlap_seconds),
            per_page=self._settings.per_page,
            aside=aside,
        )

    def read_orders_by_id(self, remote_ids: Iterable[int], *, aside: Aside = refuse) -> Sequence[OrderState]:
        return orders_read_by_id(self._client, remote_ids, aside)

    def order_told(self, *, topic: str, payload: Mapping[str, Any]) -> OrderState | None:
        return order_told(topic, payload)

    def hooks(self) -> Sequence[Hook]:
        return hooks_read(self._client)

    def hook_create(self, *, topic: str, address: str) -> Hook:
        return hook_create(self._client, topic=topic, address=address, secret=self._webhook_secret)

    def hook_delete(self, remote_id: int) -> None:
        self._client.remove(f"webhooks/{remote_id}")

    def price_facts(self) -> PriceFacts:
        return price_facts_read(self._client)

    def plan_batches(self, writes: Sequence[StoreWrite]) -> Iterator[WriteBatch]:
        return batches_plan(writes, self.pacer)

    def send(self, batch: WriteBatch) -> Sequence[WriteResult]:
        return batch_send(self._client, batch)
