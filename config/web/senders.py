"""How much whoever sends a request may send, above what anyone may: a stranger uploads nothing."""

import re
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import parse_cookie

WEBHOOKS = re.compile(r"/webhooks?/")  # as in SECURE_REDIRECT_EXEMPT
FORM = 1024 * 1024  # bytes of a form around its file


def may_send(environ: dict[str, Any]) -> int:
    """Result: bytes that a webhook may have, or an upload by somebody who is logged in; 0 for everybody else."""
    if WEBHOOKS.match(environ["PATH_INFO"]):
        return int(settings.EVENSTOCK_WEBHOOK_LIMIT)
    session = parse_cookie(environ.get("HTTP_COOKIE", "")).get(settings.SESSION_COOKIE_NAME)
    if not session or not session.isalnum():  # what Django makes; anything else may be more than a database takes
        return 0
    store = import_module(settings.SESSION_ENGINE).SessionStore
    return int(settings.EVENSTOCK_UPLOAD_LIMIT) + FORM if SESSION_KEY in store(session) else 0
