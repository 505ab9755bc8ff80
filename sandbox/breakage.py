"""Replies that are not what was asked for: error pages of a shop, its host and its firewall, and JSON that got spoiled."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.faults import Fault

PAGE = (
    '<!DOCTYPE html>\n<html lang="en-US">\n<head>\n\t<meta charset="utf-8" />\n\t<title>{title}</title>\n</head>\n'
    '<body id="error-page">\n\t<div class="wp-die-message">{text}</div></body>\n</html>\n'
)
FATAL = (
    "<p>There has been a critical error on this website.</p><p><a href="
    '"https://wordpress.org/documentation/article/faq-troubleshooting/">Learn more about troubleshooting WordPress.</a></p>'
)
MAINTENANCE = "Briefly unavailable for scheduled maintenance. Check back in a minute."
NOTICE = (
    b"<br />\n<b>Notice</b>:  Undefined index: gtin in <b>/srv/shop/wp-content/plugins/labels/labels.php</b>"
    b" on line <b>128</b><br />\n"
)


def broken_reply(request: Request, fault: Fault) -> Response:
    """Result: the error reply of this fault, as HTML or JSON by what the caller accepts, as WordPress does."""
    if fault.kind == "rate_limit":
        reply = _html(429, "Too Many Requests", "Too many requests. Slow down.")
        reply.headers["Retry-After"] = _retry_after(fault.retry_after or "1")
        return reply
    if fault.kind == "maintenance":
        reply = _wordpress(request, 503, "wp_die", "Maintenance", MAINTENANCE)
        reply.headers["Retry-After"] = _retry_after(fault.retry_after or "600")
        return reply
    if fault.kind == "gateway":
        status = fault.status or 504
        reply = _html(status, f"{status} Gateway Time-out", "nginx")
        if fault.retry_after:
            reply.headers["Retry-After"] = _retry_after(fault.retry_after)
        return reply
    if fault.kind == "forbidden":
        return _html(fault.status or 403, "Access denied", "Your request looks suspicious and was blocked by the firewall.")
    return _wordpress(request, 500, "internal_server_error", "WordPress &rsaquo; Error", FATAL)


def spoiled(response: Response, fault: Fault) -> Response:
    """Result: the reply, damaged the way this fault says."""
    if fault.kind == "html":
        return _html(200, "Just a moment...", "Checking your browser before you go on.")
    if fault.kind == "bom":
        response.data = b"\xef\xbb\xbf" + response.data
    elif fault.kind == "notice":
        response.data = NOTICE + response.data
    elif fault.kind == "half_json":
        response.data = response.data[: len(response.data) // 2]
    elif fault.kind == "cut_off":
        whole = response.data
        response.response = _half(whole)
        response.headers["Content-Length"] = str(len(whole))
    elif fault.kind == "odd_row":
        response.data = _with_odd_rows(json.loads(response.data), fault)
    elif response.status_code == 200:
        rows = json.loads(response.data)
        response.data = json.dumps(_with_rows(rows, fault))
    return response


def _with_rows(payload: Any, fault: Fault) -> Any:
    """The payload with its list of rows emptied, or short of one. A list inside an object counts as its rows."""
    if isinstance(payload, dict):
        name = next((key for key, value in payload.items() if isinstance(value, list)), None)
        return payload if name is None else payload | {name: _with_rows(payload[name], fault)}
    if not isinstance(payload, list) or fault.kind == "empty_list":
        return []
    gone = fault.at or len(payload)
    return [row for number, row in enumerate(payload, 1) if number != gone]


def _with_odd_rows(payload: Any, fault: Fault) -> str:
    """The payload as text with some fields of some rows replaced: what a plugin or an import writes need not be JSON of ours."""
    raw: dict[str, str] = {}
    for row in _rows(payload):
        if fault.thing is None or fault.thing in (row.get("id"), row.get("sku")):
            for name, text in fault.fields.items():
                row.pop(name, None)
                if text:
                    row[name] = f"@raw {len(raw)}@"
                    raw[json.dumps(row[name])] = text
    said = json.dumps(payload)
    for mark, text in raw.items():
        said = said.replace(mark, text)
    return said


def _rows(payload: Any) -> list[dict[str, Any]]:
    """The rows of a list, of a list inside an object, or the one object itself."""
    if isinstance(payload, dict) and "id" not in payload:
        found = next((value for value in payload.values() if isinstance(value, list)), [payload])
    else:
        found = payload if isinstance(payload, list) else [payload]
    return [row for row in found if isinstance(row, dict)]


def _half(whole: bytes) -> Iterator[bytes]:
    yield whole[: len(whole) // 2]
    raise ConnectionAbortedError


def _retry_after(wanted: str) -> str:
    if wanted.startswith("date:"):
        return format_datetime(datetime.now(UTC) + timedelta(seconds=float(wanted.removeprefix("date:"))), usegmt=True)
    return wanted


def _html(status: int, title: str, text: str) -> Response:
    return Response(PAGE.format(title=title, text=text), status, content_type="text/html; charset=UTF-8")


def _wordpress(request: Request, status: int, code: str, title: str, text: str) -> Response:
    # WordPress looks whether JSON is named at all, not at preferences.
    if "application/json" not in request.headers.get("Accept", ""):
        return _html(status, title, text)
    body = {"code": code, "message": text, "data": {"status": status}, "additional_errors": []}
    return Response(json.dumps(body), status, content_type="application/json; charset=UTF-8")
