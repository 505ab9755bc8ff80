"""How fast webhooks are acknowledged: `python -m tests.bench.webhook_ack [--rate 100] [--seconds 30]`.

Starts everything one shop runs (web, worker, beat), or with --web-only the web server alone, in a data folder of its own, on
SQLite or on DATABASE_URL's database. Sends signed orders of 5 lines at a fixed rate, each over a connection of its own as
WooCommerce does. A send that starts late counts from when it was due. Prints one line of JSON.
"""

import argparse
import base64
import hmac
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

from jobs.processes import embedded_programs

ROOT = Path(__file__).resolve().parents[2]
SECRET = "bench-secret-0123456789"
SETUP = f"""
from connectors.models import Connection
Connection.objects.create(name="till", kind="pos_csv", settings={{"folder": "exchange"}})
Connection.objects.create(name="store", kind="woocommerce", settings={{"url": "http://127.0.0.1:9"}},
    credentials={{"consumer_key": "ck_1", "consumer_secret": "cs_1", "webhook_secret": "{SECRET}"}})
"""
DONE = """
from sync.models import InboundEvent, Order
print(InboundEvent.objects.count(), InboundEvent.objects.filter(state="done").count(), Order.objects.count())
"""
FILLER = {f"_meta_{n}": "x" * 40 for n in range(60)}  # a body of about 6 kB, as a real one


def body_of(order_id: int) -> bytes:
    line = {"product_id": 11, "variation_id": 0, "sku": "MUG-1", "name": "Mug", "quantity": 2, "price": 4.1}
    taken = [{"id": 1, "key": "_reduced_stock", "value": "2"}]
    lines = [{**line, "id": order_id * 10 + n, "meta_data": taken} for n in range(5)]
    moment = "2026-03-02T09:00:00"
    return json.dumps(
        {
            "id": order_id,
            "number": str(order_id),
            "status": "processing",
            "currency": "EUR",
            "date_created_gmt": moment,
            "date_modified_gmt": moment,
            "billing": FILLER,
            "line_items": lines,
        }
    ).encode()


def send(port: int, order_id: int, due: float) -> tuple[int, float]:
    """Result: the answer's status (0: none), and seconds since it was due."""
    body = body_of(order_id)
    signature = base64.b64encode(hmac.new(SECRET.encode(), body, sha256).digest()).decode()
    headers = {"Content-Type": "application/json", "X-WC-Webhook-Topic": "order.created", "X-WC-Webhook-Signature": signature}
    time.sleep(max(0.0, due - time.perf_counter()))
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        link.request("POST", "/webhooks/woocommerce/store/", body, {**headers, "Connection": "close"})
        status = link.getresponse().status
    except OSError:
        status = 0
    finally:
        link.close()
    return status, time.perf_counter() - due


def measure(port: int, *, rate: float, seconds: float) -> dict[str, Any]:
    count = int(rate * seconds)
    begin = time.perf_counter() + 0.5
    with ThreadPoolExecutor(64) as threads:
        jobs = [threads.submit(send, port, 1000 + n, begin + n / rate) for n in range(count)]
        answers = [job.result() for job in jobs]
    took = sorted(seconds for _, seconds in answers)
    share = {name: round(took[min(count - 1, int(count * part))] * 1000, 1) for name, part in (("p50_ms", 0.5), ("p99_ms", 0.99))}
    return {
        "rate": rate,
        "sent": count,
        **share,
        "worst_ms": round(took[-1] * 1000, 1),
        "statuses": Counter(s for s, _ in answers),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rate", type=float, default=100)
    options.add_argument("--seconds", type=float, default=30)
    options.add_argument("--port", type=int, default=8765)
    options.add_argument("--web-only", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "EVENSTOCK_DATA_DIR": folder, "EVENSTOCK_LOG_LEVEL": "ERROR"}

        def manage(*words: str) -> str:
            return subprocess.run(
                [sys.executable, "manage.py", *words], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
            ).stdout

        manage("migrate", "--verbosity", "0")
        manage("shell", "-v0", "-c", SETUP)
        run: Sequence[str] = [sys.executable, "manage.py", "run", "--port", str(chosen.port)]
        if chosen.web_only:
            run = embedded_programs(host="127.0.0.1", port=chosen.port)[0].command
        process = subprocess.Popen(run, cwd=ROOT, env=environment, start_new_session=True)
        try:
            for _ in range(300):
                if send(chosen.port, 1, time.perf_counter())[0] == 200:
                    break
                time.sleep(0.2)
            time.sleep(8)  # the worker and beat start meanwhile
            figures = measure(chosen.port, rate=chosen.rate, seconds=chosen.seconds)
            ended = time.monotonic()
            for _ in range(0 if chosen.web_only else 120):
                kept, done, _ = map(int, manage("shell", "-v0", "-c", DONE).split())
                if kept == done:
                    break
                time.sleep(1)
            kept, done, orders = map(int, manage("shell", "-v0", "-c", DONE).split())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    print(
        json.dumps({**figures, "kept": kept, "done": done, "orders": orders, "caught_up_s": round(time.monotonic() - ended, 1)})
    )


if __name__ == "__main__":
    main()
