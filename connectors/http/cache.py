"""Whether an answer comes from a cache, by what its headers say (ledger.md §5: a reading from a cache is no reading). Pure.

An address that no cache can know goes past most of them. Some drop from an address what they don't know: those are told by a
header, or by the links of a paged answer, which name the request that was answered.
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from requests.utils import parse_header_links

FRESH = "evenstock_fresh"  # the parameter that makes each address a new one
_YOUNG = 5  # seconds; a chain of proxies may say so much of an answer just made, and two clocks may differ by it
_NAME = re.compile(r"(?:^|-)(?:src|sr)?cache(?:-(?:status|hits?|result|remote|fetch-status))?$")
_HIT = re.compile(r"(?:\b|_)hit\b|(?<!fwd=)\bstale\b|\bupdating\b")


def cache_said(headers: Mapping[str, str]) -> str:
    """Result: the header, as `Age: 300`, by which a cache says that it has answered itself; "" where none does. What passed
    through one (MISS, BYPASS, DYNAMIC, EXPIRED, Age: 0) is as good as new."""
    for name, value in headers.items():
        if _says_so(name.lower(), value.lower()):
            return f"{name}: {value[:60]}"
    return ""


def _says_so(name: str, value: str) -> bool:
    if name == "age":
        return value.strip().isdecimal() and float(value) > _YOUNG
    if name == "x-varnish":  # a second number is the request that filled the cache
        return len(value.split()) > 1
    if not _NAME.search(name):
        return False
    if name.endswith("-hits"):  # one count for each cache on the way
        return any(part.strip().isdecimal() and int(part) > 0 for part in value.split(","))
    return bool(_HIT.search(value))


def is_answer_to_another(*, link: str, url: str) -> bool:
    """Do the links of a paged answer name another request than the one to `url`?"""
    mine = parse_qs(urlsplit(url).query).get(FRESH)
    named = [parse_qs(urlsplit(one["url"]).query).get(FRESH) for one in parse_header_links(link)] if link else []
    return any(one is not None and one != mine for one in named)
