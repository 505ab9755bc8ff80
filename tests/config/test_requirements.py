"""Each requirement serves where it is declared, and says why: nothing is installed for nobody."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest

from backoffice.demo.needs import NEEDS

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
APPS = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"sandbox", "tests"}

# What serves under another name than that of its modules or programs.
NAMED_AS = {
    "psycopg": "postgres://",  # the database's address
    "redis": "redis://",  # the broker's
    "pytest-django": "DJANGO_SETTINGS_MODULE",
    "pytest-timeout": "timeout",
    "pytest-xdist": "--dist",
    "pytest": "-m pytest",
}


def plain(requirement: str) -> str:
    """Result: the package's name, in the one spelling that packages are compared by."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def declared(requirements: list[str]) -> set[str]:
    return {plain(requirement) for requirement in requirements}


TO_RUN = declared(PROJECT["project"]["dependencies"])
DEMO = declared(PROJECT["project"]["optional-dependencies"]["demo"])
DEV = declared(PROJECT["dependency-groups"]["dev"])


def pinned(name: str) -> set[str]:
    """Result: the packages of a lock file."""
    return {plain(line) for line in (ROOT / name).read_text().splitlines() if re.match(r"[\w.\[\]-]+==", line)}


@cache
def installed() -> dict[str, set[str]]:
    """Result: by module, the packages that bring it."""
    return {name: set(map(plain, packages)) for name, packages in packages_distributions().items()}


@cache
def modules_of(package: str) -> set[str]:
    """Result: the modules that a package brings; of types, those they are of."""
    found = {name for name, packages in installed().items() if package in packages}
    found |= {file.parts[0] for file in distribution(package).files if file.suffix == ".pyi"}
    return {name.removesuffix("-stubs") for name in found}


def programs_of(package: str) -> set[str]:
    return {one.name for one in distribution(package).entry_points if one.group == "console_scripts"}


@cache
def parsed(folder: str) -> list[ast.AST]:
    """Result: every part of every Python file in that folder, but of this one."""
    files = [file for file in (ROOT / folder).rglob("*.py") if file != Path(__file__)]
    return [node for file in files for node in ast.walk(ast.parse(file.read_text()))]


@cache
def imported(folder: str) -> frozenset[str]:
    """Result: the modules, by their first name, that Python files in that folder import."""
    found = set()
    for node in parsed(folder):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module.partition(".")[0])
    return frozenset(found)


@cache
def quoted(folder: str) -> frozenset[str]:
    """Result: the texts that stand by themselves in Python files there: what is started or opened by its name."""
    return frozenset(node.value for node in parsed(folder) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def texts(*files: str) -> str:
    return "\n".join(re.sub(r"^\s*#.*$", "", (ROOT / file).read_text(), flags=re.MULTILINE) for file in files)


def is_named(package: str, text: str) -> bool:
    if package in NAMED_AS:
        return NAMED_AS[package] in text
    names = modules_of(package) | programs_of(package)
    return any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) for name in names)


SETTINGS = texts(*(f"config/settings/{name}.py" for name in ("base", "embedded", "production", "queue")), "docker-compose.yml")
TOOLS = texts("Makefile", ".ci/run", ".pre-commit-config.yaml") + json.dumps(
    [PROJECT["tool"]["pytest"]["ini_options"], PROJECT["tool"]["mypy"]["plugins"]]
)


def used_in(package: str, folders: set[str]) -> bool:
    return any(modules_of(package) & imported(folder) for folder in folders)


def serves_shops(package: str) -> bool:
    return used_in(package, APPS) or is_named(package, SETTINGS)


def serves_developers(package: str) -> bool:
    """Types serve where what they are of is imported."""
    is_types = package.startswith("types-") or package.endswith("-stubs")
    called = (modules_of(package) | programs_of(package)) & quoted("tests")
    return used_in(package, {"tests", *APPS} if is_types else {"tests"}) or bool(called) or is_named(package, TOOLS)


@pytest.mark.parametrize("package", sorted(TO_RUN))
def test_what_runs_in_a_shop_is_imported_by_an_app_or_named_in_the_settings(package):
    assert serves_shops(package)


@pytest.mark.parametrize("package", sorted(DEMO))
def test_what_the_demo_brings_is_the_pretend_shops_alone(package):
    assert used_in(package, {"sandbox"})
    assert not used_in(package, APPS)


@pytest.mark.parametrize("package", sorted(DEV))
def test_what_developers_install_is_imported_by_tests_or_named_where_checks_are_run(package):
    assert serves_developers(package)


@pytest.mark.parametrize("package", ["markdown-it-py", "iniconfig", "annotated-types", "cfgv"])  # here for others' sake
def test_a_requirement_that_serves_nobody_is_noticed(package):
    assert modules_of(package)
    assert not serves_shops(package)
    assert not serves_developers(package)


