"""What the exports of well-known tills call their columns. A preset is chosen by a person, so its order of preference is a
decision; the aliases of `generic` only propose, so there two matches are an error (columns.py).

Header lists: vendors' help pages and sample exports. QuickBooks' are from second hand. Shops rename columns: any of them can
be overridden by the `columns` setting.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Literal, get_args

Role = Literal["sku", "barcode", "quantity", "tracked", "price", "cost", "name", "category", "vendor", "outlet", "updated"]
ROLES: tuple[Role, ...] = get_args(Role)
PresetName = Literal[
    "generic",
    "square",
    "lightspeed_x",
    "lightspeed_r",
    "shopify_inventory",
    "shopify_products",
    "loyverse",
    "clover",
    "quickbooks",
]


def header_key(header: str) -> str:
    """Result: the header as compared: NFKC, trimmed, case-folded, with spaces, `_` and `-` alike."""
    return re.sub(r"[\s_\-]+", " ", unicodedata.normalize("NFKC", header).lstrip("\ufeff")).strip().casefold()


@dataclass(frozen=True, slots=True)
class Preset:
    """Headers by role. In a strict preset the first header that is there wins; in `generic` two that are there are an error.
    Whether an item is counted is looked for under its usual names (TRACKED) in all of them: no till means stock by such a column.

    `untracked`: quantity cells that say "we don't count this item". `component`: a column that is filled on the further rows
    of a bundle. `row_id`: a column that is empty on continuation rows.
    """

    headers: dict[Role, tuple[str, ...]]
    strict: bool = True
    fallbacks: dict[Role, tuple[str, ...]] = field(default_factory=dict)  # used only where `headers` finds nothing
    outlet_quantity: tuple[str, ...] = ()  # regexes with a group `o`, the outlet's name
    outlet_price: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ("",)
    component: str = ""
    row_id: str = ""
    blank_rows_continue: bool = False  # rows without SKU and quantity carry pictures or options of the row above


TRACKED = (
    "track stock", "tracks stock", "stock tracked", "track inventory", "tracks inventory", "inventory tracked", "track quantity",
    "tracked", "is tracked", "variant inventory tracker", "inventory tracker", "stockable", "is stockable", "is storable",
    "manage stock", "manage stock?", "manages stock", "manage inventory", "is counted",
    "bestand verfolgen", "bestand führen", "bestand überwachen", "bestandsgeführt", "bestandsverfolgung", "lagergeführt",
    "lagerbestand verfolgen", "lagerbestand führen", "lagerartikel",
    "suivi du stock", "suivi de stock", "suivi des stocks", "stock suivi", "suivre le stock", "gérer le stock",
    "seguimiento de inventario", "seguimiento de existencias", "rastrear inventario", "controlar stock", "controlar inventario",
    "gestionar inventario", "gestionar existencias",
    "traccia inventario", "gestisci magazzino", "gestisci scorte",
    "voorraad bijhouden", "voorraad volgen", "voorraadartikel",
    "controlar estoque", "rastrear estoque", "gerir stock",
    "spåra lager", "lagerför", "følg lager", "lagerføres", "śledź stan", "śledź zapasy",
)  # fmt: skip

GENERIC = Preset(
    strict=False,
    headers={
        "sku": (
            "sku", "item sku", "variant sku", "product sku", "custom sku", "product code", "item code", "stock code", "code",
            "article", "artikelnummer", "référence", "alu", "item number", "item no", "item no.",
        ),
        "barcode": ("barcode", "bar code", "ean", "gtin", "upc", "ean13", "ean 13", "system upc", "variant barcode", "upc code"),
        "quantity": (
            "quantity", "qty", "stock", "stock on hand", "on hand", "qoh", "qty on hand", "quantity on hand", "on hand qty",
            "in stock", "available", "current quantity", "current stock", "stock level", "stock quantity", "inventory",
            "bestand", "quantité", "cantidad",
        ),
        "tracked": TRACKED,
        "price": (
            "price", "retail price", "regular price", "variant price", "selling price", "unit price", "retail", "verkaufspreis",
        ),
        "cost": ("cost", "unit cost", "cost price", "supply price", "purchase price", "cost per item", "avg. unit cost",
                 "average cost", "einkaufspreis"),
        "name": ("name", "item name", "product name", "title", "product title", "item", "product", "artikel", "bezeichnung"),
        "category": ("category", "categories", "department", "product category", "product type", "kategorie"),
        "vendor": ("vendor", "supplier", "supplier name", "vendor name", "lieferant"),
        "outlet": ("outlet", "store", "location", "shop", "warehouse", "branch", "outlet name", "store name", "location name"),
        "updated": ("updated", "modified", "last updated", "last modified", "updated at", "timestamp"),
    },
    fallbacks={
        "name": ("description", "item description", "product description"),
        "vendor": ("brand", "brand name", "manufacturer"),
        "price": ("sale price",),
    },
    outlet_quantity=(
        r"inventory_(?P<o>.+)",
        r"current quantity\s+(?P<o>.+)",
        r"in stock \[(?P<o>.+)\]",
        r"(?P<o>.+) - quantity on hand",
        r"qty (?P<o>\d+)",
    ),
)  # fmt: skip

PRESETS: dict[PresetName, Preset] = {
    "generic": GENERIC,
    # Square: "New Quantity" is an instruction for its own import, empty on export; never read.
    "square": Preset(
        headers={
            "sku": ("SKU",), "barcode": ("GTIN",), "price": ("Price",), "name": ("Item Name",),
            "category": ("Category", "Categories"), "quantity": ("Current Quantity",), "vendor": ("Default Vendor Name",),
            "cost": ("Default Unit Cost",),
        },
        outlet_quantity=(r"current quantity\s+(?P<o>.+)",),
    ),
    "lightspeed_x": Preset(
        headers={
            "sku": ("sku",), "price": ("retail_price",), "cost": ("supply_price",), "name": ("name",),
            "category": ("product_category", "type"), "vendor": ("supplier_name", "brand_name"), "barcode": ("barcode",),
        },
        outlet_quantity=(r"inventory_(?P<o>.+)",),
        component="composite_sku",
    ),
    "lightspeed_r": Preset(
        headers={
            "sku": ("Custom SKU", "Manufact. SKU", "System ID"), "barcode": ("UPC", "EAN"), "price": ("Price", "Default Price"),
            "name": ("Item", "Description"), "category": ("Category",), "vendor": ("Vendor", "Brand"),
            "quantity": ("Quantity on Hand", "Qty."), "cost": ("Default Cost", "Unit Cost"),
        },
        outlet_quantity=(r"(?P<o>.+) - quantity on hand",),
    ),
    # Shopify: "On hand (new)" is an instruction for its own import; never read.
    "shopify_inventory": Preset(
        headers={
            "sku": ("SKU",), "name": ("Title",), "outlet": ("Location",),
            "quantity": ("On hand (current)", "On hand", "Available (not editable)", "Available"),
        },
        untracked=("", "not stocked"),
    ),
    "shopify_products": Preset(
        headers={
            "sku": ("Variant SKU", "SKU"), "barcode": ("Variant Barcode", "Barcode"), "price": ("Variant Price", "Price"),
            "cost": ("Cost per item",), "name": ("Title",), "category": ("Product Category", "Type"), "vendor": ("Vendor",),
            "quantity": ("Variant Inventory Qty", "Inventory quantity"),
        },
        blank_rows_continue=True,
    ),
    "loyverse": Preset(
        headers={
            "sku": ("SKU",), "barcode": ("Barcode",), "price": ("Price",), "cost": ("Cost",), "name": ("Name",),
            "category": ("Category",), "quantity": ("In stock",),
        },
        outlet_quantity=(r"in stock \[(?P<o>.+)\]",),
        outlet_price=(r"price \[(?P<o>.+)\]",),
        component="SKU of included item",
    ),
    "clover": Preset(
        headers={
            "sku": ("SKU", "Product Code"), "barcode": ("Product Code",), "price": ("Price",), "cost": ("Cost",),
            "name": ("Name",), "category": ("Labels", "Categories"), "quantity": ("Quantity",),
        },
        row_id="Clover ID",
    ),
    "quickbooks": Preset(
        headers={
            "sku": ("Item Number", "Alternate Lookup (ALU)", "Alternate Lookup"), "barcode": ("UPC",),
            "price": ("Regular Price",), "cost": ("Avg. Unit Cost", "Average Unit Cost"), "name": ("Item Name",),
            "category": ("Department", "Department Name"), "vendor": ("Vendor", "Vendor Name"),
            "quantity": ("On-Hand Qty", "Qty On Hand"),
        },
        outlet_quantity=(r"qty (?P<o>\d+)",),
    ),
}  # fmt: skip
KNOWN_NAMES = frozenset(
    header_key(name)
    for preset in PRESETS.values()
    for names in (*preset.headers.values(), *preset.fallbacks.values())
    for name in names
)
NO_PRICE = frozenset({"variable", "n/a", "-"})  # a price cell that says there is no fixed price: unknown, and no fault
