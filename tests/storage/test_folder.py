"""A data folder has one owner, and is free when the last process that holds it has ended."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from parvis.storage import DataFolderHeld, StorageError
from parvis.storage.folder import hold_data_folder

HOLD = """
import sys
from pathlib import Path
from parvis.storage.folder import hold_data_folder
held = hold_data_folder(Path(sys.argv[1]), now=1732111200)
held.note(port=8000)
print("held", flush=True)
sys.stdin.read()
"""


def start(program: str, *arguments: str, fds: Sequence[int] = ()) -> subprocess.Popen[bytes]:
    """Start a Python program and wait for its first line."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=fds,
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process as hard as can be."""
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_second_process_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    holder = start(HOLD, str(folder))
    try:
        with pytest.raises(DataFolderHeld) as told:
            hold_data_folder(folder, now=2)
        assert str(told.value) == (
            f"{folder} is in use by process {holder.pid} since 2024-11-20 14:00:00 UTC,"
            " which answers on port 8000"
        )
        assert told.value.hint
    finally:
        end(holder)
    hold_data_folder(folder, now=3).release()


def test_a_folder_is_held_once_within_a_process_too(tmp_path: Path) -> None:
    held = hold_data_folder(tmp_path, now=1)
    with pytest.raises(DataFolderHeld, match=f"process {os.getpid()}"):
        hold_data_folder(tmp_path, now=1)
    held.release()
    held.release()
    hold_data_folder(tmp_path, now=1).release()


def test_a_worker_keeps_the_folder_when_its_supervisor_is_gone(tmp_path: Path) -> None:
    held = hold_data_folder(tmp_path, now=1)
    worker = start("print('up', flush=True); input()", fds=[held.fd])
    held.release()
    try:
        with pytest.raises(DataFolderHeld):
            hold_data_folder(tmp_path, now=1)
    finally:
        end(worker)
    hold_data_folder(tmp_path, now=1).release()


def test_a_child_that_was_not_given_the_descriptor_holds_nothing(tmp_path: Path) -> None:
    held = hold_data_folder(tmp_path, now=1)
    child = start("print('up', flush=True); input()")
    held.release()
    try:
        hold_data_folder(tmp_path, now=1).release()
    finally:
        end(child)


@pytest.mark.parametrize("note", [b"", b"\xff", b"[]", b"12"])
def test_a_note_that_cannot_be_read_does_not_matter(tmp_path: Path, note: bytes) -> None:
    held = hold_data_folder(tmp_path, now=1)
    (tmp_path / "parvis.lock").write_bytes(note)
    with pytest.raises(DataFolderHeld, match="in use by another process"):
        hold_data_folder(tmp_path, now=1)
    held.release()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be used as a data folder"):
        hold_data_folder(tmp_path / "file", now=1)
