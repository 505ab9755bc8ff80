"""What must be the same in the sandbox's reply as in the recorded one."""

from typing import Any

from werkzeug.test import TestResponse

from tests.conformance.recordings import Recording

# What no caller of ours reads, and the sandbox doesn't work out.
PRODUCT_IGNORED = {"price_html", "related_ids", "average_rating", "categories", "slug", "generated_slug"}
# Random, or from the machine of the recording.
ORDER_IGNORED = {"order_key", "payment_url", "customer_ip_address", "customer_user_agent", "cart_hash"}
DATES = {"date_created", "date_modified", "date_paid", "date_completed"}
HEADERS = ("X-WP-Total", "X-WP-TotalPages", "Allow", "Content-Type", "Location", "Retry-After")


def same_headers(recording: Recording, response: TestResponse) -> None:
    """The headers a client reads are there with the recorded values, and absent where they were."""
    for name in HEADERS:
        assert response.headers.get(name) == recording.headers.get(name), name
    if "Link" in recording.headers:
        assert recording.headers["Link"] in response.headers.getlist("Link")


def same_product(recorded: dict[str, Any], got: dict[str, Any]) -> None:
    """Every field of a product but the ignored ones is there, and equal; dates too."""
    assert set(got) == set(recorded)
    assert next(iter(got)) == "id" or "id" not in got
    assert cleaned(got, PRODUCT_IGNORED) == cleaned(recorded, PRODUCT_IGNORED)


def same_order(recorded: dict[str, Any], got: dict[str, Any]) -> None:
    """The same for an order. Its dates may differ, but are given or null alike."""
    assert set(got) == set(recorded)
    ignored = ORDER_IGNORED | {name for name in recorded if name.removesuffix("_gmt") in DATES}
    assert cleaned(got, ignored) == cleaned(recorded, ignored)
    for name in ignored & set(recorded):
        assert (got[name] is None) == (recorded[name] is None), name


def cleaned(value: Any, ignored: set[str], *, inside: str = "") -> Any:
    """The value without ignored fields, and without the numbers of meta data."""
    if isinstance(value, list):
        return [cleaned(one, ignored, inside=inside) for one in value]
    if isinstance(value, dict):
        dropped = ignored | ({"id"} if inside == "meta_data" else set())
        return {name: cleaned(one, ignored, inside=name) for name, one in value.items() if name not in dropped}
    return value
