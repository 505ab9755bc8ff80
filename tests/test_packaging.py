"""What ships: the image, the services around it, the lock files. Docker is not needed for any of it."""

import contextlib
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from importlib import import_module, resources
from pathlib import Path

import jsonschema
import pytest
import yaml
from django.utils import timezone

from jobs.models import Heartbeat
from tests.test_settings import example_environment

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
APP_SERVICES = {"web", "worker", "beat", "migrate"}


def compose() -> dict:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@cache
def compose_schema() -> dict:
    """Result: the Compose Specification's own schema, which check-jsonschema carries."""
    return json.loads((resources.files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())


def dockerfile() -> list[tuple[str, str]]:
    """Result: (instruction, the rest) in order, continued lines joined."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if line and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.strip().partition(" ") for line in joined.splitlines())]


def last(instruction: str) -> str:
    return [rest for word, rest in dockerfile() if word == instruction][-1]


# -- services ------------------------------------------------------------------------------------------------------


def test_compose_file_follows_the_specification():
    jsonschema.validate(compose(), compose_schema())


@pytest.mark.parametrize(
    ("service", "key", "value"),
    [
        ("web", "helthcheck", {"test": ["NONE"]}),
        ("web", "restart", ["always"]),
        ("worker", "depends_on", {"redis": {"condition": "healthy"}}),
        ("redis", "volumes", "redis:/data"),
    ],
)
def test_a_broken_compose_file_is_refused(service, key, value):
    broken = compose()
    broken["services"][service][key] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, compose_schema())


def test_every_service_is_there():
    assert compose()["services"].keys() == APP_SERVICES | {"postgres", "redis"}


def test_every_service_says_whether_it_is_well_and_comes_back_after_a_fault():
    image = {"web": {"test": last("HEALTHCHECK")}}
    for name, service in compose()["services"].items():
        if name == "migrate":
            assert service["healthcheck"] == {"disable": True}
            assert service["restart"] == "no"
        else:
            assert service.get("healthcheck", image.get(name, {})).get("test"), name
            assert service["restart"] == "unless-stopped", name


def test_only_web_is_published_and_only_to_this_machine():
    services = compose()["services"]
    assert {name for name, service in services.items() if "ports" in service} == {"web"}
    assert services["web"]["ports"] == ["${EVENSTOCK_PUBLISH:-127.0.0.1:8000}:8000"]
    assert compose()["networks"]["inside"] == {"internal": True}
    assert {name for name, service in services.items() if service["networks"] == ["inside"]} == {"postgres", "redis"}


def test_nothing_starts_before_the_database_is_migrated():
    services = compose()["services"]
    for name in APP_SERVICES - {"migrate"}:
        assert services[name]["depends_on"] == {
            "postgres": {"condition": "service_healthy"},
            "redis": {"condition": "service_healthy"},
            "migrate": {"condition": "service_completed_successfully"},
        }, name
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_what_must_survive_is_in_a_named_volume():
    file = compose()
    kept = {volume.rpartition(":")[0] for service in file["services"].values() for volume in service["volumes"]}
    assert kept == file["volumes"].keys() | {"${EVENSTOCK_TILL_DIR:-./till}"}
    assert file["services"]["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]


def test_redis_evicts_nothing_and_keeps_a_log():
    command = compose()["services"]["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options == {"--appendonly": "yes", "--appendfsync": "everysec", "--maxmemory-policy": "noeviction"}


def test_every_variable_of_the_compose_file_is_in_the_example():
    used = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    shown = set(re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
    assert used - shown == set()
    assert shown - used == {"EVENSTOCK_DATA_DIR"}  # set by the compose file itself


def test_celery_commands_name_an_app_that_exists():
    from celery import Celery

    for name in ("worker", "beat"):
        command = compose()["services"][name]["command"]
        assert command[:2] == ["celery", "-A"]
        assert isinstance(import_module(command[2]).celery_app, Celery)
        result = subprocess.run([BIN / "celery", *command[1:4], "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60)
        options = {word for word in command[4:] if word.startswith("--")}
        assert options
        for option in options:
            assert option.partition("=")[0] in result.stdout


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("last_run", "well"),
    [(None, True), (timedelta(seconds=20), True), (timedelta(minutes=2), False)],
    ids=["never heard of", "heard lately", "silent"],
)
def test_beat_is_unwell_when_it_has_given_no_sign_of_life_for_two_minutes(last_run, well):
    check = compose()["services"]["beat"]["healthcheck"]["test"]
    assert check[:3] == ["CMD", "python", "-c"]
    if last_run:
        Heartbeat.objects.create(name=Heartbeat.SCHEDULE, at=timezone.now() - last_run)
    with pytest.raises(SystemExit) as ending:
        exec(compile(check[3], "healthcheck", "exec"), {})  # noqa: S102 - our own text, from the compose file
    assert (ending.value.code == 0) is well


# -- the image -----------------------------------------------------------------------------------------------------


def test_the_image_does_not_run_as_root():
    words = [word for word, _ in dockerfile()]
    assert last("USER") not in {"root", "0"}
    assert words.index("USER") > max(number for number, word in enumerate(words) if word == "FROM")
    assert re.search(rf"useradd --uid \d{{4,}} .* {last('USER')}\b", " ".join(rest for _, rest in dockerfile()))


def test_the_image_is_built_from_hashed_requirements_only():
    installs = [rest for word, rest in dockerfile() if word == "RUN" and "pip install" in rest]
    assert installs == ["/venv/bin/pip install --require-hashes -r requirements.txt"]
    assert [rest for word, rest in dockerfile() if word == "FROM"] == ["python:3.11-slim AS build", "python:3.11-slim"]


def test_the_image_holds_every_app_and_no_secret():
    from django.conf import settings

    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    ours = {app for app in settings.INSTALLED_APPS if (ROOT / app / "__init__.py").exists()}
    assert ignored[1] == "*"  # all but what is named
    assert ours | {"config", "templates", "manage.py", "requirements.txt"} <= allowed
    assert allowed & {".env", ".git", "var", "tests", "sandbox"} == set()


def test_static_files_are_collected_with_what_the_build_has(tmp_path):
    build = next(rest for word, rest in dockerfile() if word == "RUN" and "collectstatic" in rest)
    words = shlex.split(build)
    environment = dict(word.split("=", 1) for word in words if re.match(r"[A-Z_]+=", word))
    script = (
        "from django.conf import settings; from django.core.management import call_command;"
        f"settings.STATIC_ROOT = {str(tmp_path)!r}; import django; django.setup();"
        "call_command('collectstatic', interactive=False, verbosity=0)"
    )
    environment |= {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings.production"}
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90)
    assert result.returncode == 0, result.stderr
    manifest = json.loads((tmp_path / "staticfiles.json").read_text())
    assert "admin/css/base.css" in manifest["paths"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@contextlib.contextmanager
def served(port: int, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the image's own command, on that port."""
    command = json.loads(last("CMD"))
    command[command.index("--port") + 1] = str(port)
    environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "DJANGO_SETTINGS_MODULE": "config.settings.production"}
    environment |= example_environment() | {"DATABASE_URL": f"sqlite:///{folder / 'web.sqlite3'}"}
    with (folder / "log").open("w") as log, subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log) as web:
        try:
            yield web
        finally:
            web.terminate()
            web.wait(timeout=20)


