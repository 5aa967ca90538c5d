"""Folders of y-leveldb, written by y-leveldb itself in tests/producers."""

import json
import shutil
import subprocess
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from parvis.server.moving_in.leveldb import Damaged, Folder, snappy
from parvis.server.moving_in.leveldb.checks import crc32c, masked
from parvis.server.moving_in.leveldb.journal import Journal
from tests.checkout import CHECKOUT
from tests.server.moving_in.sources import (
    Parvis,
    exported,
    kept,
    lines,
    same,
    standing,
    statuses,
    unpacked,
    updates_of,
)

PRODUCER = ("node", str(CHECKOUT / "tests/producers/y_leveldb.mjs"))

SEVERAL: Sequence[Sequence[object]] = (
    ("all", "doc:1"),
    ("many", "team/é", 600),
    ("tiptap", "gone"),
    ("clear", "gone"),
    ("meta", "doc:1", "title", {"a": 1}),
    *(("big", f"big{at}", 1_300_000) for at in range(6)),
    ("flush", "team/é"),
    ("all", "last"),
)
"""Enough for tables, a compaction, deletions, and a log that is in no table yet."""


def produce(folder: Path, *orders: Sequence[object]) -> dict[str, bytes]:
    """Have y-leveldb make a folder; return the documents that it finds in it."""
    told = "".join(json.dumps(order) + "\n" for order in orders)
    done = subprocess.run(
        [*PRODUCER, str(folder)], input=told, capture_output=True, text=True, timeout=120
    )
    if ("die",) in orders:
        return {}
    assert done.returncode == 0, done.stderr
    return unpacked(json.loads(done.stdout))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    folder = tmp_path_factory.mktemp("made") / "level"
    return folder, produce(folder, *SEVERAL)


@pytest.fixture
def source(made: tuple[Path, dict[str, bytes]], tmp_path: Path) -> Path:
    """A copy of a folder, to be damaged."""
    return Path(shutil.copytree(made[0], tmp_path / "level"))


def test_every_document_becomes_a_room(
    parvis: Parvis, made: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    folder, expected = made
    before = standing(folder)
    assert {Path(name).suffix for name in before} > {".ldb", ".log"}
    code, report = parvis("room", "import", str(folder), "--from", "y-leveldb")
    assert (code, report["counts"]) == (0, {"imported": len(expected)})
    assert (
        set(statuses(report))
        == set(expected)
        == {"doc:1", "team/é", "last", *(f"big{at}" for at in range(6))}
    )
    for name, state in expected.items():
        assert same(exported(parvis, f"plain/{name}", tmp_path), state)
    assert report["notes"] == ["1 values of meta data are left out: rooms have no place for them"]
    assert lines(report)["team/é"]["updates"] == 1
    assert lines(report)["big0"]["updates"] == 8
    assert standing(folder) == before


def test_importing_again_finds_everything_there(
    parvis: Parvis, made: tuple[Path, dict[str, bytes]]
) -> None:
    words = ("room", "import", str(made[0]), "--key-from", "doc:1|last")
    assert parvis(*words)[1]["counts"] == {"imported": 2, "left out": 7}
    assert parvis(*words)[1]["counts"] == {"there": 2, "left out": 7}


@contextmanager
def held(folder: Path) -> Generator[None]:
    """Have a server keep a folder open."""
    with subprocess.Popen(
        [*PRODUCER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write('["hold"]\n')
        process.stdin.flush()
        assert process.stdout.readline() == "held\n"
        yield


def test_a_folder_that_a_server_has_open_is_refused(parvis: Parvis, source: Path) -> None:
    with held(source):
        code, answer = parvis("room", "import", str(source))
    assert (code, answer["error"]["code"]) == (1, "source")
    assert f"{source} is open in process " in answer["error"]["message"]
    assert "Stop the server" in answer["error"]["hint"]
    assert parvis("room", "import", str(source))[0] == 0


def test_what_a_killed_server_had_written_is_read(parvis: Parvis, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    produce(folder, ("all", "a"), ("many", "b", 50), ("die",))
    _, report = parvis("room", "import", str(folder))
    assert statuses(report) == {"a": "imported", "b": "imported"}
    expected = produce(folder)  # now y-leveldb repairs it, and says what it has
    for name in ("a", "b"):
        assert same(exported(parvis, f"plain/{name}", tmp_path), expected[name])


def test_the_half_written_end_of_a_log_is_left_out_as_leveldb_does(
    parvis: Parvis, tmp_path: Path
) -> None:
    folder = tmp_path / "killed"
    produce(folder, ("all", "a"), ("many", "b", 50))
    (log,) = folder.glob("*.log")
    log.write_bytes(log.read_bytes()[:-5])
    _, report = parvis("room", "import", str(folder))
    assert "the last write was cut off by a crash" in report["notes"][0]
    assert lines(report)["b"]["updates"] == 49
    expected = produce(folder)
    assert same(exported(parvis, "plain/b", tmp_path), expected["b"])


def first(folder: Path, pattern: str) -> Path:
    return sorted(folder.glob(pattern))[0]


def shorten(folder: Path) -> None:
    path = first(folder, "*.ldb")
    path.write_bytes(path.read_bytes()[:-100])


def remove(folder: Path) -> None:
    first(folder, "*.ldb").unlink()


def flip(folder: Path) -> None:
    path = first(folder, "*.ldb")
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)


def flip_log(folder: Path) -> None:
    path = first(folder, "*.log")
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)


def headless(folder: Path) -> None:
    (folder / "CURRENT").unlink()


def astray(folder: Path) -> None:
    (folder / "CURRENT").write_text("MANIFEST-999999\n")


def scribbled(folder: Path) -> None:
    (folder / "CURRENT").write_bytes(b"\xff\x00")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (shorten, "its list of files says"),
        (remove, "is missing"),
        (flip, "a checksum that does not fit, of the block at byte 0"),
        (flip_log, "a checksum that does not fit, at byte 0"),
        (headless, "there is no CURRENT that names its list of files"),
        (astray, "MANIFEST-999999, which CURRENT names, is missing"),
        (scribbled, "there is no CURRENT"),
    ],
)
def test_a_damaged_folder_is_refused_as_a_whole(
    parvis: Parvis, source: Path, damage: Callable[[Path], None], reason: str
) -> None:
    damage(source)
    code, answer = parvis("room", "import", str(source))
    assert (code, answer["error"]["code"]) == (1, "source")
    assert reason in answer["error"]["message"]
    assert "Copy it while its server is stopped" in answer["error"]["hint"]
    assert parvis("room", "list")[1] == []


