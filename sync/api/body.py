"""A request's raw body, bounded, before anything parses it (reliability.md, case 37): a signature is of the bytes as sent."""

from collections.abc import Iterable, Mapping
from typing import IO, Any, cast

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, DataAndFiles
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class BodyRefusedError(Exception):
    """The body is not taken. `status` is the answer."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class RawBody(BaseParser):
    """Parses nothing: `request.data` is the body's bytes, whatever the request says they are."""

    media_type = "*/*"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> "DataAndFiles[bytes, Mapping[str, Any]]":
        return DataAndFiles(stream.read(), {})


class OneForm(BaseContentNegotiation):
    """One way to read and one to answer, whatever a request says of its body or would like to get: a shop whose `Accept` is odd
    has sold something all the same."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


def body_read(request: Request, *, limit: int) -> bytes:
    """Result: the body as it came over the wire. Raises BodyRefusedError for more than `limit` bytes, by what the header says:
    the door (`config.web`) has put the true length there, also of a body that named none."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdigit() and int(length) > limit:
        raise BodyRefusedError(413, f"More than {limit} bytes. An order takes 5 to 20 kB: send one at a time.")
    return cast(bytes, request.data or b"")  # where there is no body no parser is asked, and the framework says {}
