"""The server: quick to start, quick to answer, and gone without a trace."""

import gc
import socket
import subprocess
import sys
import threading
import time

import pytest
import requests
from werkzeug.wrappers import Request, Response

from sandbox.server import serve
from sandbox.woocommerce import StoreApp


def _echo(environ, start_response):
    request = Request(environ)
    return Response(f"{request.method} {request.path} {request.scheme} {request.get_data(as_text=True)}")(environ, start_response)


def test_it_listens_at_once_and_frees_the_port_when_stopped():
    before = time.perf_counter()
    with serve(_echo) as running:
        assert requests.get(f"{running.url}/a", timeout=5).text == "GET /a http "
        port = running.port
    assert time.perf_counter() - before < 1
    with serve(_echo, port=port) as again:
        assert again.port == port


def test_nothing_is_left_running_after_a_stop_with_open_connections():
    before = threading.active_count()
    session = requests.Session()
    running = serve(_echo)
    assert session.get(running.url, timeout=5).status_code == 200
    idle = socket.create_connection((running.host, running.port))
    running.stop()
    running.stop()
    idle.close()
    session.close()
    gc.collect()
    assert threading.active_count() == before


def test_a_connection_is_kept_and_small_answers_are_not_held_back():
    with serve(_echo) as running, requests.Session() as session:
        session.get(running.url, timeout=5)
        [kept] = list(session.adapters["http://"].poolmanager.pools._container.values())
        before = time.perf_counter()
        for _ in range(50):
            session.post(running.url, data=b"x", timeout=5)
        spent = time.perf_counter() - before
    assert kept.num_connections == 1
    assert spent / 50 < 0.03  # a delayed acknowledgement alone would be 0.04 s


def test_tls_is_trusted_by_its_own_authority_and_by_no_other():
    with serve(_echo, tls=True) as running, requests.Session() as session:
        session.trust_env = False
        assert session.post(running.url, data=b"x", verify=running.ca_file, timeout=5).text == "POST / https x"
        with pytest.raises(requests.exceptions.SSLError):
            session.get(running.url, timeout=5)


def test_a_silent_caller_keeps_nobody_waiting():
    with serve(_echo, tls=True) as running, requests.Session() as session, socket.create_connection((running.host, running.port)):
        session.trust_env = False
        assert session.get(running.url, verify=running.ca_file, timeout=2).status_code == 200


def test_a_chunked_body_is_read_whole():
    with serve(_echo) as running:
        assert requests.post(running.url, data=iter([b"one ", b"two"]), timeout=5).text == "POST / http one two"


def test_a_store_of_ten_thousand_products_starts_and_answers_within_a_second():
    before = time.perf_counter()
    store = StoreApp(basic_over_http=True)
    store.generate(products=10_000, variable=0)
    with serve(store) as running:
        got = requests.get(f"{running.url}/wp-json/wc/v3/products?_fields=id", auth=(store.key, store.secret), timeout=5)
    assert got.headers["X-WP-Total"] == "10000"
    assert time.perf_counter() - before < 1


def test_the_command_says_when_it_is_ready_and_ends_on_sigterm():
    command = [sys.executable, "-m", "sandbox", "store", "--generate", "20", "--basic-over-http"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        word, url, key, secret = process.stdout.readline().split()
        got = requests.get(f"{url}/wp-json/wc/v3/products?_fields=id", auth=(key, secret), timeout=5)
        process.terminate()
        assert process.wait(timeout=10) == 0
    assert word == "store"
    assert got.headers["X-WP-Total"] == "70"
