"""The web application in a server that dies with -9 between its commit and its reply, when a request says so."""

import os
import signal
from collections.abc import Callable, Iterable
from typing import Any

from config.wsgi import application as evenstock


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    answer = evenstock(environ, start_response)
    if environ.get("HTTP_X_TEST_DIE"):
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
