"""The web process's application, behind the door."""

import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")


class Utf8Request(WSGIRequest):
    """Read as UTF-8, whatever charset a stranger names: Django would decode by it before any page is asked, and fails on one that
    is not for text (`charset=hex`), or lets through what UTF-8 can't spell."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))


class Utf8Handler(WSGIHandler):
    request_class = Utf8Request


django.setup(set_prefix=False)
application = Utf8Handler()
