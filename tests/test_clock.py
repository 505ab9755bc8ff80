"""No test reads the machine's clock or calendar, whatever it calls and wherever it runs; the few that must are named here."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone

from tests.clock import NOW, TODAY, clock_of, today

TESTS = Path(__file__).parent
# They start the product's own processes, on files that have the times of the file system.
ON_THE_REAL_CLOCK = {"sync/turns/test_killed.py", "sync/orders/test_webhooks_end_to_end.py", "processes/conftest.py"}


@pytest.fixture(scope="module")
def made_at() -> datetime:
    return datetime.now(UTC)


def test_it_stands_still_whatever_reads_it(made_at):
    time.sleep(0.01)
    with ThreadPoolExecutor(1) as other:
        seen = {timezone.now(), datetime.now(UTC), datetime.fromtimestamp(time.time(), UTC), other.submit(timezone.now).result()}
    assert seen == {made_at} == {today()}
    assert timezone.localdate() == today().date() == date.today()  # noqa: DTZ011 - that is what is asked


def test_waits_are_as_long_as_ever():
    before = time.monotonic(), time.perf_counter()
    time.sleep(0.01)
    assert time.monotonic() - before[0] >= 0.009
    assert time.perf_counter() - before[1] >= 0.009


def test_a_test_moves_it_for_itself(clock):
    clock.shift(timedelta(days=1))
    assert timezone.now() == today() + timedelta(days=1)


def test_it_shows_now_to_who_takes_now_on_any_day(now, request, monkeypatch):
    assert timezone.now() == now == NOW
    monkeypatch.setenv(TODAY, "2027-01-31")
    with clock_of(request.node):
        assert timezone.now() == NOW


@pytest.mark.parametrize(
    ("said", "moment"),
    [("2027-01-31", "2027-01-31 09:30+00:00"), ("2028-02-29T23:50", "2028-02-29 23:50+00:00"), ("", "2026-03-02 09:30+00:00")],
)
def test_it_is_set_from_outside_for_one_run(request, monkeypatch, said, moment):
    monkeypatch.setenv(TODAY, said)
    with clock_of(request.node):
        assert timezone.now() == datetime.fromisoformat(moment)


@pytest.mark.parametrize("said", ["tomorrow", "2027-02-29"])
def test_what_is_no_day_is_refused(said):
    with pytest.raises(pytest.UsageError, match=f"is “{said}”: give a day, such as 2027-01-31"):
        today(said)


@pytest.mark.ticking
def test_it_runs_where_a_test_says_so():
    began = timezone.now()
    time.sleep(0.01)
    assert began < timezone.now() < today() + timedelta(hours=2)


def test_a_process_with_our_settings_has_our_date(tmp_path):
    read = "import tests.settings, datetime; print(datetime.datetime.now(datetime.UTC).isoformat())"
    environment = {**os.environ, "EVENSTOCK_DATA_DIR": str(tmp_path)}
    said = subprocess.run([sys.executable, "-c", read], env=environment, cwd=TESTS.parent, capture_output=True, text=True)
    assert timedelta(0) < datetime.fromisoformat(said.stdout.strip()) - today() < timedelta(minutes=1), said.stderr


@pytest.mark.real_clock("to see that it is there")
def test_the_real_clock_is_there_for_who_says_why():
    assert not time_machine.escape_hatch.is_travelling()


def test_without_a_reason_it_is_refused(request):
    request.node.add_marker(pytest.mark.real_clock)
    with pytest.raises(pytest.UsageError, match="say why it needs the real clock"), clock_of(request.node):
        pass


def test_few_have_the_real_clock():
    texts = {str(path.relative_to(TESTS)): path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py")}
    others = {name: text for name, text in texts.items() if name not in {"clock.py", "test_clock.py"}}
    assert {name for name, text in others.items() if "mark.real_clock" in text} == ON_THE_REAL_CLOCK
    assert [name for name, text in others.items() if "escape_hatch" in text or "time_machine.travel" in text] == []
