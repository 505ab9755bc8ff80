"""Who asks, and a line for whoever asked for more than they may (reliability.md, 39 and 42)."""

import logging
import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Network, ip_address

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.http import HttpRequest, HttpResponse
from django.utils.encoding import escape_uri_path

audit = logging.getLogger("evenstock.audit")
REFUSED = 4  # beside Django's own flags for added, changed and deleted
LOOKING = frozenset({"GET", "HEAD", "OPTIONS"})
NO_ADDRESS = "0.0.0.0"  # noqa: S104 - stands for an address that nobody knows, such as behind a socket of this machine
WITH_PORT = re.compile(r"\[(?P<bracketed>[^\[\]]+)\](?::\d{1,5})?|(?P<plain>[\d.]+):\d{1,5}", re.ASCII)
FORWARDED = ("HTTP_X_FORWARDED", "HTTP_FORWARDED")
PROTOCOL = "HTTP_X_FORWARDED_PROTO"


def client_address(request: HttpRequest) -> str:
    """Result: the address of whoever asks, always a valid one and in one spelling. Behind `EVENSTOCK_PROXIES` proxies it is what
    the outermost of them wrote down: each adds one part at the end, so what a client wrote stands before those and counts for
    nothing. Too few parts, or no address there, and it is whoever is connected to us; `NO_ADDRESS` where that is no address."""
    said = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    proxies: int = settings.EVENSTOCK_PROXIES
    forwarded = said[-proxies] if 0 < proxies <= len(said) else ""
    return _address(forwarded) or _address(str(request.META.get("REMOTE_ADDR", ""))) or NO_ADDRESS


def counted_address(request: HttpRequest) -> str:
    """Result: what wrong passwords are counted under: an IPv4 address; of IPv6 the first address of its /64, since whoever has
    one address there has all of them."""
    address = ip_address(client_address(request))
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address, 64), strict=False).network_address)


def _address(said: str) -> str:
    """Result: the address in its usual spelling, without port, brackets and zone; an IPv4 one where that is what it stands for.
    Empty for anything else."""
    bare = said.strip()
    if found := WITH_PORT.fullmatch(bare):
        bare = found["bracketed"] or found["plain"]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)


def forwarded_kept(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware, the outermost: of what `X-Forwarded-…` says only what our own proxies wrote is kept; where there are none, none
    of it. The protocol is counted from the end as the address is: a client's `https` before a proxy's `http` is a claim."""

    def answered(request: HttpRequest) -> HttpResponse:
        proxies: int = settings.EVENSTOCK_PROXIES
        for name in [name for name in request.META if name.startswith(FORWARDED) and proxies < 1]:
            del request.META[name]
        if PROTOCOL in request.META:
            said = request.META[PROTOCOL].split(",")
            request.META[PROTOCOL] = said[-min(proxies, len(said))].strip().lower()
        return get_response(request)

    return answered


def refusals_noted(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: a 403 leaves a line in the log `evenstock.audit`; an attempt to change something, by somebody who is logged
    in, one under “What people did” too."""

    def answered(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code == 403:
            _note(request)
        return response

    return answered


def _note(request: HttpRequest) -> None:
    asked = f"{request.method} {escape_uri_path(request.path)}"
    who = request.user.get_username() if request.user.is_authenticated else "somebody not logged in"
    audit.warning("Refused: %s, by %s, from %s", asked, who, client_address(request))
    if request.user.is_authenticated and request.method not in LOOKING:
        LogEntry.objects.create(
            user_id=request.user.pk,
            action_flag=REFUSED,
            object_repr=asked[:200],
            change_message=f"Refused: this account may not do that. Asked from {client_address(request)}.",
        )
