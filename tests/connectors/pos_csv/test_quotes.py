"""What a page quotes of a file that is no export: nothing of its lines, whatever the settings (found/wire.md, I2)."""

import pytest

from connectors.errors import ConnectorError
from connectors.pos_csv.reading.problems import FileRefusedError
from tests.connectors.pos_csv.conftest import Drop

FIRST = "-----BEGIN PRIVATE KEY-----"
LINES = [f"MIIEvQ{n:02}IBADANBgkqhkiG9w0BAQEFAASC,Kx9{n:02},7{n}" for n in range(30)]
KEY = "\n".join([FIRST, *LINES, "-----END PRIVATE KEY-----", ""])
ONE_LINE = "django-insecure-9f8e7d6c5b4a\n"
SETTINGS = [
    {},
    {"skip_lines": 1},
    {"skip_lines": 7, "delimiter": "|"},
    {"preset": "square"},
    {"columns": {"sku": FIRST}},
    {"columns": {"sku": FIRST, "quantity": FIRST}},
    {"columns": {"sku": FIRST}, "outlet_columns": ["(?P<o>.*)"]},
    {"skip_lines": 1, "outlet_columns": ["(?P<o>.*)"]},
    {"skip_lines": 1, "outlet_columns": ["(?P<o>M?).*"]},  # two of one outlet
    {"columns": {"quantity": FIRST}, "outlet_columns": ["(?P<o>.*)"], "on_bad_rows": "refuse_file"},
]


def said(till) -> str:
    """All that the connection's test and a run would show, with the SKUs of rows that were left out."""
    words = [f"{one.message} {one.next_step}" for one in till.check().findings]
    try:
        feeds = list(till.feeds(claim=False))
    except ConnectorError as error:
        problems = error.problems if isinstance(error, FileRefusedError) else ()
        words += [str(error), *(f"{one.sku} {one.message} {one.next_step}" for one in problems)]
    else:
        words += [f"{one.sku} {one.message} {one.next_step}" for feed in feeds for one in feed.problems]
    return "\n".join(words)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("content", [KEY, ONE_LINE, KEY.replace(",", "\t")], ids=["key", "one-line", "tabs"])
def test_no_line_of_a_key_is_shown(drop: Drop, settings, content):
    drop.put("export.csv", content)
    shown = said(drop.till(**settings))
    assert "export.csv" in shown
    for secret in ("MIIEvQ", "Kx9", "django", "9f8e"):
        assert secret not in shown


@pytest.mark.parametrize("mark", ["", "”", "“", "”“"])
def test_a_pattern_of_the_shops_own_shows_no_cell(drop: Drop, mark):
    """The first name of a line is known, the others anything: its rows may be those of any table."""
    rows = "".join(f"name{n},{mark}s3cr3t{n}{mark}\n" for n in range(5))
    drop.put("export.csv", f"Code,whatever\n{rows}")
    for words in ({}, {"on_bad_rows": "refuse_file"}):
        shown = said(drop.till(outlet_columns=["(?P<o>what.*)"], **words))
        assert "s3cr3t" not in shown
        assert "Line 2: the quantity of whatever “…” can't be used" in shown


def test_an_export_whose_columns_are_known_says_what_is_wrong_with_a_cell(drop: Drop):
    drop.put("export.csv", "SKU,Qty\nA,5\nB,viele\n")
    shown = said(drop.till())
    assert "Line 3: the quantity “viele” can't be used" in shown
