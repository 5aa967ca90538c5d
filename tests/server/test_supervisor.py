"""The supervisor, run as a process of its own over the real worker frame with a tiny node in it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from parvis.server.firewall.watch import digest_of
from parvis.server.supervisor import LONGEST_PAUSE, MOST_DEATHS, pause_after
from parvis.storage.folder import hold_data_folder
from tests.faults.poison import PANIC
from tests.server.firewall.processes import wait_for_end

STAND_IN = Path(__file__).with_name("stand_in_worker.py")
PATIENCE = 20.0

PROGRAM = """if True:
    import sys
    from parvis.server.settings import LogSettings, ServerSettings, Settings
    from parvis.server.supervisor import serve
    data, port, drain, look, stand_in, start = sys.argv[1:]
    settings = Settings(
        server=ServerSettings(data=data, port=int(port), drain_deadline=float(drain)),
        log=LogSettings(format="json"),
    )
    code = serve(
        settings,
        worker=(sys.executable, "-P", stand_in, start),
        pause=lambda deaths: 0.0,
        look=float(look),
    )
    assert not any(name.partition(".")[0] == "pycrdt" for name in sys.modules)
    sys.exit(code)
"""


class Supervised:
    """A supervisor and its worker, as one sees them from outside."""

    def __init__(self, data: Path, start: str, port: int, drain: float, look: float) -> None:
        self.data = data
        argv = [str(data), str(port), str(drain), str(look), str(STAND_IN), start]
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *argv],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def stdout(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout

    def ready(self) -> "Supervised":
        """Wait until it says that it is ready."""
        for line in self.stdout:
            if line.startswith("Parvis is ready: "):
                return self
        raise AssertionError(self.process.communicate(timeout=PATIENCE)[1])

    @property
    def facts(self) -> dict[str, int | str]:
        facts: dict[str, int | str] = json.loads((self.data / "run.json").read_text())
        return facts

    @property
    def worker(self) -> int:
        return int(self.facts["worker"])

    @property
    def port(self) -> int:
        return int(self.facts["port"])

    def ask(self, command: str) -> str:
        """Ask the worker something; while there is none, the question waits in the socket."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(command.encode() + b"\n")
            answer = b""
            while more := connection.recv(4096):
                answer += more
            return answer.decode()

    def crash(self) -> None:
        """Let the worker overflow its stack, as far as anybody outside can tell."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(b"crash\n")
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


Start = Callable[..., Supervised]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a supervisor; whatever is left at the end is killed."""
    started: list[Supervised] = []

    def start(
        how: str = "serve",
        *,
        data: Path = tmp_path / "data",
        port: int = 0,
        drain: float = 5.0,
        look: float = 60.0,
    ) -> Supervised:
        started.append(Supervised(data, how, port, drain, look))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        print(each.process.communicate(timeout=PATIENCE)[1])


def test_the_first_start_prints_the_link_and_then_one_line(start: Start) -> None:
    supervised = start()
    assert supervised.stdout.readline() == "Create the administrator's account: http://link\n"
    assert supervised.stdout.readline().startswith("Parvis is ready: http://127.0.0.1:")
    url = f"http://127.0.0.1:{supervised.port}"
    assert supervised.facts == {
        "supervisor": supervised.process.pid,
        "worker": int(supervised.ask("pid")),
        "port": supervised.port,
        "url": url,
    }
    supervised.crash()
    supervised.ask("pid")
    assert supervised.end() == 0
    # Neither what the worker prints nor a restart adds to it.
    assert supervised.stdout.read() == ""


def test_a_worker_that_is_killed_comes_back_on_the_same_port(start: Start) -> None:
    supervised = start().ready()
    port, first = supervised.port, supervised.worker
    os.kill(first, signal.SIGKILL)
    second = int(supervised.ask("pid"))
    assert second != first
    assert (supervised.worker, supervised.port) == (second, port)
    assert supervised.ask("restarts") == "1"


def test_connections_wait_while_a_worker_restarts(start: Start) -> None:
    supervised = start().ready()
    os.kill(supervised.worker, signal.SIGSTOP)
    waiting = [socket.create_connection(("127.0.0.1", supervised.port)) for _ in range(20)]
    for each in waiting:
        each.settimeout(PATIENCE)
        each.sendall(b"restarts\n")
    os.kill(supervised.worker, signal.SIGKILL)
    # A stopped worker has accepted none of them.
    assert [each.recv(10) for each in waiting] == [b"1"] * 20
    for each in waiting:
        each.close()


def test_a_crash_hands_what_the_worker_was_doing_to_the_next_one(start: Start) -> None:
    supervised = start().ready()
    supervised.ask(f"note {PANIC.hex()}")
    supervised.crash()
    suspects = [["apply", "plain/a", [PANIC.hex()]]]
    assert json.loads(supervised.ask("suspects")) == suspects
    # The death of the next worker has nothing to do with it.
    supervised.crash()
    assert json.loads(supervised.ask("suspects")) == suspects


def test_a_worker_that_is_stuck_in_an_update_is_killed_and_the_update_suspected(
    start: Start,
) -> None:
    supervised = start(look=0.02).ready()
    first = int(supervised.ask("pid"))
    supervised.ask(f"note {PANIC.hex()}")
    assert wait_for_end(first)
    assert json.loads(supervised.ask("suspects")) == [["apply", "plain/a", [PANIC.hex()]]]
    assert int(supervised.ask("pid")) != first


