"""The admin's navigation, by a manager's tasks. A page belongs to the task of its model; what nobody has placed is under More."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.apps import apps
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.text import capfirst

LIMIT = 999  # a count is “999+” from there on: nobody needs it more exactly


@dataclass(frozen=True, slots=True)
class Task:
    """One entry of the navigation: its pages are models (`app.model`, `app.*`), or views (`view:admin:name`). The first one that
    may be seen is where the entry leads; the others are tabs beside it."""

    label: str
    pages: Sequence[str]
    counts: str = ""  # of what a number is shown
    tone: str = "warn"
    is_setup: bool = False


TASKS = (
    Task("Today", ("view:admin:index",)),
    Task("Conflicts", ("sync.syncconflict",), counts="conflicts", tone="bad"),
    Task("Alerts", ("alerts.alert", "alerts.notification"), counts="alerts", tone="bad"),
    Task("Alignment", ("alignment.alignment",), counts="proposals"),
    Task(
        "Stock",
        (
            *("sync.syncstate", "inventory.stocklevel", "inventory.movement", "inventory.item", "inventory.listing"),
            "view:admin:why",
        ),
    ),
    Task("Orders", ("sync.order", "sync.inboundevent", "sync.hookhealth")),
    Task("Prices", ("sync.pricereview", "sync.pricewrite", "sync.tillprice", "sync.pricepolicy"), counts="prices"),
    Task(
        "Runs",
        ("sync.syncrun", "sync.outboundwrite", "sync.tillfeed", "sync.synclog", "sync.runproblem", "sync.putoff"),
        counts="held",
    ),
    Task(
        "Reports",
        ("view:admin:reporting_dailymetric_report", "reporting.dailymetric", "reporting.reportmail", "reporting.*"),
    ),
    Task("Set-up", ("view:admin:setup",), is_setup=True),
    Task("Connections", ("connectors.connection", "connectors.apicall"), is_setup=True),
    Task("Supply", ("alignment.storelocation", "inventory.location"), is_setup=True),
    Task("Rules", ("sync.syncpolicy", "alerts.threshold", "alerts.channel"), is_setup=True),
    Task(
        "Schedule",
        ("django_celery_beat.periodictask", "jobs.jobslot", "jobs.heartbeat", "django_celery_beat.*", "django_celery_results.*"),
        is_setup=True,
    ),
    Task("People", ("auth.user", "auth.group", "axes.accessattempt", "admin.logentry"), is_setup=True),
    Task("More", ("*",), is_setup=True),
)

# Where a model's own name says less than it could.
LABELS = {
    "view:admin:setup": "Set-up",
    "sync.syncstate": "In step",
    "inventory.stocklevel": "On the shelf",
    "inventory.item": "Till items",
    "inventory.listing": "Shop products",
    "alignment.alignment": "Alignment",
    "sync.syncrun": "Runs",
    "sync.outboundwrite": "Writes",
    "sync.tillfeed": "Till exports",
    "sync.synclog": "Changed values",
    "sync.runproblem": "Problems",
    "sync.hookhealth": "Webhook health",
    "alignment.storelocation": "Supply",
    "reporting.dailymetric": "Daily figures",
    "connectors.apicall": "Requests",
    "django_celery_beat.periodictask": "Schedule",
    "django_celery_results.taskresult": "Jobs done",
    "auth.user": "People",
    "auth.group": "Roles",
    "admin.logentry": "What people did",
    "axes.accessattempt": "Failed logins",
    "alerts.notification": "Messages",
    "view:admin:why": "Why a number",
    "view:admin:reporting_dailymetric_report": "Reports",
    "reporting.reportmail": "By mail",
}

# Whose rows a view shows: who may not look at them has no way there.
SHOWS = {
    "view:admin:why": "inventory.movement",
    "view:admin:reporting_dailymetric_report": "reporting.dailymetric",
    "view:admin:setup": "connectors.connection",
}
# Views that have the tabs of their task, as lists have.
TABBED = frozenset({"view:admin:reporting_dailymetric_report", "view:admin:why"})


@dataclass(frozen=True, slots=True)
class Page:
    """A place to go to. `is_current`: the reader is there, or on a page below it."""

    label: str
    url: str
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One task as this reader sees it."""

    label: str
    url: str
    pages: Sequence[Page]
    is_current: bool
    is_setup: bool
    count: str
    tone: str


