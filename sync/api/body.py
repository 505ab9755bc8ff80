"""A request's raw body, bounded, before anything parses it (reliability.md, case 37)."""

from django.http import HttpRequest


class BodyRefusedError(Exception):
    """The body is not taken. `status` is the answer."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


def body_read(request: HttpRequest, *, limit: int) -> bytes:
    """Result: the body as it came over the wire. Raises BodyRefusedError for more than `limit` bytes, by what the header says:
    the door (`config.web`) has put the true length there, also of a body that named none."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdigit() and int(length) > limit:
        raise BodyRefusedError(413, f"More than {limit} bytes. An order takes 5 to 20 kB: send one at a time.")
    return request.read()
