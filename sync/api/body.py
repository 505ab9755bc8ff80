"""A request's raw body, bounded, before anything parses it (reliability.md, case 37)."""

from django.http import HttpRequest

_PART = 65_536


class BodyRefusedError(Exception):
    """The body is not taken. `status` is the answer."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


def body_read(request: HttpRequest, *, limit: int) -> bytes:
    """Result: the body as it came over the wire. Raises BodyRefusedError for more than `limit` bytes, by what the header says
    or by what comes: a chunked body names no length."""
    too_long = BodyRefusedError(413, f"More than {limit} bytes. An order takes 5 to 20 kB: send one at a time.")
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdigit() and int(length) > limit:
        raise too_long
    if not length.isdigit() and not request.META.get("wsgi.input_terminated"):  # reading on would wait for more
        raise BodyRefusedError(411, "Say how long it is: send a Content-Length.")
    read = request.read if length.isdigit() else request.META["wsgi.input"].read  # Django takes a body without a length as empty
    parts: list[bytes] = []
    size = 0
    while part := read(_PART):
        size += len(part)
        if size > limit:
            raise too_long
        parts.append(part)
    return b"".join(parts)
