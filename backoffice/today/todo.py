"""What needs a person now, worst first: a few rows, each with one obvious button."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString

from alerts.channels.email import mail_is_set
from alerts.models import Alert, Channel
from alerts.rules.words import Code, Severity
from backoffice.setup.rows import rows_read
from backoffice.setup.steps import paths
from connectors.contract import Side
from connectors.models import Connection
from kit.admin.parts import badge
from kit.words import counted
from reporting.selectors import Tallies
from sync.models import SyncConflict, SyncRun

ROWS = 5  # of each sort
MANY = 200  # open conflicts; with more, only the worst class is looked through
# These alerts are about conflicts and held runs, which have rows of their own; stock that runs low is for ordering, not for now.
TOLD_APART = frozenset({Code.CRITICAL_DRIFT, Code.DISCREPANCY, Code.HELD_RUN, Code.LOW_STOCK, Code.OUT_OF_STOCK})
CLASSES = (SyncConflict.Class.CRITICAL, SyncConflict.Class.MAJOR, SyncConflict.Class.MINOR)
TONES = {SyncConflict.Class.CRITICAL: "bad", SyncConflict.Class.MAJOR: "warn", SyncConflict.Class.MINOR: "mute"}


@dataclass(frozen=True, slots=True)
class Todo:
    """One thing that needs a person."""

    key: str
    verdict: SafeString
    title: str
    sentence: str
    url: str
    button: str
    is_urgent: bool


def todo_of(
    *, user: User | AnonymousUser, runs: Iterable[SyncRun], tallies: Tallies, connections: Iterable[Connection], now: datetime
) -> list[Todo]:
    """Result: what this reader may look at, and should. At most two statements; more while no shop is live."""
    found: list[Todo] = []
    is_live = any(one.side == Side.STORE and one.is_live for one in connections)
    if user.has_perm("connectors.view_connection") and not is_live:
        found += _set_up(now)
    if user.has_perm("sync.view_syncrun"):
        found += [_held(run, may=user.has_perm("sync.release_run")) for run in runs if run.state == SyncRun.State.HELD][:ROWS]
    if user.has_perm("sync.view_syncconflict") and tallies.count("open"):
        may = user.has_perm("sync.resolve_conflict")
        found += [_conflict(conflict, may=may) for conflict in _worst_conflicts(tallies)]
    if user.has_perm("alerts.view_alert") and tallies.count("alerts"):
        alerts = Alert.objects.filter(state=Alert.State.OPEN, severity__gte=Severity.HIGH).exclude(rule__in=TOLD_APART)
        found += [_alert(alert) for alert in alerts[:ROWS]]
    if user.has_perm("sync.view_pricereview") and (waiting := tallies.count("prices")):
        found.append(_prices(waiting, may=user.has_perm("sync.decide_price")))
    if user.has_perm("alerts.add_channel") and not tallies.count("channels"):
        found.append(_nobody_is_told())
    return sorted(found, key=lambda one: not one.is_urgent)


def _set_up(now: datetime) -> Iterator[Todo]:
    """Result: the next step of setting up, as long as no shop is live."""
    path = paths(rows_read(now=now))[0]
    if step := path.step_next:
        yield Todo(
            key="set-up",
            verdict=step.state.badge,
            title=f"Set up {f'“{path.store}”' if path.store else 'your shop'}: {step.title[0].lower()}{step.title[1:]}",
            sentence=step.sentence,
            url=reverse("admin:setup"),
            button="Go on" if path.store else "Begin",
            is_urgent=True,
        )


def _worst_conflicts(tallies: Tallies) -> Sequence[SyncConflict]:
    rows = SyncConflict.objects.filter(resolved_at=None).select_related(
        "alignment__item", "alignment__listing", "listing__connection"
    )
    if tallies.count("open") > MANY:
        worst = next(one for one in CLASSES if tallies.count("open", None, one))
        return list(rows.filter(drift_class=worst)[:ROWS])
    return sorted(rows, key=lambda conflict: CLASSES.index(SyncConflict.Class(conflict.drift_class)))[:ROWS]


def _conflict(conflict: SyncConflict, *, may: bool) -> Todo:
    size = SyncConflict.Class(conflict.drift_class)
    return Todo(
        key=f"conflict-{conflict.pk}",
        verdict=badge(size.label, TONES[size]),
        title=_name(conflict),
        sentence=_sides(conflict),
        url=reverse("admin:sync_syncconflict_change", args=[conflict.pk]),
        button="Decide" if may else "Look",
        is_urgent=size == SyncConflict.Class.CRITICAL,
    )


def _name(conflict: SyncConflict) -> str:
    pair = conflict.alignment
    if pair:
        return pair.item.name or pair.listing.name or pair.item.sku
    return (conflict.listing.name or str(conflict.listing)) if conflict.listing else "A product"


def _sides(conflict: SyncConflict) -> str:
    """Result: what both sides say, and what is known of it."""
    if conflict.pos_value and conflict.woo_value:
        return f"Till says {conflict.pos_value}, shop says {conflict.woo_value}. {conflict.why}"
    return conflict.why or conflict.get_conflict_type_display()


def _held(run: SyncRun, *, may: bool) -> Todo:
    return Todo(
        key=f"run-{run.pk}",
        verdict=badge("Held", "warn"),
        title=f"{run.get_kind_display().split(':')[0]} sync of {run.store}",
        sentence=" ".join(str(reason) for reason in run.held_for) or "It waits for a decision.",
        url=reverse("admin:sync_syncrun_change", args=[run.pk]),
        button="Review" if may else "Look",
        is_urgent=True,
    )


def _prices(waiting: int, *, may: bool) -> Todo:
    return Todo(
        key="prices",
        verdict=badge("Price", "warn"),
        title=counted(waiting, "price change waits", "price changes wait"),
        sentence="They jump, or earn too little, so nothing is written before somebody has looked.",
        url=reverse("admin:sync_pricereview_changelist"),
        button="Decide" if may else "Look",
        is_urgent=False,
    )


def _nobody_is_told() -> Todo:
    """Result: who may add the first channel is asked to. Who is to be told is never guessed at."""
    can_mail = mail_is_set()
    how = "Mail can be sent: say to whom." if can_mail else "Add a webhook; or set EVENSTOCK_MAIL_URL, then say who gets mail."
    return Todo(
        key="channel",
        verdict=badge("Set up", "warn"),
        title="No way to reach people is set up",
        sentence=f"Alerts are on these pages only. {how}",
        url=reverse("admin:alerts_channel_add") + (f"?kind={Channel.Kind.EMAIL}" if can_mail else ""),
        button="Add a channel",
        is_urgent=False,
    )


def _alert(alert: Alert) -> Todo:
    is_urgent = alert.severity >= Severity.CRITICAL
    return Todo(
        key=f"alert-{alert.pk}",
        verdict=badge(alert.get_severity_display(), "bad" if is_urgent else "warn"),
        title=alert.title,
        sentence=f"{alert.words} {alert.next_step}".strip(),
        url=_page_of(alert),
        button="Look",
        is_urgent=is_urgent,
    )


def _page_of(alert: Alert) -> str:
    try:
        return reverse("admin:alerts_alert_change", args=[alert.pk])
    except NoReverseMatch:  # its pages are not there in every installation
        return reverse("admin:index")
