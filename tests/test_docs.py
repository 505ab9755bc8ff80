"""Documents that would mislead when they fall behind: what they name exists, and what they tell you to type works."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
from django.db import connection as database

from connectors.models import Connection

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    targets = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_every_make_target_named_exists(name):
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    used = set(re.findall(r"(?:`|^ {4})make ([\w-]+)", (ROOT / name).read_text(), flags=re.MULTILINE))
    assert used
    assert used - targets == set()


def test_every_app_is_in_the_architecture():
    apps = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    described = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/architecture.md").read_text(), flags=re.MULTILINE))
    assert described == apps


def test_checklist_for_connectors_names_every_capability_and_outcome_that_matters():
    from dataclasses import fields

    from connectors.contract import Capabilities, Outcome

    text = (ROOT / "CONTRIBUTING.md").read_text()
    for name in [field.name for field in fields(Capabilities)] + [Outcome.NOT_SENT.name, Outcome.UNKNOWN.name]:
        assert f"`{name}`" in text


def test_decisions_are_numbered_without_gaps_and_one_paragraph_each():
    records = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [record.name[:4] for record in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    for record in records:
        heading, paragraph = record.read_text().strip().split("\n\n")
        assert heading.startswith(f"# {record.name[:4]} ")
        assert len(paragraph) > 200


def test_changelog_keeps_unreleased_changes_on_top():
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert headings[0] == "[Unreleased]"


@pytest.fixture
def use_keys(settings):
    """Change the keys as a restart does: the field keeps what it made of the former ones."""
    field = Connection._meta.get_field("credentials")

    def forget():
        for made in ("keys", "f"):
            field.__dict__.pop(made, None)

    def use(**keys):
        for name, value in keys.items():
            setattr(settings, name, value)
        forget()

    yield use
    forget()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("both", "only_new"),
    [
        ({"SALT_KEY": ["new", "old"]}, {"SALT_KEY": ["new"]}),
        ({"SECRET_KEY": "new", "SECRET_KEY_FALLBACKS": ["former"]}, {"SECRET_KEY_FALLBACKS": []}),
    ],
    ids=["salt key", "secret key"],
)
def test_changing_keys_as_documented_keeps_every_credential(use_keys, both, only_new):
    use_keys(SECRET_KEY="former", SECRET_KEY_FALLBACKS=[], SALT_KEY=["old"])
    shop = Connection.objects.create(name="shop", kind="woocommerce", credentials={"key": "ck_1", "secret": "cs_1"})

    use_keys(**both)
    script = re.search(r"shell -c '\n(.+?)'", (ROOT / "docs/operations.md").read_text(), flags=re.DOTALL)[1]
    exec(re.sub(r"^ {7}", "", script, flags=re.MULTILINE), {})  # noqa: S102 - our own text, from the manual
    use_keys(**only_new)

    assert Connection.objects.get(pk=shop.pk).credentials == {"key": "ck_1", "secret": "cs_1"}
    with database.cursor() as cursor:
        cursor.execute("SELECT credentials FROM connectors_connection")
        assert "cs_1" not in cursor.fetchone()[0]


@pytest.mark.django_db
def test_credentials_are_lost_with_the_key_that_encrypted_them(use_keys):
    use_keys(SECRET_KEY="former", SECRET_KEY_FALLBACKS=[], SALT_KEY=["old"])
    shop = Connection.objects.create(name="shop", kind="woocommerce", credentials={"key": "ck_1"})
    use_keys(SALT_KEY=["new"])
    assert Connection.objects.get(pk=shop.pk).credentials != {"key": "ck_1"}


RELIABILITY = (ROOT / "docs/reliability.md").read_text()


def test_every_case_of_reliability_has_its_line():
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| [^|]+ \| (.+) \|$", RELIABILITY, flags=re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 43))
    assert [number for number, tried in rows if "::" not in tried and "H" not in tried] == []


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`([\w/]+\.py(?:::\w+)?)`", RELIABILITY)) - {"tests/test_docs.py"}))
def test_every_test_that_reliability_names_is_there(named):
    path, _, name = named.partition("::")
    source = ast.parse((ROOT / "tests" / path).read_text())
    assert not name or name in {node.name for node in ast.walk(source) if isinstance(node, ast.FunctionDef)}


def sections(document: str) -> set[str]:
    """Result: the numbers of its sections."""
    return set(re.findall(r"^## (\d+) ", (ROOT / "docs" / document).read_text(), flags=re.MULTILINE))


def sources() -> list[Path]:
    return [path for app in PROJECT["tool"]["importlinter"]["root_packages"] for path in sorted((ROOT / app).rglob("*.py"))]


def test_what_the_code_cites_is_there():
    numbered = set(re.findall(r"^(\d+)\. ", (ROOT / "docs/connectors/woocommerce_answers.md").read_text(), flags=re.MULTILINE))
    pages, rules = {path.name for path in DOCUMENTS}, sections("ledger.md")
    odd = []
    for path in sources():
        text = path.read_text()
        odd += [f"{path}: {name}" for name in re.findall(r"\b(\w+\.md)\b", text) if name not in pages and "FROM_TO" not in name]
        ledger = " ".join(re.findall(r"ledger\.md[^)\n]*", text))  # one citation may name several of its sections
        odd += [f"{path}: §{number}" for number in re.findall(r"§([\d.]+)", ledger) if number not in rules]
        odd += [f"{path}: {number}" for number in re.findall(r"woocommerce_answers\.md (\d+)", text) if number not in numbered]
    assert len(sources()) > 400
    assert odd == []


def ways() -> dict[str, list[str]]:
    """Result: the stops of each way through the engine."""
    text = (ROOT / "docs/engine.md").read_text()
    parts = [part.partition("\n") for part in re.split(r"^## ", text, flags=re.MULTILINE) if part.startswith("The way of ")]
    return {name: re.findall(r"^\d+\. (.*)$", body, re.MULTILINE) for name, _, body in parts}


@pytest.mark.parametrize("name", ways())
def test_a_way_has_twelve_stops_at_most_and_each_is_there(name):
    stops = ways()[name]
    assert 6 < len(stops) <= 12
    for stop in stops:
        named = re.findall(r"`([\w/]+\.py):(\w+)`", stop)
        assert named, stop
        for path, what in named:
            assert re.search(rf"^\s*(?:def|class) {what}\b", (ROOT / path).read_text(), re.MULTILINE), (path, what)


def test_slow_tests_are_listed_with_what_takes_their_time():
    marked = {
        str(path.relative_to(ROOT / "tests"))
        for path in (ROOT / "tests").rglob("test_*.py")
        if "pytest.mark." + "slow" in path.read_text(encoding="utf-8")
    }
    listed = re.findall(r"^\| `([\w/]+\.py)` \| [^|]{10,} \|$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(marked)
