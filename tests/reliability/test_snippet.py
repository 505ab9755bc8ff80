"""The WordPress snippet of docs/webhooks.md sends what the address takes. PHP is run where it is installed; what it must say is
read from the page in any case."""

import base64
import hashlib
import hmac
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "webhooks.md").read_text()
SNIPPET = re.search(r"```php\n(.+?)```", PAGE, flags=re.DOTALL)[1]


def test_what_is_signed_is_what_is_sent():
    assert SNIPPET.count("wp_json_encode(") == 1  # encoded twice, a float or an accent may differ
    assert "$body   = wp_json_encode( array( 'order_id' => $order_id, 'items' => $items ) );" in SNIPPET
    assert "'body'        => $body," in SNIPPET
    assert "base64_encode( hash_hmac( 'sha256', $body, EVENSTOCK_SECRET, true ) )" in SNIPPET


def test_the_customer_does_not_wait_and_a_failure_is_logged():
    paid, told = SNIPPET.split("add_action( 'evenstock_tell'")
    assert "woocommerce_order_status_processing" in paid
    assert "as_enqueue_async_action( 'evenstock_tell', array( $order_id )" in paid
    assert "wp_remote_post" not in paid
    assert "'timeout'     => 10" in told
    assert "'redirection' => 0" in told
    assert "if ( 200 !== $status )" in told
    assert "wc_get_logger()->error(" in told
    assert "EVENSTOCK_SECRET" not in told.split("wc_get_logger")[1]


def test_a_manager_finds_where_it_goes_and_how_to_try_it():
    for words in ("wp-content/mu-plugins/evenstock.php", "wp-config.php", "openssl rand -hex 32", "WooCommerce → Status → Logs"):
        assert words in PAGE


@pytest.mark.skipif(not shutil.which("php"), reason="PHP is not installed here")
def test_php_takes_it_and_signs_as_we_check(tmp_path):
    stub = """<?php
    define('EVENSTOCK_URL', 'https://stock.example.com'); define('EVENSTOCK_SECRET', 'whsec-0123456789abcdef');
    $hooks = []; function add_action($name, $does) { global $hooks; $hooks[$name] = $does; }
    function as_enqueue_async_action($name, $with) { global $hooks; $hooks[$name](...$with); }
    class Product { function get_sku() { return 'TÉ-1'; } }
    class Line { function get_product() { return new Product; } function get_quantity() { return 2; } }
    class Order { function get_items() { return [new Line]; } }
    function wc_get_order($id) { return new Order; }
    function wp_json_encode($what) { return json_encode($what); } function is_wp_error($what) { return false; }
    function wp_remote_post($url, $sent) {
        echo $url, "\\n", $sent['body'], "\\n", $sent['headers']['X-WC-Webhook-Signature'];
        return [];
    }
    function wp_remote_retrieve_response_code($answer) { return 200; }
    """
    (tmp_path / "run.php").write_text(
        stub + SNIPPET.removeprefix("<?php") + "\n$hooks['woocommerce_order_status_processing'](512);"
    )
    said = subprocess.run(["php", tmp_path / "run.php"], capture_output=True, text=True, check=True, timeout=20).stdout
    url, body, signature = said.split("\n")
    assert url == "https://stock.example.com/webhook/order"
    expected = hmac.new(b"whsec-0123456789abcdef", body.encode(), hashlib.sha256).digest()
    assert signature == base64.b64encode(expected).decode()
