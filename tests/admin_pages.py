"""What every admin page is held to, for the tests of all apps."""

import re

from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

EVIL = "<script>alert(1)</script>"


def page(client: Client, url: str, **query: str) -> str:
    """The page's HTML; it answers 200, escapes what came from outside, and needs nothing that the CSP forbids."""
    answer = client.get(url, query)
    assert answer.status_code == 200, f"{url} {query}: {answer.status_code}"
    html = answer.content.decode()
    assert EVIL not in html
    assert re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", html) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=\"", html) == []
    assert "script-src" not in answer["Content-Security-Policy"]
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    return html


def filter_links(html: str) -> list[str]:
    """Every link of a list's filters."""
    found = re.search(r'<nav id="changelist-filter".*?</nav>', html, flags=re.DOTALL)
    return re.findall(r'href="(\?[^"]*)"', found[0]) if found else []


def queries_for(client: Client, url: str) -> int:
    with CaptureQueriesContext(database) as seen:
        page(client, url)
    return len(seen)
