"""The web application in a server that dies with -9 between its commit and its reply, when a request says so."""

import os
import signal
from collections.abc import Callable, Iterable
from typing import Any

from config.asgi import THREADS
from config.web.__main__ import main
from config.web.door import Door
from config.web.senders import may_send
from config.wsgi import application as evenstock


def dying(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    answer = evenstock(environ, start_response)
    if environ.get("HTTP_X_TEST_DIE"):
        os.kill(os.getpid(), signal.SIGKILL)
    return answer


application = Door(dying, may_send=may_send, threads=THREADS)

if __name__ == "__main__":
    main("tests.processes.dying:application")
