"""What two installations on one machine must not share is refused in words, and nothing is touched (found/wire.md I8)."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

from backoffice.management.commands import demo
from connectors.management.base import CommandExit
from jobs.claims import LOCK, folder_claim, port_check
from kit.errors import ToldError

ROOT = Path(__file__).resolve().parents[2]
HOLD = "import sys, pathlib; from jobs.claims import folder_claim; folder_claim(pathlib.Path(sys.argv[1])); {then}"
WAIT = "print(); input()"
LEAVE_A_CHILD = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True); input()"


@pytest.fixture
def held(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that has the folder."""
    yield from _holder(tmp_path, WAIT)


def _holder(folder: Path, then: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", HOLD.format(then=then), str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        said = other.stdout.readline()
        assert said, "it did not start"
        other.said = said.strip()  # type: ignore[attr-defined]
        yield other
        other.kill()


def test_a_folder_that_another_process_has_is_refused_with_its_number(tmp_path, held):
    with pytest.raises(ToldError) as refused:
        folder_claim(tmp_path)
    assert refused.value.message == f"Evenstock already runs in this folder (process {held.pid}): {tmp_path}"
    assert "EVENSTOCK_DATA_DIR" in refused.value.next_step
    assert "--port" in refused.value.next_step


def test_a_folder_is_free_again_after_kill_minus_nine(tmp_path, held):
    held.send_signal(signal.SIGKILL)
    held.wait()
    os.close(folder_claim(tmp_path))
    assert (tmp_path / LOCK).read_text() == str(os.getpid())


def test_a_part_that_outlives_its_supervisor_holds_no_claim(tmp_path):
    for other in _holder(tmp_path, LEAVE_A_CHILD):
        other.kill()
        other.wait()
        try:
            os.close(folder_claim(tmp_path))
        finally:
            os.kill(int(other.said), signal.SIGKILL)


@pytest.mark.parametrize("content", ["", "999999999", "nonsense"])
def test_a_file_that_nobody_holds_blocks_nobody(tmp_path, content):
    (tmp_path / LOCK).write_text(content)
    os.close(folder_claim(tmp_path))


def test_a_folder_that_cannot_be_written_to_is_said_in_words(tmp_path):
    with pytest.raises(ToldError, match="can't be locked"):
        folder_claim(tmp_path / "gone")


# Ports


@pytest.fixture
def taken() -> Iterator[int]:
    """A port where somebody listens who would share it, as our web server does."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])  # noqa: S104
def test_a_port_where_another_listens_is_refused_with_one_to_use_instead(taken, host):
    with pytest.raises(ToldError) as refused:
        port_check(host=host, port=taken)
    assert refused.value.message == f"Another program already listens on port {taken}, perhaps another Evenstock."
    assert f"--port {taken + 1}" in refused.value.next_step


def test_a_port_that_was_just_left_is_free(taken):
    """What is left of a connection that the server closed must not keep a shop from starting again."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as caller:
            answered, _ = listener.accept()
            answered.close()  # first, so that what is left of it is here
            assert caller.recv(1) == b""
    assert port_check(host="127.0.0.1", port=port) == "127.0.0.1"


def test_a_name_of_this_machine_becomes_the_number_that_the_server_takes():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    assert port_check(host="localhost", port=free) == "127.0.0.1"


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [
        ("127.0.0.1", 0, "0 is no port."),
        ("127.0.0.1", 70000, "70000 is no port."),
        ("no such host", 8000, "“no such host” is no address of this machine."),
        ("192.0.2.1", 8000, "Evenstock can't listen on 192.0.2.1, port 8000: Cannot assign requested address."),
    ],
)
def test_where_nobody_can_listen_is_said_in_words(host, port, said):
    with pytest.raises(ToldError) as refused:
        port_check(host=host, port=port)
    assert refused.value.message == said


# What a command does with them


def refusal_of(*command: str) -> str:
    """Result: what a command says that is refused."""
    with pytest.raises(CommandExit) as end:
        call_command(*command)
    assert end.value.code == 1
    return end.value.message


@pytest.fixture
def data(tmp_path: Path, settings) -> Path:
    """The data folder of the commands that a test begins."""
    settings.DATA_DIR = tmp_path
    return tmp_path


def test_a_second_run_in_a_folder_is_refused(data, held):
    said = refusal_of("run", "--port", "18765")
    assert said.startswith(f"Evenstock already runs in this folder (process {held.pid}): {data}\n")


def test_a_run_on_a_taken_port_ends_with_one_says_so_and_touches_nothing(tmp_path, taken):
    environment = {**os.environ, "EVENSTOCK_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings.embedded"}
    environment.pop("DATABASE_URL", None)
    command = [sys.executable, "manage.py", "run", "--port", str(taken)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"Another program already listens on port {taken}, perhaps another Evenstock.\n"
        f"Choose another port: --port {taken + 1}, or with make: PORT={taken + 1}.\n"
    )
    assert not (tmp_path / "evenstock.sqlite3").exists()


def former_demo(folder: Path) -> Path:
    """Result: what a demo that ran there has left."""
    (folder / "till").mkdir(parents=True)
    (folder / demo.MARK).touch()
    (folder / "evenstock.sqlite3").write_text("a demo's")
    return folder / "evenstock.sqlite3"


def test_a_second_demo_is_refused_and_the_first_ones_folder_stays(data):
    kept = former_demo(data / "demo")
    for other in _holder(data / "demo", WAIT):
        said = refusal_of("demo", "--port", "18765")
        assert said.startswith(f"Evenstock already runs in this folder (process {other.pid}): {data / 'demo'}\n")
    assert kept.read_text() == "a demo's"
    assert (data / "demo" / "till").is_dir()


def test_a_demo_on_a_taken_port_throws_no_former_one_away(data, taken):
    kept = former_demo(data / "demo")
    assert f"listens on port {taken}" in refusal_of("demo", "--port", str(taken))
    assert kept.read_text() == "a demo's"


def test_a_demo_leaves_alone_what_is_no_demos(data):
    (data / "demo").mkdir()
    (data / "demo" / "accounts.xls").write_text("mine")
    assert refusal_of("demo", "--once") == (
        f"{data / 'demo'} holds something that is no demo's, so the demo leaves it alone.\n"
        "Move it away, or set EVENSTOCK_DATA_DIR to another folder."
    )
    assert [path.name for path in (data / "demo").iterdir()] == ["accounts.xls"]


def test_a_demo_lives_beside_the_shops_data_and_in_a_demos_own_folder(tmp_path):
    assert demo._demo_folder(tmp_path) == tmp_path / "demo"
    (tmp_path / "demo" / demo.MARK).touch()
    assert demo._demo_folder(tmp_path / "demo") == tmp_path / "demo"


def test_a_former_demo_is_thrown_away_but_not_what_it_points_to(tmp_path):
    folder, elsewhere = tmp_path / "demo", tmp_path / "elsewhere"
    former_demo(folder)
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    (folder / "link").symlink_to(elsewhere)
    (folder / LOCK).touch()
    demo._make_empty(folder)
    assert sorted(path.name for path in folder.iterdir()) == [demo.MARK, LOCK]
    assert (elsewhere / "kept").exists()