def test_the_note_survives_the_supervisor_too(start: Start) -> None:
    first = start().ready()
    first.ask(f"note {PANIC.hex()}")
    first.crash()
    worker = int(first.ask("pid"))
    first.end(signal.SIGKILL)
    assert wait_for_end(worker)
    second = start().ready()
    assert json.loads(second.ask("suspects")) == [["apply", "plain/a", [PANIC.hex()]]]
    second.ask(f"settle {digest_of(PANIC).hex()}")
    assert second.end() == 0
    third = start().ready()
    assert json.loads(third.ask("suspects")) == [["apply", "plain/a", []]]


def test_the_worker_dies_with_its_supervisor_and_the_folder_is_free(start: Start) -> None:
    supervised = start().ready()
    worker = supervised.worker
    supervised.end(signal.SIGKILL)
    assert wait_for_end(worker)
    hold_data_folder(supervised.data, now=0.0).release()


def test_the_worker_dies_with_its_supervisor_even_if_it_is_stuck(start: Start) -> None:
    supervised = start().ready()
    worker = supervised.worker
    with socket.create_connection(("127.0.0.1", supervised.port)) as connection:
        connection.sendall(b"stuck\n")
        supervised.end(signal.SIGKILL)
        assert wait_for_end(worker)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_worker_and_supervisor_cleanly(start: Start, number: signal.Signals) -> None:
    supervised = start().ready()
    worker = supervised.worker
    assert supervised.end(number) == 0
    assert wait_for_end(worker)
    assert not (supervised.data / "run.json").exists()
    hold_data_folder(supervised.data, now=0.0).release()


def test_a_second_signal_makes_the_worker_hurry(start: Start) -> None:
    supervised = start("wait", drain=600.0).ready()
    supervised.process.send_signal(signal.SIGINT)
    # The worker now waits for a second signal, and nobody else waits for anything.
    wait_until_not_listening(supervised.port)
    assert supervised.end(signal.SIGINT) == 0


def test_a_third_signal_kills(start: Start) -> None:
    supervised = start(drain=600.0).ready()
    worker = supervised.worker
    os.kill(worker, signal.SIGSTOP)
    for _ in range(2):
        supervised.process.send_signal(signal.SIGTERM)
        wait_until_heard(supervised)
    assert supervised.end(signal.SIGTERM) == 1
    assert wait_for_end(worker)


def test_a_worker_that_does_not_end_in_time_is_killed(start: Start) -> None:
    supervised = start(drain=0.0).ready()
    worker = supervised.worker
    os.kill(worker, signal.SIGSTOP)
    assert supervised.end() == 1
    assert wait_for_end(worker)
    assert not (supervised.data / "run.json").exists()


def test_a_second_start_says_who_holds_the_folder(start: Start) -> None:
    first = start().ready()
    second = start()
    _, said = second.process.communicate(timeout=PATIENCE)
    assert second.process.returncode == 1
    assert f"in use by process {first.process.pid}" in said
    assert f"port {first.port}" in said
    assert "\nhint: Stop that process, or give this one its own folder with --data." in said


def test_a_start_waits_for_a_holder_that_is_about_to_end(start: Start, tmp_path: Path) -> None:
    first = start().ready()
    os.kill(first.worker, signal.SIGSTOP)  # so that it ends only when it is killed
    second = start()
    first.end(signal.SIGKILL)
    second.ready()


def test_a_taken_port_is_named(start: Start, tmp_path: Path) -> None:
    first = start().ready()
    second = start(data=tmp_path / "other", port=first.port)
    _, said = second.process.communicate(timeout=PATIENCE)
    assert second.process.returncode == 1
    problem = f"cannot listen on 127.0.0.1 port {first.port}: Address already in use"
    assert f"parvis: {problem}\nhint: Take another port with --port" in said


def test_a_worker_that_refuses_to_start_is_not_started_again(start: Start) -> None:
    supervised = start("refuse")
    _, said = supervised.process.communicate(timeout=PATIENCE)
    assert supervised.process.returncode == 1
    assert said.endswith("parvis: the schema is from next year\n")


def test_a_worker_that_never_gets_ready_is_given_up_with_the_reason(start: Start) -> None:
    supervised = start("die")
    _, said = supervised.process.communicate(timeout=60.0)
    assert supervised.process.returncode == 1
    assert said.count("it does not work") >= MOST_DEATHS
    assert said.endswith("no worker got ready in 10 attempts; see the log above\n")


def test_pauses_between_failing_starts_grow_to_a_bound() -> None:
    assert [pause_after(deaths) for deaths in range(6)] == [0.0, 0.0, 0.1, 0.2, 0.4, 0.8]
    assert pause_after(1000) == LONGEST_PAUSE
    assert sum(map(pause_after, range(MOST_DEATHS))) < 20


def test_what_the_worker_inherits_goes_no_further(start: Start) -> None:
    supervised = start().ready()
    worker = {os.readlink(each) for each in Path(f"/proc/{supervised.worker}/fd").iterdir()}
    held = {each for each in worker if "parvis" in each or each.startswith("socket:")}
    assert {Path(each).name for each in held} >= {"parvis.lock", "memfd:parvis-watch (deleted)"}
    child = set(json.loads(supervised.ask("child")))
    assert child.isdisjoint(held)


def wait_until_not_listening(port: int) -> None:
    """Return when nobody listens there any more."""
    try:
        while True:
            socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return


def wait_until_heard(supervised: Supervised) -> None:
    """Return when no signal waits for the supervisor to look at it."""
    status = Path(f"/proc/{supervised.process.pid}/status")
    while True:
        fields = dict(line.split(":\t") for line in status.read_text().splitlines())
        if int(fields["ShdPnd"], 16) == 0 and fields["State"].startswith("S"):
            return