def health(port: int) -> int:
    """Result: the exit code of the image's own health check, asked of that port."""
    check = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    assert check[0] == "python"
    arguments = [word.replace("8000", str(port)) for word in check[1:]]
    return subprocess.run([sys.executable, *arguments], capture_output=True, timeout=20).returncode


def test_the_images_command_serves_and_its_health_check_can_tell(tmp_path):
    port = free_port()
    assert health(port) != 0
    with served(port, tmp_path) as web:
        deadline = time.monotonic() + 40
        while health(port) != 0:
            assert web.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
    assert health(port) != 0


# -- lock files ----------------------------------------------------------------------------------------------------


def without_hash_or_with_host(text: str) -> list[str]:
    """Result: what is wrong with a lock file: requirements that are not pinned and hashed, lines that name a host."""
    requirements = re.sub(r"\\\n\s*", " ", re.sub(r"^\s*#.*\n?", "", text, flags=re.MULTILINE)).splitlines()
    unhashed = [line for line in requirements if line and not re.match(r"[\w.\[\]-]+==\S+.* --hash=sha256:[0-9a-f]{64}", line)]
    return unhashed + re.findall(r".*(?:http|index-url|find-links|trusted-host| @ ).*", text)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_hashed_and_no_host_is_named(name):
    text = (ROOT / name).read_text()
    assert text.count("==") > 20
    assert without_hash_or_with_host(text) == []


@pytest.mark.parametrize(
    "line", ["django==5.2.1", "django>=5", "--index-url https://example.org/simple", "django @ https://example.org/d.whl"]
)
def test_a_lock_file_with_a_gap_is_noticed(line):
    assert without_hash_or_with_host(f"{line}\n") != []


def test_production_installs_what_the_suite_ran_on():
    pins = [
        set(re.findall(r"^([\w.\[\]-]+==[^\s;]+)", (ROOT / f"{n}.txt").read_text(), flags=re.MULTILINE))
        for n in ("requirements", "requirements-dev")
    ]
    assert pins[0] - pins[1] == set()


# -- before a commit -----------------------------------------------------------------------------------------------


def test_pre_commit_downloads_nothing():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    assert {hook["language"] for hook in hooks} == {"system"}
    assert {hook["entry"].split()[0] for hook in hooks} <= {".venv/bin/ruff", ".venv/bin/lint-imports", ".venv/bin/python"}


def test_pre_commit_accepts_its_configuration():
    result = subprocess.run([BIN / "pre-commit", "validate-config", ".pre-commit-config.yaml"], cwd=ROOT, capture_output=True)
    assert result.returncode == 0, result.stdout
