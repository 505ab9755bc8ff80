"""`python -m config.web`: the web server, with what a shop's machine needs set. Takes granian's own options besides, such as
`--host`, `--port` and `--workers`."""

import resource
import sys

from granian.cli import entrypoint

CONNECTIONS = 4096  # open at once, a worker: idle ones are closed in seconds, and cost next to nothing until then
OPTIONS = {
    "--interface": "asginl",
    "--http": "1",  # what proxies, shops and browsers without TLS speak
    "--no-ws": "",
    "--backlog": str(CONNECTIONS),
    "--backpressure": str(CONNECTIONS),  # idle ones count; the default is 1,024 over all workers
    "--http1-header-read-timeout": "10000",  # milliseconds for a request's head, the next one's on a kept connection too
    "--http1-buffer-size": str(64 * 1024),  # the longest head
    "--respawn-failed-workers": "",
    "--workers-kill-timeout": "8",  # seconds for what is being answered: a slow sender holds up no stop
}


def main(application: str = "config.asgi:application") -> None:
    """Serve until told to stop."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS  # each connection is a file
    soft = max(soft, wanted if hard == resource.RLIM_INFINITY else min(wanted, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    options = [word for pair in OPTIONS.items() for word in pair if word]
    sys.argv = ["granian", *options, *sys.argv[1:], application]
    entrypoint()  # type: ignore[no-untyped-call] # granian types its server, not its command line


if __name__ == "__main__":
    main()