def listed(section: str) -> set[str]:
    """Result: the packages in that section's table of docs/dependencies.md which have a reason beside them."""
    text = (ROOT / "docs/dependencies.md").read_text().split(f"## {section}\n")[1].split("\n## ")[0]
    return {plain(name) for name in re.findall(r"^\| `([\w.-]+)` \| [^|]{10,} \|", text, flags=re.MULTILINE)}


@pytest.mark.parametrize(("section", "packages"), [("To run", TO_RUN), ("For the demo", DEMO), ("To develop and test", DEV)])
def test_every_dependency_has_its_reason_and_nothing_else_is_listed(section, packages):
    assert listed(section) == packages


def test_each_requirement_is_in_its_lock_file():
    assert TO_RUN - pinned("requirements.txt") == set()
    assert (TO_RUN | DEMO | DEV) - pinned("requirements-dev.txt") == set()


# -- without what only developers have ---------------------------------------------------------------------------------


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """Result: the environment of a process for which only what requirements.txt pins is installed."""
    kept = pinned("requirements.txt")
    hidden = {name for name, packages in installed().items() if not kept & packages}
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nfrom importlib.machinery import PathFinder\n"
        "class Bare(PathFinder):\n    @classmethod\n    def find_spec(cls, name, path=None, target=None):\n"
        f"        return None if name.partition('.')[0] in {sorted(hidden)!r} else super().find_spec(name, path, target)\n"
        "sys.meta_path[sys.meta_path.index(PathFinder)] = Bare\n"
    )
    data = {"EVENSTOCK_DATA_DIR": str(tmp_path / "data"), "DJANGO_SETTINGS_MODULE": "config.settings.embedded"}
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), **data}


def python(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100)


def test_every_app_starts_with_what_production_installs(bare):
    script = (
        "import importlib, pathlib, django; django.setup()\n"
        f"for app in {sorted(APPS)!r}:\n"
        "    for file in sorted(pathlib.Path(app).rglob('*.py')):\n"
        "        name = '.'.join(file.with_suffix('').parts).removesuffix('.__init__')\n"
        "        if not name.startswith('config.settings') and not name.endswith('__main__'): importlib.import_module(name)\n"
        "try:\n    import werkzeug\nexcept ImportError:\n    print('all there')\n"
    )
    result = python(bare, "-c", script)
    assert (result.returncode, result.stdout) == (0, "all there\n"), result.stderr


@pytest.mark.parametrize("command", [("demo", "--once"), ("sandbox", "store", "--port", "0"), ("sandbox", "--help")])
def test_without_the_demos_packages_its_commands_say_what_to_install(bare, command):
    result = python(bare, "manage.py", *command)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "The pretend shop needs what a real shop doesn't, and it is not installed here: werkzeug.\n"
        "Run, in Evenstock's folder: pip install '.[demo]' (make demo does that by itself).\n"
    )
    assert not (Path(bare["EVENSTOCK_DATA_DIR"]) / "demo").exists()


def test_where_the_pretend_shop_is_not_there_its_commands_say_where_it_is(bare, tmp_path):
    for name in [*APPS, "manage.py"]:  # as the image has it
        (tmp_path / "image").mkdir(exist_ok=True)
        (tmp_path / "image" / name).symlink_to(ROOT / name)
    for command in ("demo", "sandbox"):
        result = python({**bare, "PYTHONPATH": ""}, "-c", IMAGE.format(folder=str(tmp_path / "image"), command=command))
        assert (result.returncode, result.stdout) == (1, ""), result.stderr
        assert result.stderr == (
            "The pretend shop is not part of this installation: a real shop needs none.\n"
            "Run it from a copy of Evenstock's source, with make demo.\n"
        )


IMAGE = """
import pathlib, sys
from django.conf import settings
from django.core.management import execute_from_command_line
settings.BASE_DIR = pathlib.Path({folder!r})
execute_from_command_line(["manage.py", {command!r}])
"""


def test_what_the_commands_look_for_is_what_the_extra_brings():
    assert set(NEEDS) == DEMO


def test_the_demo_begins_with_what_make_installs():
    """`make demo` needs `.venv/.ready`, which is made of requirements-dev.txt, which is locked with the extra."""
    recipe = (ROOT / "Makefile").read_text()
    assert re.search(r"^demo: \$\(SETUP\)$", recipe, flags=re.MULTILINE)
    assert re.search(r"^\$\(SETUP\): requirements-dev\.txt$", recipe, flags=re.MULTILINE)
    assert "--group dev --extra demo pyproject.toml -o requirements-dev.txt" in recipe
