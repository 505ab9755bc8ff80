"""Words, tones and links for alerts."""

from django.urls import reverse
from django.utils.safestring import SafeString

from alerts.channels.message import SHOWN
from alerts.models import Alert, Notification
from alerts.rules.words import Code
from kit.admin.parts import badge

SEVERITY_TONES = {40: "bad", 30: "warn", 20: "warn", 10: "mute"}
STATE_TONES = {
    Alert.State.OPEN: "warn",
    Alert.State.SNOOZED: "mute",
    Alert.State.RESOLVED: "ok",
    Alert.State.GONE: "ok",
}
MESSAGE_TONES = {
    Notification.State.PENDING: "info",
    Notification.State.SENDING: "info",
    Notification.State.SENT: "ok",
    Notification.State.HELD: "bad",
    Notification.State.DROPPED: "mute",
}
# Where a rule's cause is looked at: the list of an admin page, filtered by one connection where it can be.
PAGES = {
    Code.NEGATIVE_STOCK: ("Its stock", "inventory_item", "item"),
    Code.OUT_OF_STOCK: ("Its stock", "inventory_item", "item"),
    Code.LOW_STOCK: ("Its stock", "inventory_item", "item"),
    Code.PRICE_GAP: ("The shop's product", "inventory_listing", "listing"),
    Code.WRITE_REFUSED: ("The shop's product", "inventory_listing", "listing"),
    Code.DISCREPANCY: ("The shop's product", "inventory_listing", "listing"),
    Code.SYNC_FAILED: ("The run", "sync_syncrun", "run"),
    Code.SYNC_FAILED_AGAIN: ("The last run", "sync_syncrun", "run"),
    Code.HELD_RUN: ("The held run", "sync_syncrun", "run"),
}
LISTS = {
    Code.CRITICAL_DRIFT: ("Conflicts", "sync_syncconflict"),
    Code.MISSING_DATA: ("Conflicts", "sync_syncconflict"),
    Code.DISCREPANCY: ("Sync states", "sync_syncstate"),
    Code.MISSING_ALIGNMENT: ("Listings without a partner", "inventory_listing"),
    Code.WRITE_REFUSED: ("Outbound writes", "sync_outboundwrite"),
    Code.WRITES_UNANSWERED: ("Outbound writes", "sync_outboundwrite"),
    Code.EVENT_FAILED: ("Webhooks", "sync_inboundevent"),
    Code.QUEUE_BACKING_UP: ("Webhooks", "sync_inboundevent"),
    Code.WEBHOOK_TROUBLE: ("Webhook health", "sync_hookhealth"),
    Code.TILL_FILE_LATE: ("Till feeds", "sync_tillfeed"),
    Code.HELD_RUN: ("Till feeds", "sync_tillfeed"),
    Code.PRICE_GAP: ("Price reviews", "sync_pricereview"),
}
QUERIES = {
    Code.MISSING_ALIGNMENT: "?partner=none",
    Code.EVENT_FAILED: "?state__exact=failed",
    Code.WRITES_UNANSWERED: "?state__exact=unknown",
}


def severity_badge(severity: int) -> SafeString:
    """Result: a severity as colour, sign and word."""
    return badge(SHOWN[severity][1], SEVERITY_TONES[severity])


def state_badge(alert: Alert) -> SafeString:
    """Result: how an alert stands."""
    state = Alert.State(alert.state)
    if state == Alert.State.RESOLVED and alert.cause_gone_at is None:
        return badge("Resolved, cause still there", "info")
    return badge(state.label.split(" by ")[0] if state == Alert.State.RESOLVED else state.label, STATE_TONES[state])


def alert_links(alert: Alert) -> list[tuple[str, str]]:
    """Result: where to look at its cause, and where to do something about it."""
    links: list[tuple[str, str]] = []
    if page := PAGES.get(alert.code):
        words, view, field = page
        if pk := getattr(alert, f"{field}_id"):
            links.append((words, reverse(f"admin:{view}_change", args=[pk])))
    conflict = alert.figures.get("conflict") if isinstance(alert.figures, dict) else None
    if conflict and alert.cause_gone_at is None:
        links.append(("Its conflict", reverse("admin:sync_syncconflict_change", args=[conflict])))
    if listed := LISTS.get(alert.code):
        words, view = listed
        links.append((words, reverse(f"admin:{view}_changelist") + QUERIES.get(alert.code, "")))
    if alert.connection_id:
        links.append(("The connection", reverse("admin:connectors_connection_change", args=[alert.connection_id])))
    return links
