"""Every page there is, by name: a model that is registered later has its pages here without anybody's doing."""

from django.contrib import admin
from django.urls import NoReverseMatch, reverse

from tests.browser.server import ServedShop

ALONE = {
    "today": "/admin/",
    "password": "/admin/password_change/",
    "sync now": "/admin/sync/syncrun/new/",
    "report": "/admin/reporting/dailymetric/report/?period=weekly",
    "reconciliation": "/admin/reporting/dailymetric/report/?period=monthly&part=reconciliation",
    "import": "/admin/alignment/alignment/import/",
    "review matches": "/admin/alignment/alignment/review/",
    "set-up": "/admin/setup/",
    "add a shop": "/admin/setup/add/woocommerce/",
    "add a till": "/admin/setup/add/pos_csv/",
    "connect": "/admin/connectors/connection/add/",
    "connect a shop": "/admin/connectors/connection/add/?kind=woocommerce",
    "why a number": "/admin/why/?q=flora",
    "search without result": "/admin/inventory/item/?q=nothing+is+called+this",
    "conflicts settled": "/admin/sync/syncconflict/?state=all",
    "conflicts left": "/admin/sync/syncconflict/?state=left",
    "missing page": "/admin/inventory/item/999999/change/",
}
OF_ONE = {  # views of one row beside Django's own: SQL for the row, then the view's name
    "settle a conflict": (
        "select id from sync_syncconflict where resolved_at is null",
        "sync_syncconflict_settle",
        "?winner=pos",
    ),
    "count a shelf": ("select id from sync_syncconflict where resolved_at is null", "sync_syncconflict_settle", "?winner=count"),
    "one open conflict": ("select id from sync_syncconflict where resolved_at is null", "sync_syncconflict_change", ""),
    "one settled conflict": ("select id from sync_syncconflict where resolved_by_id > 0", "sync_syncconflict_change", ""),
    "test of a connection": ("select id from connectors_connection where kind = 'woocommerce'", "setup_connection", ""),
    "sample export": ("select id from connectors_connection where kind = 'pos_csv'", "setup_sample", ""),
    "go-live report": ("select id from connectors_connection where kind = 'woocommerce'", "setup_report", ""),
    "release a run": ("select id from sync_syncrun where state = 'held'", "sync_syncrun_release", ""),
    "why the shop shows this": (
        "select listing_id from alignment_alignment where id in (select alignment_id from sync_syncconflict)",
        "inventory_listing_why",
        "",
    ),
    "why so many": ("select item_id from alignment_alignment order by id", "inventory_item_why", ""),
    "why, of no item": ("select id from inventory_listing where remote_id = 9000", "inventory_listing_why", ""),
    "why, at no moment": ("select item_id from alignment_alignment order by id", "inventory_item_why", "?at=never"),
    "held run": ("select id from sync_syncrun where state = 'held'", "sync_syncrun_change", ""),
    "held export": ("select id from sync_tillfeed where state = 'held'", "sync_tillfeed_change", ""),
    "run with problems": ("select id from sync_syncrun where state = 'partial'", "sync_syncrun_change", ""),
}


def pages(shop: ServedShop) -> dict[str, str]:
    """Result: name → path, for somebody who may do everything."""
    found = dict(ALONE)
    for name, (rows, view, query) in OF_ONE.items():
        if ids := shop.ask(rows):
            found[name] = reverse(f"admin:{view}", args=[ids[0][0]]) + query
    for model in sorted(admin.site._registry, key=lambda model: model._meta.label_lower):
        found |= _of(shop, model)
    return found


def _of(shop: ServedShop, model: type) -> dict[str, str]:
    meta = model._meta
    label, base = meta.label_lower, f"admin:{meta.app_label}_{meta.model_name}"
    found = {f"{label} list": reverse(f"{base}_changelist")}
    ids = shop.ask(f"select max({meta.pk.column}) from {meta.db_table}")  # noqa: S608 - names of our own tables
    if ids and ids[0][0] is not None:
        found[f"{label} page"] = reverse(f"{base}_change", args=[ids[0][0]])
        found[f"{label} history"] = reverse(f"{base}_history", args=[ids[0][0]])
    try:
        if admin.site._registry[model].has_add_permission.__qualname__.startswith(("ModelAdmin", "BaseModelAdmin")):
            found[f"{label} add"] = reverse(f"{base}_add")
    except NoReverseMatch:
        pass
    return found
