"""Connections: made, opened, tested, and how they fare."""

import random
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q

from connectors.contract import CallRecord, CheckReport, Context, Finding
from connectors.errors import ConfigError, ConnectorError, RetryableError
from connectors.models import ApiCall, Connection, ConnectionCheck, Mode
from connectors.rests import ONES_OWN, Rest, rest_after
from connectors.settings.allowed import folders_allowed
from connectors.settings.origins import Fields, Kept
from kit.zones import zone_is_known

TOO_MANY = 429  # the status by which a system asks to be left alone


class CallLog:
    """Collects what the HTTP door reports, from any thread, and writes it down in bulk from the caller's."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = Lock()
        self._records: list[CallRecord] = []

    def record(self, call: CallRecord) -> None:
        """Take one request down; nothing touches the database yet."""
        with self._lock:
            self._records.append(call)

    def flush(self) -> None:
        """Write down what has come in since the last time."""
        with self._lock:
            records, self._records = self._records, []
        asked = [record for record in records if record.wait > ONES_OWN]
        for record in sorted(asked, key=lambda one: one.at):
            until = record.at + timedelta(seconds=record.wait)
            _rest(self._connection, Rest(until, is_wish=record.status == TOO_MANY))
        ApiCall.objects.bulk_create(
            [
                ApiCall(
                    connection=self._connection,
                    at=record.at,
                    method=record.method,
                    path=record.path[:500],
                    status=record.status,
                    latency_ms=record.latency_ms,
                    error=record.error,
                )
                for record in records
            ]
        )


def connection_open(*, connection: Connection, log: CallLog, now: Callable[[], datetime]) -> Any:
    """Result: the connector of this connection, ready to use: a `Store` or a `Till`, by its side. Raises ConfigError."""
    return connection.spec.build(
        Context(
            settings=connection.settings_parsed(),
            credentials=connection.credentials_parsed(),
            record=log.record,
            now=now,
            folders=folders_allowed(),
            rest=connection.rest(now()),
            zone=ZoneInfo(connection.time_zone if zone_is_known(connection.time_zone) else "UTC"),
            allow_private=settings.EVENSTOCK_ALLOW_PRIVATE_NETWORKS,
        )
    )


def connection_draft(
    *,
    name: str,
    kind: str,
    settings_given: dict[str, Any],
    credentials: dict[str, Any],
    mode: str,
    time_zone: str = "",
    currency: str = "",
) -> Connection:
    """Result: the connection of that name as it would be, new or changed: settings and credentials given replace those of the
    same key. Nothing is saved. Raises ConfigError naming what is wrong, or which credentials a new address asks for again."""
    connection = Connection.objects.filter(name=name).first() or Connection(name=name, kind=kind)
    if connection.kind != kind:
        raise ConfigError(
            f"“{name}” is already a connection of kind {connection.kind}.", next_step="Choose another name for the new one."
        )
    _change(connection, settings_after={**connection.settings, **settings_given}, typed=credentials)
    connection.mode = mode or connection.mode
    connection.time_zone = time_zone or connection.time_zone
    connection.currency = currency or connection.currency
    try:
        connection.full_clean()
    except ValidationError as error:
        raise ConfigError(
            " ".join(error.messages), next_step="Correct it and run the command again. Nothing was saved.", code="bad_settings"
        ) from None
    return connection


def connection_keep(*, draft: Connection) -> None:
    """Save a draft. Of one that was there before, only what a draft changes: a run may have its turn on it meanwhile."""
    draft.save(update_fields=["settings", "credentials", "mode", "time_zone", "currency"] if draft.pk else None)


def connection_save(**given: Any) -> Connection:
    """Create or change a connection, untested. Result: the saved connection. Takes and raises what `connection_draft` does."""
    draft = connection_draft(**given)
    connection_keep(draft=draft)
    return draft


def connection_try(*, draft: Connection, now: Callable[[], datetime]) -> CheckReport:
    """Test a connection as it would be, and save it where the test is good. Result: what was found; `ok`: it is saved. A test
    that fails changes nothing; its requests are noted only where they went to the system that the connection has already, which
    may have asked for peace. Raises ConnectorError as well."""
    before = Connection.objects.filter(pk=draft.pk).first()
    is_known = before is not None and not _kept(before, draft.settings, {})[1].moved
    log = CallLog(draft)
    draft.rests_until = None  # a person asks
    if not is_known:
        draft.peace_until = None  # another system's wish
    try:
        report: CheckReport = connection_open(connection=draft, log=log, now=now).check()
    finally:
        if is_known:
            log.flush()
    if report.ok:
        connection_keep(draft=draft)
        rest_end(connections=[draft])
        if not is_known:
            Connection.objects.filter(pk=draft.pk).update(peace_until=None)
        log.flush()
        _found_keep(draft, report, now())
    return report


def connection_settings_change(*, connection: Connection, changes: Mapping[str, Any]) -> None:
    """Change some settings of a connection, with history; None: back to what is usual. Raises ConfigError naming what is wrong,
    or that credentials would have to be typed again; nothing is saved then."""
    before, credentials = connection.settings, connection.credentials
    kept = {name: value for name, value in before.items() if name not in changes}
    try:
        _change(
            connection,
            settings_after=kept | {name: value for name, value in changes.items() if value is not None},
            typed={},
        )
        connection.settings_parsed()
    except ConfigError:
        connection.settings, connection.credentials = before, credentials
        raise
    connection.save(update_fields=["settings"] if connection.credentials == credentials else ["settings", "credentials"])


def credentials_after(*, connection: Connection, settings_given: Mapping[str, Any], typed: Mapping[str, Any]) -> Kept:
    """Result: what becomes of the credentials if those settings are saved; `asked` must be typed again before."""
    return _kept(connection, {**connection.settings, **settings_given}, typed)[1]


def _change(connection: Connection, *, settings_after: dict[str, Any], typed: Mapping[str, Any]) -> None:
    """Give it other settings and the credentials that outlive them. Raises ConfigError where some must be typed again."""
    fields, kept = _kept(connection, settings_after, typed)
    fields.require_typed(kept)
    connection.settings = settings_after
    if kept.secrets != connection.credentials and (typed or kept.moved):
        connection.credentials = dict(kept.secrets)


def _kept(connection: Connection, settings_after: Mapping[str, Any], typed: Mapping[str, Any]) -> tuple[Fields, Kept]:
    fields = Fields(connection.spec.settings, connection.spec.credentials)
    secrets = connection.credentials if isinstance(connection.credentials, dict) else {}
    return fields, fields.kept(before=connection.settings, secrets=secrets, after=settings_after, typed=typed)


def connection_set_mode(*, connection: Connection, mode: Mode) -> None:
    """Let a connection write, or stop it. A run that is under way goes on as it began."""
    connection.mode = mode
    connection.save(update_fields=["mode"])


def connection_check(*, connection: Connection, now: Callable[[], datetime]) -> CheckReport:
    """Test a connection without changing anything at the other end; keep the facts it told, and what was found. Result: findings
    in words. A connector that can't be opened at all raises ConfigError. A person asks, so it is asked even while
    it rests, unless it asked for that itself."""
    rest_end(connections=[connection])
    log = CallLog(connection)
    try:
        report: CheckReport = connection_open(connection=connection, log=log, now=now).check()
    except ConnectorError as error:
        _check_keep(connection, CheckReport((Finding(ok=False, message=error.message, next_step=error.next_step),)), now())
        raise
    finally:
        log.flush()
    _found_keep(connection, report, now())
    return report


def _found_keep(connection: Connection, report: CheckReport, at: datetime) -> None:
    """Keep what a test found; and the facts it was told, unless somebody changed meanwhile how the system is reached: they would
    be of another one, and the settings that were tested would come back under its credentials."""
    with transaction.atomic():
        is_of_now = Connection.objects.select_for_update().get(pk=connection.pk).mark() == connection.mark()
        if report.facts and is_of_now:
            connection.facts = dict(report.facts)
            connection.currency = connection.currency or report.facts.get("currency", "")
            if "version" in report.facts and "version" in connection.spec.settings.model_fields:
                connection.settings = {**connection.settings, "version": report.facts["version"]}
            connection.save(update_fields=["facts", "currency", "settings"])
    _check_keep(connection, report, at)


def _check_keep(connection: Connection, report: CheckReport, at: datetime) -> None:
    said = [{"tone": one.tone, "message": one.message, "next_step": one.next_step} for one in report.findings]
    found = {"at": at, "is_ok": report.ok, "findings": said, "mark": connection.mark()}
    ConnectionCheck.objects.update_or_create(connection=connection, defaults=found)


def health_record(*, connection: Connection, error: ConnectorError | None, now: datetime) -> None:
    """Note that the connection answered, or how it failed. Health is no setting: it writes no history. What fails again and
    again, and may come back by itself, is left alone for a while."""
    row = Connection.objects.filter(pk=connection.pk)
    if error is None:
        row.update(last_ok_at=now, failures_in_row=0, last_error="", last_error_code="")
        return
    if error.code == "busy":  # it was not asked: that says nothing new
        return
    row.update(
        last_error_at=now,
        last_error=str(error)[:2000],
        last_error_code=error.code[:60],
        failures_in_row=F("failures_in_row") + 1,
    )
    if isinstance(error, RetryableError) and (error.retry_after or 0) <= ONES_OWN:  # a longer one says itself when to come back
        rest = rest_after(failures=row.values_list("failures_in_row", flat=True).get(), spread=random.random())
        if rest:
            _rest(connection, Rest(now + rest))


def rest_end(*, connections: Iterable[Connection]) -> None:
    """A person wants them asked now, whatever they failed at before. What a system asked for itself stands."""
    for connection in connections:
        connection.rests_until = None
        Connection.objects.filter(pk=connection.pk).update(rests_until=None)


def _rest(connection: Connection, rest: Rest) -> None:
    """Ask it nothing before then. A folder has no server that must recover."""
    if "url" in connection.spec.settings.model_fields:
        name = "peace_until" if rest.is_wish else "rests_until"
        sooner = Q(**{name: None}) | Q(**{f"{name}__lt": rest.until})
        Connection.objects.filter(sooner, pk=connection.pk).update(**{name: rest.until})