@dataclass(frozen=True, slots=True)
class Navigation:
    entries: Sequence[Entry]
    heading: str  # of a list, as the navigation calls it
    is_list: bool
    object_url: str  # of the row a page is about, where it is not that row's own page

    @property
    def tasks(self) -> list[Entry]:
        return [entry for entry in self.entries if not entry.is_setup]

    @property
    def setup(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.is_setup]

    @property
    def current(self) -> Entry | None:
        return next((entry for entry in self.entries if entry.is_current), None)

    @property
    def current_page(self) -> Page | None:
        entry = self.current
        return next((page for page in entry.pages if page.is_current), None) if entry else None


def navigation(*, site: AdminSite, request: HttpRequest, counts: Mapping[str, int]) -> Navigation:
    """Result: what this reader may go to, and where it is now."""
    here = request.resolver_match.url_name or "" if request.resolver_match else ""
    registered = site._registry.items()  # noqa: SLF001 - the site's only list of its pages
    may = [model._meta.label_lower for model, admin in registered if admin.has_view_permission(request)]  # noqa: SLF001 - Django's own way
    placed = _placed(may)
    current = _current(here, [page for pages in placed.values() for page in pages])
    entries = []
    for task in TASKS:
        pages = [_page(name, is_current=name == current) for name in placed[task.label]]
        shown = [page for page in pages if page.url]
        if shown:
            entries.append(_entry(task, shown, counts))
    is_list = here.endswith("_changelist") or current in TABBED
    return Navigation(entries, _label(current) if is_list and current else "", is_list, _object_url(request, here, current))


def _placed(labels: Collection[str]) -> dict[str, list[str]]:
    """Result: by task, its pages in order; each model once."""
    left = dict.fromkeys(sorted(labels))
    placed: dict[str, list[str]] = {}
    for task in TASKS:
        placed[task.label] = found = []
        for wanted in task.pages:
            if wanted.startswith("view:"):
                found += [wanted] if wanted not in SHOWS or SHOWS[wanted] in labels else []
                continue
            for label in list(left):
                if label == wanted or wanted == "*" or (wanted.endswith(".*") and label.startswith(wanted[:-1])):
                    found.append(label)
                    del left[label]
    return placed


def _current(here: str, names: Sequence[str]) -> str:
    """Result: the page that the view named `here` belongs to: views of a model begin with app and model."""
    fitting = [name for name in names if _begins(here, name)]
    return max(fitting, key=len, default="")


def _begins(here: str, name: str) -> bool:
    if name.startswith("view:"):
        view = name.rsplit(":", 1)[-1]
        return here == view or here.startswith(f"{view}_")
    return here.startswith(f"{name.replace('.', '_')}_")


def _label(name: str) -> str:
    if name in LABELS:
        return LABELS[name]
    return capfirst(str(apps.get_model(name)._meta.verbose_name_plural))  # noqa: SLF001 - Django's own way


def _page(name: str, *, is_current: bool) -> Page:
    """Result: the page; without an address where there is no such view."""
    if name.startswith("view:"):
        label, address = LABELS.get(name, ""), name.removeprefix("view:")
    else:
        label, address = _label(name), f"admin:{name.replace('.', '_')}_changelist"
    try:
        return Page(label, reverse(address), is_current)
    except NoReverseMatch:
        return Page(label, "", is_current)


def _entry(task: Task, pages: Sequence[Page], counts: Mapping[str, int]) -> Entry:
    number = counts.get(task.counts, 0)
    said = "" if not number else f"{LIMIT}+" if number > LIMIT else str(number)
    is_current = any(page.is_current for page in pages)
    return Entry(task.label, pages[0].url, pages, is_current, task.is_setup, said, task.tone)


def _object_url(request: HttpRequest, here: str, current: str) -> str:
    key = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
    if not key or not current or current.startswith("view:") or here.endswith("_change"):
        return ""
    try:
        return reverse(f"admin:{current.replace('.', '_')}_change", args=[key])
    except NoReverseMatch:
        return ""
