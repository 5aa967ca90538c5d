"""A real node whose files are in S3: images go there and come back; wrong places stop it."""

import asyncio
import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path

import aiohttp
from PIL import Image

from parvis.storage import Kept
from parvis.storage.factory import open_blobs
from tests.checkout import CHECKOUT
from tests.running import start_server
from tests.s3 import ACCESS_KEY, S3, SECRET_KEY


def keys(place: str) -> dict[str, str]:
    """Return the settings of files in S3."""
    return {
        "PARVIS_BLOBS__URL": place,
        "PARVIS_BLOBS__ACCESS_KEY": ACCESS_KEY,
        "PARVIS_BLOBS__SECRET_KEY": SECRET_KEY,
    }


def picture() -> bytes:
    """Return an image."""
    content = io.BytesIO()
    Image.effect_noise((400, 300), 50).save(content, "PNG")
    return content.getvalue()


async def test_an_image_of_a_document_goes_to_s3_and_comes_back(s3: S3, tmp_path: Path) -> None:
    place = s3.url(s3.bucket(), "files")
    with start_server(tmp_path, open=False, settings=keys(place)) as server:
        add = [sys.executable, "-m", "parvis.server", "user", "add", "ada@example.org"]
        data = ["--data", str(server.data)]
        await asyncio.to_thread(
            subprocess.run,
            [*add, "--password-stdin", *data],
            input=b"weaving algebraic patterns\n",
            cwd=CHECKOUT,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        token = [*add[:3], "token", "ada@example.org", *data]
        shown = await asyncio.to_thread(subprocess.check_output, token, cwd=CHECKOUT)
        headers = {"Authorization": f"Bearer {shown.decode().strip()}"}
        async with aiohttp.ClientSession(f"{server.url}/api/v1/docs/", headers=headers) as http:
            async with http.post("documents", json={"title": "Minutes"}) as made:
                key = (await made.json())["document"]["key"]
            async with http.post(f"documents/{key}/files", data=picture()) as kept:
                file = (await kept.json())["file"]
            async with http.get(f"documents/{key}/files/{file['hash']}") as given:
                content = await given.read()
                assert given.headers["Content-Type"] == "image/png"
                assert given.headers["Content-Length"] == str(file["size"])
    assert hashlib.sha256(content).hexdigest() == file["hash"]
    assert list((server.data / "blobs").rglob("*")) == []
    blobs = open_blobs("sqlite:///x", tmp_path, place, access_key="x", secret_key="y")
    assert [kept async for kept in blobs.kept("local")] == [Kept(file["hash"], len(content))]
    await blobs.close()


def test_a_bucket_that_is_not_there_stops_the_start_and_says_so(s3: S3, tmp_path: Path) -> None:
    words = ["serve", "--port", "0", "--data", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "parvis.server", *words],
        env=keys(s3.url("nobodys-bucket")),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode != 0
    assert "nobodys-bucket" in done.stderr
    assert "Create the bucket" in done.stderr
    assert SECRET_KEY not in done.stderr + done.stdout


def test_keys_in_the_url_are_refused_and_not_repeated(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "parvis.server", "config", "check", "--json"],
        env={"PARVIS_BLOBS__URL": "s3://AKIA:verysecret@bucket"},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    said = json.loads(done.stderr)["error"]["message"]
    assert "blobs.url" in said
    assert "verysecret" not in done.stderr + done.stdout