def test_another_programs_leveldb_is_not_taken_for_one(parvis: Parvis, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    code = (
        "import { Level } from 'level'\n"
        "const db = new Level(process.argv[1])\n"
        "await db.put('key', 'value')\n"
        "await db.close()\n"
    )
    subprocess.run(
        ["node", "--input-type=module", "-e", code, str(folder)],
        cwd=CHECKOUT / "tests/producers",
        check=True,
    )
    code_, answer = parvis("room", "import", str(folder))
    assert (code_, answer["error"]["message"]) == (
        1,
        f"{folder} is a LevelDB, and not one of y-leveldb",
    )


def test_a_folder_of_files_is_no_leveldb(parvis: Parvis, tmp_path: Path) -> None:
    kept(tmp_path / "files", "a", updates_of("a")[0])
    code, answer = parvis("room", "import", str(tmp_path / "files"), "--from", "y-leveldb")
    assert code == 1 and "is no y-leveldb" in answer["error"]["message"]


# The format


def test_checksums_are_those_of_the_standard() -> None:
    # RFC 3720, appendix B.4.
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"123456789") == 0xE3069283
    assert masked(b"foo") != crc32c(b"foo")


@pytest.mark.parametrize(
    ("packed", "whole"),
    [
        ("00", b""),
        ("03 08 616263", b"abc"),
        ("0b 00 61 22 0100", b"a" + b"a" * 9),  # one byte short
        ("0a 00 61 22 0100", b"a" * 10),
        ("0c 08 616263 15 03", b"abc" * 4),
        ("07 08 616263 0f 03000000", b"abcabca"),
    ],
)
def test_packed_blocks_are_unpacked(packed: str, whole: bytes) -> None:
    data = bytes.fromhex(packed)
    if data[0] != len(whole):
        with pytest.raises(Damaged, match="of which 10 came"):
            snappy.unpack(data)
    else:
        assert snappy.unpack(data) == whole


@pytest.mark.parametrize("packed", ["", "05", "03 08 6162", "04 01 05", "04 00 61 01 00", "80"])
def test_a_block_that_is_packed_wrongly_is_damaged(packed: str) -> None:
    with pytest.raises(Damaged):
        snappy.unpack(bytes.fromhex(packed))


def record(kind: int, payload: bytes) -> bytes:
    head = masked(bytes((kind,)) + payload).to_bytes(4, "little")
    return head + len(payload).to_bytes(2, "little") + bytes((kind,)) + payload


def test_a_record_may_go_over_several_blocks() -> None:
    first = record(2, b"a" * (32_768 - 7))
    whole = first + record(3, b"b" * (32_768 - 7)) + record(4, b"c") + record(1, b"next")
    journal = Journal(whole)
    assert [len(each) for each in journal] == [2 * 32_761 + 1, 4]
    assert not journal.cut
    cut = Journal(whole[: 32_768 + 100])
    assert (list(cut), cut.cut) == ([], True)
    zeros = Journal(record(1, b"kept") + bytes(5000))
    assert (list(zeros), zeros.cut) == ([b"kept"], True)


def test_every_cut_of_a_log_ends_in_fewer_records_and_no_crash() -> None:
    whole = b"".join(record(1, f"record {at}".encode()) for at in range(5))
    counts = [len(list(Journal(whole[:end]))) for end in range(len(whole) + 1)]
    assert counts == sorted(counts) and counts[-1] == 5


def test_any_flipped_byte_is_noticed(source: Path) -> None:
    path = first(source, "*.ldb")
    whole = path.read_bytes()
    before = list(Folder(source).entries())
    for at in range(0, len(whole), len(whole) // 15):
        damaged = bytearray(whole)
        damaged[at] ^= 0x40
        path.write_bytes(damaged)
        try:
            assert list(Folder(source).entries()) == before  # a byte that nobody reads
        except Damaged:
            continue
        assert at >= len(whole) - 48 - 200


def test_a_name_that_is_no_number_is_no_log(source: Path) -> None:
    before = list(Folder(source).entries())
    (source / "notes.log").write_text("mine")
    assert list(Folder(source).entries()) == before
