"""Wrong passwords, counted for a name at an address and for the address (reliability.md, 42), in the rows of django-axes."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import F, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from backoffice.people.access import client_address

audit = logging.getLogger("evenstock.audit")
TOO_MANY = 429


class LoginHandler(AxesDatabaseHandler):  # type: ignore[misc] # django-axes has no types
    """A try is counted before its password is looked at, and taken back when it was right: otherwise thirty at once would all be
    let through, each having seen a count of none. Logging in forgets that name's mistakes at that address, and no other's:
    whoever has a login of their own can't begin again with it."""

    def is_allowed(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        if not super().is_allowed(request, credentials):
            return False
        self.clean_expired_user_attempts(request, credentials)
        counted = _try_count(request, get_client_username(request, credentials))
        of_name, of_address = failures(request, credentials)
        if of_name > settings.AXES_FAILURE_LIMIT or of_address > settings.EVENSTOCK_ADDRESS_FAILURE_LIMIT:
            _try_take_back(counted)
            return False
        request.login_try = counted  # type: ignore[attr-defined] # as axes keeps its own there
        return True

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Result: the name's failures at this address; once the address has used up its own, as many as lock the name out."""
        of_name, of_address = failures(request, credentials)
        limit: int = settings.AXES_FAILURE_LIMIT
        return max(of_name, limit) if of_address >= settings.EVENSTOCK_ADDRESS_FAILURE_LIMIT else of_name

    def user_login_failed(self, sender: Any, credentials: dict[str, Any], request: Any = None, **kwargs: Any) -> None:
        """Leave the try counted. Axes does the rest where it was one too many: it would count it again otherwise."""
        if request is not None and not request.axes_locked_out:
            request.login_try = None
            name = get_client_username(request, credentials)
            audit.warning("A wrong password: for %r, from %s", name, client_address(request))
            request.axes_locked_out = self.is_locked(request, credentials)
            if not request.axes_locked_out:
                return
        super().user_login_failed(sender, credentials, request, **kwargs)

    def user_logged_in(self, sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
        request.login_try = None
        super().user_logged_in(sender, request, user, **kwargs)


def tries_settled(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: a right password that logs nobody in, such as one asked for again, leaves nothing counted. What an error cut
    off stays counted."""

    def answered(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        counted: int | None = getattr(request, "login_try", None)
        if counted is not None and response.status_code < 500:
            _try_take_back(counted)
        return response

    return answered


def locked_out(request: HttpRequest, _response: HttpResponse, credentials: dict[str, Any] | None) -> HttpResponse:
    """Result: the page for whoever is to wait, which says whether it is for the name or for the address."""
    of_name, of_address = failures(request, credentials)
    limit: int = settings.EVENSTOCK_ADDRESS_FAILURE_LIMIT
    is_for_address = of_name < settings.AXES_FAILURE_LIMIT and of_address >= limit
    context = {"of_name": settings.AXES_FAILURE_LIMIT, "of_address": limit, "is_for_address": is_for_address}
    return render(request, "admin/locked_out.html", context, status=TOO_MANY)


def failures(request: HttpRequest, credentials: dict[str, Any] | None) -> tuple[int, int]:
    """Result: what was wrong within the cool-off, for the name at this address and for the address; tries under way are in it."""
    name, since = get_client_username(request, credentials), get_cool_off_threshold(request)
    is_name = Q(username=name) if name is not None else Q(username__isnull=True)
    found = failed_since(since).filter(ip_address=_kept(request)["ip_address"])
    sums = found.aggregate(name=Sum("failures_since_start", filter=is_name), address=Sum("failures_since_start"))
    return sums["name"] or 0, sums["address"] or 0


def failed_since(moment: datetime) -> Any:
    """Result: the rows that count."""
    return AccessAttempt.objects.filter(attempt_time__gte=moment)


def _kept(request: Any) -> dict[str, str]:
    """Result: what axes has read off a request, as its rows name it."""
    return {"ip_address": request.axes_ip_address, "user_agent": request.axes_user_agent}


def _try_count(request: Any, name: str | None) -> int:
    """Result: the row in which it was counted. It is in the database before anybody asks how many there are."""
    told = {"http_accept": request.axes_http_accept, "path_info": request.axes_path_info}
    while True:
        row, is_new = AccessAttempt.objects.get_or_create(
            username=name, **_kept(request), defaults={**told, "failures_since_start": 1, "get_data": "", "post_data": ""}
        )
        again = {**told, "attempt_time": request.axes_attempt_time, "failures_since_start": F("failures_since_start") + 1}
        if is_new or AccessAttempt.objects.filter(pk=row.pk).update(**again):  # it may be forgotten between the two
            return int(row.pk)


def _try_take_back(counted: int) -> None:
    row = AccessAttempt.objects.filter(pk=counted)
    if not row.filter(failures_since_start__gt=1).update(failures_since_start=F("failures_since_start") - 1):
        row.filter(failures_since_start=1).delete()
