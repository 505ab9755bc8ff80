"""The gap detector: are a store's webhooks in place, and do they arrive? (reliability.md, case 24)

WooCommerce never sends again, disables a webhook at the seventh failure in a row without a word, and keeps that count when it is
switched on again. So a webhook that is not as it should be is deleted and made anew, and the orders it missed are polled.
"""

import logging
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import cast

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils.crypto import salted_hmac

from connectors.contract import Hook, HookedStore
from connectors.errors import ConnectorError
from connectors.models import Connection
from connectors.services import CallLog, connection_open
from sync.models import HookHealth, Order
from sync.orders.inbox import inbox_work
from sync.orders.poll import orders_poll
from sync.orders.turns import Clock

logger = logging.getLogger(__name__)
State = HookHealth.State
GRACE = timedelta(minutes=10)  # a webhook waits for the shop's cron; with few visitors that is our own next poll
RENEW_AGAIN = timedelta(hours=1)  # webhooks that look well and lose orders are made anew no more often than this
OFF = "Webhooks are off: EVENSTOCK_PUBLIC_URL is not set. Orders are polled every few minutes instead."


def hooks_check(*, store: Connection, now: Clock) -> HookHealth:
    """Look at a store's webhooks, mend what is wrong, and poll what they missed. Result: how they fare, in words; as
    before, where it is left alone."""
    health, _ = HookHealth.objects.get_or_create(connection=store)
    if not settings.EVENSTOCK_PUBLIC_URL:
        health.state, health.message, health.checked_at = State.OFF, OFF, now()
        health.save()
        return health
    log = CallLog(store)
    try:
        webhook_secret_ensure(store=store)
        connector = cast(HookedStore, connection_open(connection=store, log=log, now=now))
        _check(store, connector, health, now)
    except ConnectorError as error:
        if error.code == "busy":  # it was not asked: what was known of its webhooks stands
            return health
        health.state, health.message = State.FAILING, str(error)
        logger.warning("The webhooks of “%s” could not be checked: %s", store.name, error)
    finally:
        log.flush()
    health.checked_at = now()
    health.save()
    return health


def webhook_secret_ensure(*, store: Connection) -> None:
    """Give the connection a webhook secret, unless it has one. It is never shown. The credentials are read anew for it: those at
    hand may be of an address that somebody has changed meanwhile."""
    if store.credentials.get("webhook_secret"):
        return
    with transaction.atomic():
        kept = Connection.objects.select_for_update().get(pk=store.pk)
        if not kept.credentials.get("webhook_secret"):
            kept.credentials = {**kept.credentials, "webhook_secret": secrets.token_hex(32)}
            kept.save(update_fields=["credentials"])
    store.settings, store.credentials = kept.settings, kept.credentials


def hook_address(*, store: Connection) -> str:
    """Result: where that store's webhooks go."""
    return f"{settings.EVENSTOCK_PUBLIC_URL}{reverse('woocommerce-webhook', kwargs={'connection': store.name})}/"


def _check(store: Connection, connector: HookedStore, health: HookHealth, now: Clock) -> None:
    address = hook_address(store=store)
    mark = salted_hmac("evenstock.webhook-secret", store.credentials["webhook_secret"], algorithm="sha256").hexdigest()
    caught_up = inbox_work(store=store, now=now) == "done"  # else what waits there would look lost
    missed = _missed(store, health, now) if caught_up else 0
    found = [hook for hook in connector.hooks() if hook.address in (address, health.address)]
    wrong = _wrong(connector, found, address)
    is_new = health.registered_at is None
    long_enough = health.registered_at is None or now() - health.registered_at >= RENEW_AGAIN
    everything = mark != health.secret_mark or (missed and long_enough)
    renewed = _renew(connector, found, connector.topics if everything else wrong, address)
    health.address, health.secret_mark = address, mark
    since = health.checked_until
    if since is None or caught_up:
        health.checked_until = now() if since is None else max(since, now() - GRACE)
    health.missed, health.missed_in_all = missed, health.missed_in_all + missed
    if renewed:
        health.registered_at = now()
        health.renewals += not is_new
    health.state, health.message = _verdict(wrong=renewed, missed=missed, is_new=is_new, address=address)
    if (renewed and not is_new) or missed:
        logger.warning("Webhooks of “%s”: %s", store.name, health.message)
        orders_poll(store=store, now=now, since=since)


def _missed(store: Connection, health: HookHealth, now: Clock) -> int:
    """Result: orders that changed since the last check, long enough ago, and that only polling told us of. Both times are the
    store's own, so clocks that differ do no harm."""
    if health.checked_until is None:
        return 0
    # The webhook of an order put in the bin carries no state, so it can't be told from a lost one. It moves no stock.
    changed = Order.objects.exclude(status="trash").filter(
        connection=store, modified_at__gt=health.checked_until, modified_at__lte=now() - GRACE
    )
    return changed.filter(Q(told_at=None) | Q(told_at__lt=F("modified_at"))).count()


def _wrong(connector: HookedStore, found: Sequence[Hook], address: str) -> list[str]:
    """Result: the topics that have not exactly one webhook to our address that works."""
    return [
        topic
        for topic in connector.topics
        if [(hook.address, hook.is_active) for hook in found if hook.topic == topic] != [(address, True)]
    ]


def _renew(connector: HookedStore, found: Sequence[Hook], topics: Sequence[str], address: str) -> list[str]:
    """Delete what there is of these topics and make one webhook for each. Result: the topics."""
    for topic in topics:
        for hook in found:
            if hook.topic == topic:
                connector.hook_delete(hook.remote_id)
        connector.hook_create(topic=topic, address=address)
    return list(topics)


def _verdict(*, wrong: Sequence[str], missed: int, is_new: bool, address: str) -> tuple[HookHealth.State, str]:
    if is_new:
        return State.WORKING, f"The shop tells us of orders, at {address}"
    lost = f"Orders that came by polling only: {missed}. " if missed else ""
    if wrong:
        return State.RENEWED, f"{lost}Webhooks were missing, switched off or silent, and were set up anew: {', '.join(wrong)}."
    if missed:
        return State.LOSING, f"{lost}The webhooks are in place, so the shop can't reach {address}, or its cron does not run."
    return State.WORKING, f"The shop tells us of orders, at {address}"
