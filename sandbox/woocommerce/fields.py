"""A product as JSON. Each field is a function, so that a request for three fields costs three fields."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from sandbox.woocommerce.catalogue import Catalogue
from sandbox.woocommerce.product import Product

ITEM_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class View:
    """What rendering needs to know besides the product: the address asked, and whether this answers a write."""

    def __init__(self, catalogue: Catalogue, *, base: str, written: bool = False) -> None:
        self.catalogue, self.base, self.written = catalogue, base, written
        self.rest = f"{base}/wp-json/wc/v3"
        self.local, self.gmt = catalogue.clock.local, catalogue.clock.gmt


class Seen(NamedTuple):
    """A field that needs the view, too."""

    of: Callable[[Product, View], Any]


Field = Callable[[Product], Any] | Seen


def _always(**values: Any) -> dict[str, Field]:
    """Fields that hold the same for every product of the sandbox."""
    return {name: _constant(value) for name, value in values.items()}


def _constant(value: Any) -> Field:
    return lambda _product: value


def _slug(text: str) -> str:
    return "-".join(word for word in "".join(c if c.isalnum() else " " for c in text.lower()).split())


def _permalink(product: Product, view: View) -> str:
    if product.parent:
        return f"{view.base}/product/{_slug(product.parent.name)}/?attribute_size={product.name}"
    return f"{view.base}/product/{_slug(product.name)}/"


def _manages(product: Product, view: View) -> bool | str:
    if not view.catalogue.manage_stock:
        return False
    if product.manage_stock:
        return True
    return "parent" if product.stock_holder else False


def _price_html(product: Product) -> str:
    if product.price == "":
        return ""
    return (
        '<span class="woocommerce-Price-amount amount"><bdi><span class="woocommerce-Price-currencySymbol">'
        f"&euro;</span>{float(product.price):.2f}</bdi></span>"
    )


def _categories(product: Product) -> list[dict[str, Any]]:
    if product.parent:
        return []
    names = product.categories or ("Uncategorized",)
    return [{"id": 15 + sum(map(ord, name)) % 900, "name": name, "slug": _slug(name)} for name in names]


def _attributes(product: Product) -> list[dict[str, Any]]:
    if product.parent:
        return [{"id": 0, "name": "Size", "slug": "size", "option": product.name}]
    if product.type != "variable":
        return []
    options = [child.name for child in product.children]
    return [{"id": 0, "name": "Size", "slug": "Size", "position": 0, "visible": True, "variation": True, "options": options}]


def _cost(product: Product) -> dict[str, Any]:
    own = product.cost or 0
    values = [{"defined_value": product.cost, "effective_value": own}]
    if product.parent is None:
        return {"values": values, "total_value": own}
    inherited = product.parent.cost or 0
    total = own + inherited if product.cost_is_additive else (own if product.cost is not None else inherited)
    return {"values": values, "total_value": total, "defined_value_is_additive": product.cost_is_additive}


def _meta(product: Product) -> list[dict[str, Any]]:
    return [{"id": row.id, "key": row.key, "value": row.value} for row in product.meta]


def _links(product: Product, view: View) -> dict[str, Any]:
    links: dict[str, Any] = {
        "self": [{"href": f"{view.rest}/products/{product.id}", "targetHints": {"allow": ITEM_METHODS}}],
        "collection": [{"href": f"{view.rest}/products"}],
    }
    if product.parent:
        links["up"] = [{"href": f"{view.rest}/products/{product.parent_id}"}]
    return links


def _variation_links(product: Product, view: View) -> dict[str, Any]:
    collection = f"{view.rest}/products/{product.parent_id}/variations"
    return {
        "self": [{"href": f"{collection}/{product.id}", "targetHints": {"allow": ITEM_METHODS}}],
        "collection": [{"href": collection}],
        "up": [{"href": f"{view.rest}/products/{product.parent_id}"}],
    }


_DATES: dict[str, Field] = {
    "date_created": Seen(lambda p, v: v.local(p.created)),
    "date_created_gmt": Seen(lambda p, v: v.gmt(p.created)),
    "date_modified": Seen(lambda p, v: v.local(p.modified)),
    "date_modified_gmt": Seen(lambda p, v: v.gmt(p.modified)),
}
_SALE_DATES: dict[str, Field] = {
    **_always(date_on_sale_from=None, date_on_sale_from_gmt=None, date_on_sale_to=None, date_on_sale_to_gmt=None),
    "on_sale": lambda p: p.on_sale,
}
_PRICES: dict[str, Field] = {
    "price": lambda p: p.price,
    "regular_price": lambda p: p.regular_price,
    "sale_price": lambda p: p.sale_price,
}
_DOWNLOADS: dict[str, Field] = {
    **_always(virtual=False, downloadable=False, downloads=[], download_limit=-1, download_expiry=-1),
}
_BACKORDERS: dict[str, Field] = {
    "backorders": lambda p: p.shown_backorders,
    "backorders_allowed": lambda p: p.shown_backorders != "no",
    "backordered": lambda p: p.shown_backorders != "no" and (p.shown_quantity or 0) < 0,
    "low_stock_amount": lambda p: p.low_stock_amount,
}
_SIZE: dict[str, Field] = {
    **_always(weight="", dimensions={"length": "", "width": "", "height": ""}),
}

PRODUCT: dict[str, Field] = {
    "id": lambda p: p.id,
    "name": lambda p: p.full_name,
    "slug": lambda p: _slug(p.full_name),
    "permalink": Seen(_permalink),
    **_DATES,
    "type": lambda p: p.type,
    "status": lambda p: p.status,
    **_always(featured=False, catalog_visibility="visible", description="", short_description=""),
    "sku": lambda p: p.sku,
    **_PRICES,
    **_SALE_DATES,
    "purchasable": lambda p: p.price != "",
    "total_sales": lambda p: str(p.total_sales) if p.parent else p.total_sales,
    **_DOWNLOADS,
    **_always(external_url="", button_text="", tax_status="taxable", tax_class=""),
    "manage_stock": Seen(_manages),
    "stock_quantity": lambda p: p.shown_quantity,
    **_BACKORDERS,
    **_always(sold_individually=False),
    **_SIZE,
    **_always(shipping_required=True, shipping_taxable=True, shipping_class="", shipping_class_id=0),
    "reviews_allowed": lambda p: p.parent is None,
    **_always(average_rating="0.00", rating_count=0, upsell_ids=[], cross_sell_ids=[]),
    "parent_id": lambda p: p.parent_id,
    **_always(purchase_note=""),
    "categories": _categories,
    **_always(brands=[], tags=[], images=[]),
    "attributes": _attributes,
    **_always(default_attributes=[]),
    "variations": lambda p: [child.id for child in p.children],
    **_always(grouped_products=[]),
    "menu_order": lambda p: p.menu_order,
    "price_html": _price_html,
    **_always(related_ids=[]),
    "meta_data": _meta,
    "stock_status": lambda p: p.stock_status,
    "has_options": lambda p: p.type == "variable",
    **_always(post_password=""),
    "global_unique_id": lambda p: p.global_unique_id,
}
VARIATION: dict[str, Field] = {
    "id": lambda p: p.id,
    **_always(type="variation"),
    **_DATES,
    **_always(description=""),
    "permalink": Seen(_permalink),
    "sku": lambda p: p.sku,
    "global_unique_id": lambda p: p.global_unique_id,
    **_PRICES,
    **_SALE_DATES,
    "status": lambda p: p.status,
    "purchasable": lambda p: p.price != "",
    **_DOWNLOADS,
    **_always(tax_status="taxable"),
    "tax_class": Seen(lambda _p, v: "parent" if v.written else ""),
    "manage_stock": Seen(_manages),
    "stock_quantity": lambda p: p.shown_quantity,
    "stock_status": lambda p: p.stock_status,
    **_BACKORDERS,
    **_SIZE,
    **_always(shipping_class="", shipping_class_id=0, image=None),
    "attributes": _attributes,
    "menu_order": lambda p: p.menu_order,
    "meta_data": _meta,
    "name": lambda p: p.name,
    "parent_id": lambda p: p.parent_id,
}


class Renderer:
    """Turns products into rows of JSON: all fields, or those named in `wanted`."""

    def __init__(self, view: View, *, variations: bool, wanted: str = "", shop_wide: bool = False, linked: bool = False) -> None:
        self._view = view
        known = dict(VARIATION if variations else PRODUCT)
        if view.written and not variations:  # a reply to a write is in the context "edit"
            known["permalink_template"] = Seen(lambda _p, v: f"{v.base}/product/%pagename%/")
            known["generated_slug"] = lambda p: _slug(p.full_name)
        if view.catalogue.cost_enabled:
            known["cost_of_goods_sold"] = _cost
        known["_links"] = Seen(_shop_wide_links if shop_wide else (_variation_links if variations else _links))
        names = {name.strip().split(".")[0] for name in wanted.split(",") if name.strip()}
        if names and linked:  # `_fields` trims the links of a list's rows, not those of a single thing (v_m06b)
            names.add("_links")
        self._fields = [(name, self._bound(field)) for name, field in known.items() if not names or name in names]

    def _bound(self, field: Field) -> Callable[[Product], Any]:
        if not isinstance(field, Seen):
            return field
        of, view = field.of, self._view
        return lambda product: of(product, view)

    def rows(self, products: Iterable[Product]) -> list[dict[str, Any]]:
        """Result: one object for each product."""
        fields = self._fields
        return [{name: field(product) for name, field in fields} for product in products]

    def row(self, product: Product) -> dict[str, Any]:
        """Result: the object of one product."""
        return self.rows((product,))[0]


def _shop_wide_links(product: Product, view: View) -> dict[str, Any]:
    return {
        "self": [{"href": f"{view.rest}/variations/{product.id}"}],
        "collection": [{"href": f"{view.rest}/variations"}],
        "up": [{"href": f"{view.rest}/products/0"}],
    }
