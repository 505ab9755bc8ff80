"""Production settings: safe as they come, complete in .env.example, and passed on by docker-compose.yml."""

import ast
import json
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "config" / "settings"


def example_environment() -> dict[str, str]:
    """Result: .env.example as an owner fills it in: what is empty there is a secret of 64 characters."""
    pairs = re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    filled = {name: value or secrets.token_hex(32) for name, value in pairs}
    database = f"postgres://evenstock:{filled['POSTGRES_PASSWORD']}@postgres:5432/evenstock"
    return {**filled, "DATABASE_URL": database, "REDIS_URL": "redis://redis:6379/0"}


def run_in_production(*command: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Result: the command's, run with that environment and nothing of ours but the path."""
    environment = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings.production"}
    environment |= example_environment() | changes
    return subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def variables_read_by(*files: Path) -> set[str]:
    """Result: the names that these settings files ask `env` for."""
    return {
        node.args[0].value
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and isinstance(node.args[0], ast.Constant)
    }


def production_values(*names: str, **changes: str) -> dict:
    script = f"import json; from django.conf import settings; print(json.dumps({{n: getattr(settings, n) for n in {names!r}}}))"
    result = run_in_production("-c", script, **changes)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def read_in_production() -> set[str]:
    names = variables_read_by(SETTINGS / "base.py", SETTINGS / "production.py")
    assert {"EVENSTOCK_SECRET_KEY", "DATABASE_URL", "EVENSTOCK_LOG_LEVEL"} <= names
    return names


@pytest.mark.slow
def test_djangos_deployment_check_finds_nothing():
    result = run_in_production("-W", "error", "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert (result.returncode, result.stdout) == (0, "System check identified no issues (0 silenced).\n"), result.stderr


@pytest.mark.slow
def test_djangos_deployment_check_would_find_a_weak_key():
    result = run_in_production("manage.py", "check", "--deploy", "--fail-level", "WARNING", EVENSTOCK_SECRET_KEY="short")
    assert result.returncode == 1
    assert "security.W009" in result.stderr


@pytest.mark.parametrize(
    "missing", ["EVENSTOCK_SECRET_KEY", "EVENSTOCK_SALT_KEYS", "EVENSTOCK_HOSTS", "DATABASE_URL", "REDIS_URL"]
)
def test_production_does_not_start_without(missing):
    environment = {"PATH": os.environ["PATH"]} | example_environment()
    del environment[missing]
    result = subprocess.run(
        [sys.executable, "-c", "import config.settings.production"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 1
    assert f"Set the {missing} environment variable" in result.stderr


def test_every_variable_is_explained_in_the_example(read_in_production):
    lines = (ROOT / ".env.example").read_text().splitlines()
    shown = {match[1]: number for number, line in enumerate(lines) if (match := re.match(r"(?:# )?([A-Z_]+)=", line))}
    assert read_in_production - shown.keys() == set()
    unexplained = {name for name, number in shown.items() if not lines[number - 1].startswith("# ")}
    assert unexplained == set()


def test_compose_passes_every_variable_to_every_process(read_in_production):
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for name in ("web", "worker", "beat", "migrate"):
        assert read_in_production - services[name]["environment"].keys() == set(), name


def test_the_example_holds_no_secret():
    text = (ROOT / ".env.example").read_text()
    for name in ("EVENSTOCK_SECRET_KEY", "EVENSTOCK_SALT_KEYS", "POSTGRES_PASSWORD"):
        assert re.search(rf"^{name}=$", text, flags=re.MULTILINE), name
    assert re.findall(r"[0-9a-zA-Z+/-]{24,}", text) == []


def test_no_protection_has_dropped_out_of_the_middleware():
    assert production_values("MIDDLEWARE")["MIDDLEWARE"] == [
        "backoffice.people.access.forwarded_kept",
        "django.middleware.security.SecurityMiddleware",
        "whitenoise.middleware.WhiteNoiseMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "config.text.TextOnly",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
        "csp.middleware.CSPMiddleware",
        "backoffice.people.access.refusals_noted",
        "simple_history.middleware.HistoryRequestMiddleware",
        "backoffice.people.logins.tries_settled",
        "axes.middleware.AxesMiddleware",
    ]


def test_production_is_strict():
    expected = {
        "DEBUG": False,
        "ALLOWED_HOSTS": ["stock.example.com", "127.0.0.1"],
        "CSRF_TRUSTED_ORIGINS": ["https://stock.example.com"],
        "SECURE_SSL_REDIRECT": True,
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SECURE": True,
        "X_FRAME_OPTIONS": "DENY",
        "EVENSTOCK_ALLOW_PRIVATE_NETWORKS": False,
    }
    assert production_values(*expected) == expected


def test_content_security_policy_lets_nothing_in_from_elsewhere():
    policy = production_values("CONTENT_SECURITY_POLICY")["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]
    assert policy["default-src"] == ["'self'"]
    assert {source for sources in policy.values() for source in sources} <= {"'self'", "'none'", "data:"}


def test_a_lost_worker_loses_no_task_and_a_dead_broker_holds_nobody_up():
    expected = {
        "CELERY_TASK_ACKS_LATE": True,
        "CELERY_TASK_REJECT_ON_WORKER_LOST": True,
        "CELERY_WORKER_PREFETCH_MULTIPLIER": 1,
    }
    values = production_values(*expected, "CELERY_TASK_TIME_LIMIT", "CELERY_BROKER_TRANSPORT_OPTIONS")
    assert {name: values[name] for name in expected} == expected
    transport = values["CELERY_BROKER_TRANSPORT_OPTIONS"]
    assert transport["visibility_timeout"] == 2 * values["CELERY_TASK_TIME_LIMIT"]
    assert 0 < transport["socket_connect_timeout"] <= transport["socket_timeout"] <= 10


def test_keys_can_be_rotated():
    values = production_values(
        "SALT_KEY", "SECRET_KEY_FALLBACKS", EVENSTOCK_SALT_KEYS="new,old", EVENSTOCK_OLD_SECRET_KEYS="former,one before"
    )
    assert values == {"SALT_KEY": ["new", "old"], "SECRET_KEY_FALLBACKS": ["former", "one before"]}
    assert production_values("SECRET_KEY_FALLBACKS", EVENSTOCK_OLD_SECRET_KEYS="")["SECRET_KEY_FALLBACKS"] == []


def test_webhooks_and_the_health_check_meet_no_redirect(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = production_values("SECURE_REDIRECT_EXEMPT")["SECURE_REDIRECT_EXEMPT"]
    assert client.get("/healthz").status_code == 200
    for path in ("/webhooks/woocommerce/1/", "/webhook/order"):
        assert client.post(path).status_code not in (301, 302), path
    assert client.get("/admin/login/").headers["Location"] == "https://testserver/admin/login/"


def test_a_data_folder_that_cannot_be_made_is_said_in_words(tmp_path):
    blocked = tmp_path / "a file"
    blocked.write_text("")
    environment = {
        **os.environ,
        "EVENSTOCK_DATA_DIR": str(blocked / "data"),
        "DJANGO_SETTINGS_MODULE": "config.settings.embedded",
    }
    result = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 1
    assert result.stderr.strip() == (
        f"Evenstock can't keep its data in {blocked / 'data'}. "
        "Set EVENSTOCK_DATA_DIR to a folder that it may make and write in, or give it the right to."
    )


def test_how_long_is_waited_comes_from_the_environment():
    script = "from django.conf import settings; print(settings.EVENSTOCK_LIMITS['ask_after'], settings.EVENSTOCK_LIMITS['keep'])"
    result = run_in_production("-c", script, EVENSTOCK_ASK_AFTER_HOURS="1.5", EVENSTOCK_KEEP_DAYS="7")
    assert result.stdout.strip() == "1:30:00 7 days, 0:00:00"


@pytest.mark.slow
def test_as_delivered_the_exchange_folder_is_open_and_a_till_elsewhere_is_told_of_at_start(tmp_path):
    unset = {name: value for name, value in os.environ.items() if not name.startswith(("EVENSTOCK_", "DATABASE_"))}
    environment = {**unset, "EVENSTOCK_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings.embedded"}

    def manage(*words: str) -> str:
        ended = subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stderr

    assert "connectors.W" not in manage("migrate", "--verbosity", "0")
    assert (tmp_path / "exchange").is_dir()
    made = "Connection.objects.create(name='{0}', kind='pos_csv', settings={{'folder': '{0}'}})"
    script = f"from connectors.models import Connection; {made.format('exchange')}; {made.format('till')}"
    manage("shell", "-v0", "-c", script)
    told = manage("migrate", "--verbosity", "0")
    assert told.count("connectors.W002") == 1
    assert f"“till” can't be used: “till” (that is {tmp_path / 'till'}) is in none of the folders" in told
    assert f"Open are: {tmp_path / 'exchange'}." in told
    assert "EVENSTOCK_FOLDERS" in told
    environment["EVENSTOCK_FOLDERS"] = "exchange, till"
    assert "connectors.W" not in manage("migrate", "--verbosity", "0")


def test_open_folders_are_separated_by_commas_or_colons():
    found = production_values("EVENSTOCK_FOLDERS", EVENSTOCK_FOLDERS="/data/till, /mnt/second till:/mnt/third")
    assert found == {"EVENSTOCK_FOLDERS": ["/data/till", "/mnt/second till", "/mnt/third"]}
    assert production_values("EVENSTOCK_FOLDERS", EVENSTOCK_FOLDERS="") == {"EVENSTOCK_FOLDERS": []}
