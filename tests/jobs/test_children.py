"""What one command runs: a part that ends is started again, and the others go on (found/engine.md E20)."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.errors import ConfigError
from jobs import processes
from jobs.processes import Children, Program, code_words, pause_before
from tests.processes.programs import until

SLEEP = ["sleep", "60"]


@pytest.fixture
def children() -> Iterator[Children]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with Children() as children:
        yield children
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(processes, "pause_before", lambda ends: 0.01 * ends)


def stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


class Listener:
    """Notes what is said, and does what comes next; at last, Ctrl-C."""

    def __init__(self, *then: Callable[[], object]) -> None:
        self.said: list[str] = []
        self._then = iter([*then, stop])

    def __call__(self, words: str) -> None:
        self.said.append(words)
        next(self._then)()


def nothing() -> None:
    pass


def ends_with(code: int, notes: Path) -> list[str]:
    return ["sh", "-c", f"echo begun >> {notes}; exit {code}"]


def test_the_pause_grows_from_a_second_to_half_a_minute():
    assert [pause_before(ends) for ends in (1, 2, 3, 4, 5, 6, 7, 1000)] == [1, 2, 4, 8, 16, 30, 30, 30]


def test_how_a_process_ended_is_said_with_its_code():
    said = [code_words(code) for code in (0, 1, -9, -15, 255)]
    assert said == ["code 0", "code 1", "code -9, SIGKILL", "code -15, SIGTERM", "code 255"]


def test_a_part_that_ends_is_started_again_each_time_and_the_other_goes_on(children, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "pause_before", lambda ends: 0.6 * ends)
    web = children.start(Program("web", SLEEP))
    children.start(Program("worker", ends_with(3, tmp_path / "notes")))
    listen = Listener(nothing)
    assert children.keep(listen) == ""
    assert listen.said == [
        "The worker ended by itself (code 3). It is started again in 1 s; everything else goes on.",
        "The worker ended by itself (code 3). It is started again in 1 s; everything else goes on.",
    ]
    assert (tmp_path / "notes").read_text() == "begun\nbegun\n"
    assert web.poll() is None


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_killed_part_takes_what_it_had_started_along(children, tmp_path):
    """A worker's own child would work on beside the new one's."""
    note = tmp_path / "pid"
    worker = children.start(Program("worker", ["sh", "-c", f"sleep 60 & echo $! > {note}; wait"]))
    until(lambda: note.exists() and note.read_text().endswith("\n"), seconds=10, what="it has started its child")
    worker.kill()
    listen = Listener()
    children.keep(listen)
    assert listen.said[0].startswith("The worker ended by itself (code -9, SIGKILL).")
    until(lambda: is_gone(int(note.read_text())), seconds=10, what="its child is gone")


def test_one_that_lived_a_minute_is_started_again_at_once_as_if_for_the_first_time(children, tmp_path, monkeypatch):
    pauses: list[int] = []
    monkeypatch.setattr(processes, "pause_before", lambda ends: pauses.append(ends) or 0.01)
    children.start(Program("worker", ends_with(1, tmp_path / "notes")))
    children.keep(Listener(nothing, lambda: monkeypatch.setattr(processes, "STEADY", 0.0), nothing))
    assert pauses == [1, 2, 1, 1]


def test_one_that_cannot_be_started_yet_is_tried_until_it_can(children, tmp_path):
    refusals = iter([ConfigError("Another program listens there."), None, None])

    def check() -> None:
        if refusal := next(refusals):
            raise refusal

    first = Program("web", ends_with(1, tmp_path / "notes"), check=check)
    with pytest.raises(ConfigError, match="listens there"):
        children.start(first)
    assert not (tmp_path / "notes").exists()
    children.start(first)
    refusals = iter([ConfigError("Another program listens there."), None])
    listen = Listener(nothing, nothing)
    children.keep(listen)
    assert [words.partition(".")[0] for words in listen.said] == [
        "The web ended by itself (code 1)",
        "The web could not be started again",
        "The web ended by itself (code 1)",
    ]
    assert (tmp_path / "notes").read_text() == "begun\nbegun\n"


def test_one_that_cannot_come_again_ends_the_wait_and_is_named(children):
    children.start(Program("web", SLEEP))
    children.start(Program("shop", ["true"], comes_again=False))
    listen = Listener()
    assert children.keep(listen) == "shop"
    assert listen.said == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_them_all_also_while_one_waits_to_be_started(children, tmp_path, monkeypatch, number):
    monkeypatch.setattr(processes, "pause_before", lambda _: 30.0)
    web = children.start(Program("web", SLEEP))
    children.start(Program("worker", ends_with(1, tmp_path / "notes")))

    def press(words: str) -> None:
        os.kill(os.getpid(), number)

    assert children.keep(press) == ""
    children.end()
    assert web.poll() == -signal.SIGTERM
    assert (tmp_path / "notes").read_text() == "begun\n"
