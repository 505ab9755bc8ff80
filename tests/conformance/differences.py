"""Recordings the sandbox does not replay, each with the reason. Nothing of it is used by our client."""

V4 = "WooCommerce hides its v4 API unless a shop switches it on; we use v3 only."
CACHE = "The caching feature is off by default and saves the store nothing (woocommerce_answers.md 35); we send no If-None-Match."
CATALOG = "A catalogue file for WooCommerce's own point of sale; written by a cron job, complete only later."

DIFFERENCES: dict[str, str] = {
    "10.2/e15_delivery_latency_wpcron": "Seconds that passed on one machine. `hooks.latency` plays any of them.",
    "10.5/v_a15_variations_options": "The description of a route's parameters; the sandbox answers no OPTIONS.",
    "10.5/v_g02_caching_feature_on_list": CACHE,
    "10.5/v_g03_if_none_match_304": CACHE,
    "10.5/v_g03b_if_none_match_304_no_fields": CACHE,
    "10.5/v_g03c_single_304": CACHE,
    "10.5/v_g03d_single_fields_304": CACHE,
    "10.5/v_g04_if_none_match_after_change": CACHE,
    "10.5/v_g05_variations_etag": CACHE,
    "10.5/v_g05b_product_variations_etag": CACHE,
    "10.5/v_g06_304_timing": CACHE,
    "10.5/v_h02b_products_catalog": CATALOG,
    "10.5/v_h02c_products_catalog_file_excerpt": CATALOG,
    "10.5/v_h03_pos_catalog_root": CATALOG,
    "10.5/v_h03b_pos_catalog_create": CATALOG,
    "10.5/v_h03c_pos_catalog_file_excerpt": CATALOG,
    "10.5/v_h04_abilities": "Another plugin interface of WordPress; the sandbox has no such namespace.",
    "10.5/v_h05_suggested": "Which products suit another one is the shop's own reckoning.",
    "10.5/v_h06_related": "Which products suit another one is the shop's own reckoning.",
    "10.5/v_h10_v4_products": V4,
    "10.5/v_h10b_v4_put_delta": V4,
    "10.5/v_h10c_v4_batch": V4,
    "10.5/v_h11_v4_orders": V4,
    "10.5/v_h12_v4_routes": V4,
    "10.5/v_m10_concurrent_first_write_duplicates": (
        "Two first writes at once can leave two rows of one key in the real shop (3 of 30); the sandbox's writes hold a lock."
        " Rows left so are played: v_m11, v_m11b."
    ),
    "10.5/v_m_old10_concurrent_first_write_duplicates": "As v_m10_concurrent_first_write_duplicates.",
    "10.5/v_p01_performance": "Seconds on one machine. `settings` (page, row and item cost) plays any of them.",
}
