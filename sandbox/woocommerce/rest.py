"""One REST call: what came in, what goes out, and how a resource says which addresses it answers."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.woocommerce.errors import RestError

Headers = list[tuple[str, str]]
READ_LIST, READ_ITEM, CREATE, EDIT, DELETE, BATCH = "list", "view", "create", "edit", "delete", "batch"


@dataclass(frozen=True)
class Route:
    """One address. `path` is below /wp-json; `wants` names the permission, in the words of the refusal."""

    methods: tuple[str, ...]
    path: str
    handler: Callable[..., "Reply"]
    wants: str


def item_routes(
    path: str, *, get: Callable[..., "Reply"], edit: Callable[..., "Reply"], delete: Callable[..., "Reply"]
) -> list[Route]:
    """Result: the routes of one thing at `path`: WooCommerce takes POST and PATCH for PUT."""
    return [
        Route(("GET",), path, get, READ_ITEM),
        Route(("PUT", "POST", "PATCH"), path, edit, EDIT),
        Route(("DELETE",), path, delete, DELETE),
    ]


class Call:
    """A request as a resource sees it."""

    def __init__(self, request: Request, *, base: str, route: str = "wc/v3") -> None:
        self.request, self.base, self.route = request, base, route
        self.url = f"{base}{request.path}"

    @cached_property
    def query(self) -> dict[str, str]:
        """The query; of a name given twice, or as `name[]`, the values joined by commas."""
        found: dict[str, str] = {}
        for name, values in self.request.args.lists():
            found[name.removesuffix("[]")] = ",".join(values)
        return found

    @cached_property
    def body(self) -> dict[str, Any]:
        """The JSON object sent, {} for none. Raises RestError for what isn't JSON (f05); another content type is ignored."""
        data = self.request.get_data()
        if not data or "json" not in (self.request.content_type or ""):
            return self.request.form.to_dict()
        try:
            parsed = json.loads(data)
        except ValueError:
            raise RestError(
                400, "rest_invalid_json", "Invalid JSON body passed.", json_error_code=4, json_error_message="Syntax error"
            ) from None
        return parsed if isinstance(parsed, dict) else {}

    def flag(self, name: str) -> bool:
        """Result: whether a yes/no parameter says yes, in the query or the body."""
        return str(self.query.get(name, self.body.get(name, ""))).lower() in ("1", "true", "yes")


@dataclass
class Reply:
    """What goes out. `trimmed`: the payload holds the asked fields only, already."""

    payload: Any
    status: int = 200
    headers: Headers = field(default_factory=list)
    trimmed: bool = False


def to_response(reply: Reply, *, base: str, allow: Sequence[str], fields: str = "") -> Response:
    """Result: the HTTP reply, in the bytes PHP would send."""
    payload = reply.payload
    if fields:
        payload = _trim(payload, fields, rows_done=reply.trimmed)
    headers: Headers = [("X-Robots-Tag", "noindex"), ("Link", f'<{base}/wp-json/>; rel="https://api.w.org/"')]
    headers += [
        ("X-Content-Type-Options", "nosniff"),
        ("Access-Control-Expose-Headers", "X-WP-Total, X-WP-TotalPages, Link"),
        *reply.headers,
        ("Expires", "Wed, 11 Jan 1984 05:00:00 GMT"),
        ("Cache-Control", "no-cache, must-revalidate, max-age=0, no-store, private"),
    ]
    if allow:
        headers.append(("Allow", ", ".join(allow)))
    return Response(php_json(payload), reply.status, headers, content_type="application/json; charset=UTF-8")


def php_json(payload: Any) -> str:
    """Result: JSON as PHP writes it: no spaces, slashes escaped, ASCII only."""
    return json.dumps(payload, separators=(",", ":")).replace("/", "\\/")


def _trim(payload: Any, fields: str, *, rows_done: bool) -> Any:
    """Keep what `_fields` names. Below a list nothing is kept: WordPress takes list positions for names (b01b)."""
    tree: dict[str, Any] = {}
    for name in filter(None, (part.strip() for part in fields.split(","))):
        branch = tree
        for part in name.split("."):
            branch = branch.setdefault(part, {})
    if rows_done and not any(tree.values()):
        return payload
    if isinstance(payload, list):
        return [_kept(row, tree) for row in payload]
    # WordPress adds the links of a single thing after trimming it (v_m06b).
    links = {"_links": payload["_links"]} if "_links" in payload else {}
    return _kept(payload, tree) | links


def _kept(row: Any, tree: dict[str, Any]) -> Any:
    if isinstance(row, list):
        return []
    if not isinstance(row, dict):
        return row
    return {name: _kept(value, tree[name]) if tree[name] else value for name, value in row.items() if name in tree}
