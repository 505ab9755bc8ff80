"""The manager's page names every setting there is and every code a message may carry."""

import re
from pathlib import Path

from connectors.pos_csv.settings import PosCsvSettings

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "connectors" / "pos_csv.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([\w.]+)`", PAGE))


def test_every_setting_is_in_the_table_and_no_other() -> None:
    table = PAGE.split("| setting |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(PosCsvSettings.model_fields)


def test_every_code_is_explained() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "connectors" / "pos_csv").rglob("*.py"))
    used = set(re.findall(r'code="(\w+)"', code))
    used |= set(re.findall(r'(?:note|RowProblem)\(\s*[\w.]+,\s+[\w."]+,\s+"(\w+)"', code))
    used |= set(re.findall(r'return "(\w+_\w+)", ', code))
    assert len(used) > 30
    assert used - NAMED == set()
