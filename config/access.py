"""Who asks, and a line for whoever asked for more than they may (reliability.md, 39 and 42)."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.http import HttpRequest, HttpResponse
from django.utils.encoding import escape_uri_path

audit = logging.getLogger("evenstock.audit")
REFUSED = 4  # beside Django's own flags for added, changed and deleted
LOOKING = frozenset({"GET", "HEAD", "OPTIONS"})


def client_address(request: HttpRequest) -> str:
    """Result: the address of whoever asks. Behind `EVENSTOCK_PROXIES` proxies it is what the outermost of them wrote down; what
    a client wrote before that into the header counts for nothing."""
    said = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    proxies: int = settings.EVENSTOCK_PROXIES
    return said[-proxies] if 0 < proxies <= len(said) else str(request.META.get("REMOTE_ADDR", ""))


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
