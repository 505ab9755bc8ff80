"""`python -m tests.jobs.odd_messages FOLDER`: a worker in a process of its own that is sent odd messages and then a good one.
Prints what it has worked on, and what still waits."""

import os
import sys
import time
from pathlib import Path
from typing import Any

from celery import Celery
from celery.contrib.testing.worker import start_worker

from config.settings.queue import CELERY_WORKER_CONSUMER
from tests.jobs.post import Post

TASK = {"task": "work", "id": "1", "retries": 0, "timelimit": [None, None]}
ASKED = [[1], {}, {}]
ODD: list[tuple[dict[str, Any], Any]] = [
    ({**TASK, "task": "no.such.task"}, ASKED),
    ({**TASK, "task": {}}, ASKED),
    ({**TASK, "task": None}, ASKED),
    ({"task": "work"}, ASKED),
    ({**TASK, "id": [1]}, ASKED),
    ({**TASK, "eta": "never"}, ASKED),
    ({**TASK, "expires": 1e300}, ASKED),
    ({**TASK, "timelimit": "long"}, ASKED),
    ({**TASK, "timelimit": [1, 2, 3]}, ASKED),
    (TASK, "hello"),
    (TASK, None),
    (TASK, []),
    (TASK, [[1]]),
    (TASK, [1, 2, 3]),
    (TASK, [[1, 2, 3], {}, {}]),
    (TASK, [[], {"m": 1}, {}]),
    ({}, {"task": "work"}),
    ({}, {"task": "work", "id": "1", "args": 3, "kwargs": 4}),
    ({}, [1]),
    ({}, 7),
]


def main(folder: Path) -> None:
    post = Post(folder)
    app = Celery("test", broker="filesystem://localhost", backend="disabled://", set_as_current=False)
    app.conf.update(
        broker_transport="jobs.broker:Transport",
        broker_transport_options=post.connection.transport_options,
        worker_consumer=CELERY_WORKER_CONSUMER,
        worker_prefetch_multiplier=1,
        task_acks_late=True,
    )
    done: list[int] = []

    @app.task(name="work")
    def work(number: int) -> None:
        done.append(number)

    route = {"delivery_info": {"exchange": "", "routing_key": "celery"}, "body_encoding": "base64", "priority": 0}
    for number, (headers, body) in enumerate(ODD):
        said = post.message(body, headers=headers, properties={"delivery_tag": str(number), **route})
        post.put(said, name=f"0-{number:020d}-odd.celery.msg")
    app.send_task("work", (17,))
    with start_worker(app, pool="solo", perform_ping_check=False):
        until = time.monotonic() + 20
        while 17 not in done and time.monotonic() < until:
            time.sleep(0.02)
        print(done, post.files(), flush=True)
        os._exit(0)  # ending a worker takes it seconds


if __name__ == "__main__":
    main(Path(sys.argv[1]))
