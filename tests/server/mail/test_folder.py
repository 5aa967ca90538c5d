"""Letters as files, while there is no mail server."""

import os
import stat
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from parvis.server.mail import FolderCarrier, Letter, compose
from tests.clocks import SetClock


async def write(folder: Path, to: str) -> Path:
    """Write a letter."""
    letter = Letter(to, "en", "Hello", ("How are you?",))
    message = compose(letter, sender="parvis@example.org", now=0, id="id1")
    return Path(await FolderCarrier(folder, SetClock()).carry(message, to))


async def test_a_letter_is_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = await write(tmp_path / "mail", "ada@example.org")
    finally:
        os.umask(before)
    assert path == tmp_path / "mail" / "20261120T120000.000000Z-ada@example.org.eml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert message_from_bytes(path.read_bytes(), policy=default)["To"] == "ada@example.org"
    assert os.listdir(path.parent) == [path.name]


async def test_no_letter_takes_the_place_of_another(tmp_path: Path) -> None:
    paths = [await write(tmp_path, "ada@example.org") for _ in range(3)]
    assert len(set(paths)) == 3
    assert sorted(os.listdir(tmp_path)) == sorted(path.name for path in paths)


async def test_an_address_leads_into_no_other_folder(tmp_path: Path) -> None:
    path = await write(tmp_path / "mail", "../../x/é%00@example.org")
    assert path.parent == tmp_path / "mail"
    assert path.name == "20261120T120000.000000Z-.._.._x___00@example.org.eml"
