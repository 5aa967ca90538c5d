"""Blobs in S3: the conformance suite against a service, and what can be wrong with a bucket."""

import asyncio
import re
import socket
from collections.abc import AsyncGenerator
from pathlib import Path

import aiohttp
import pytest

from parvis.storage import Blobs, StorageError, StoreUnavailable
from parvis.storage.conformance import DurableBlobsConformance
from parvis.storage.factory import open_blobs
from parvis.storage.s3 import Bucket
from parvis.storage.s3_place import Lock, S3Place, s3_place
from tests.s3 import ACCESS_KEY, S3, SECRET_KEY


def blobs_at(url: str) -> Blobs:
    """Open blobs in S3."""
    here = Path("/nowhere")
    return open_blobs("sqlite:///x", here, url, access_key=ACCESS_KEY, secret_key=SECRET_KEY)


class TestBlobsS3(DurableBlobsConformance):
    places: dict[Path, str]

    @pytest.fixture(autouse=True)
    def buckets(self, s3: S3) -> None:
        self.places = {}
        self.s3 = s3

    async def open(self, place: Path) -> Blobs:
        if place not in self.places:
            self.places[place] = self.s3.url(self.s3.bucket(), "some/where")
        return blobs_at(self.places[place])


@pytest.fixture
async def bucket(s3: S3) -> AsyncGenerator[Bucket]:
    """A bucket that can lock objects."""
    url = s3.url(s3.bucket(locking=True), "backups/")
    bucket = Bucket(s3_place(url, access_key=ACCESS_KEY, secret_key=SECRET_KEY))
    yield bucket
    await bucket.close()


async def test_two_prefixes_of_a_bucket_are_two_places(s3: S3) -> None:
    bucket = s3.bucket()
    one, other = blobs_at(s3.url(bucket, "a")), blobs_at(s3.url(bucket, "a/b"))
    digest = await one.put("acme", b"picture")
    assert await other.get("acme", digest) is None
    assert list(await other.tenants()) == []
    await one.close()
    await other.close()


async def test_a_long_listing_comes_in_pages(s3: S3) -> None:
    blobs = blobs_at(s3.url(s3.bucket()))
    for first in range(0, 1100, 100):
        await asyncio.gather(*(blobs.put("acme", b"%d" % at) for at in range(first, first + 100)))
    digests = [kept.digest async for kept in blobs.kept("acme")]
    assert len(digests) == 1100
    assert digests == sorted(digests)
    await blobs.close()


@pytest.mark.parametrize("size", [1000, 33 * 1024 * 1024])
async def test_a_locked_object_cannot_be_deleted_and_reads_as_before(
    bucket: Bucket, size: int
) -> None:
    content = bytes(range(250)) * (size // 250)

    async def pieces() -> AsyncGenerator[bytes]:
        for start in range(0, len(content), 1_000_000):
            yield content[start : start + 1_000_000]

    lock = Lock("COMPLIANCE", 4_102_444_800.0)
    await bucket.upload("one", pieces(), len(content), lock=lock)
    found = await bucket.read("one", 0, len(content), 65_536)
    assert found is not None
    assert b"".join([piece async for piece in found]) == content
    assert await bucket.lock_of("one") == lock
    place = f"{bucket.place.endpoint}/{bucket.place.bucket}"
    async with aiohttp.ClientSession() as session:
        async with session.get(place, params={"versions": ""}) as versions:
            (version,) = re.findall("<VersionId>(.+?)</VersionId>", await versions.text())
        one = f"{place}/{bucket.place.prefix}one"
        async with session.delete(one, params={"versionId": version}) as deleted:
            assert deleted.status == 403


async def test_a_lock_needs_a_bucket_that_can_lock(s3: S3) -> None:
    bucket = Bucket(s3_place(s3.url(s3.bucket()), access_key="x", secret_key="y"))
    with pytest.raises(StorageError) as refused:
        await bucket.put("one", b"content", lock=Lock("GOVERNANCE", 4_102_444_800.0))
    assert "object lock" in refused.value.hint
    await bucket.close()


async def test_an_upload_that_ends_early_leaves_nothing(bucket: Bucket) -> None:
    async def broken() -> AsyncGenerator[bytes]:
        for _ in range(20):
            yield bytes(1024 * 1024)
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        await bucket.upload("one", broken(), 40 * 1024 * 1024)
    assert await bucket.size("one") is None
    assert [each async for each in bucket.list("")] == []


# What can be wrong


async def test_a_bucket_that_is_not_there_is_said_with_a_hint(s3: S3) -> None:
    blobs = blobs_at(s3.url("nobodys-bucket"))
    with pytest.raises(StorageError, match="nobodys-bucket") as refused:
        await blobs.check()
    assert not isinstance(refused.value, StoreUnavailable)
    assert "Create the bucket" in refused.value.hint
    await blobs.close()


async def test_a_service_that_does_not_answer_is_a_passing_fault() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        blobs = blobs_at(f"s3://bucket?endpoint=http://127.0.0.1:{port}")
        with pytest.raises(StoreUnavailable) as refused:
            await blobs.check()
        await blobs.close()
    assert "endpoint" in refused.value.hint
    assert SECRET_KEY not in str(refused.value)


async def test_missing_keys_are_said_with_what_to_set(
    s3: S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    blobs = open_blobs("sqlite:///x", tmp_path, s3.url(s3.bucket()))
    with pytest.raises(StorageError, match="no keys") as refused:
        await blobs.check()
    assert "AWS_ACCESS_KEY_ID" in refused.value.hint
    await blobs.close()


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("s3://bucket", S3Place("bucket")),
        ("s3://bucket/", S3Place("bucket")),
        ("s3://bucket/a/b/", S3Place("bucket", "a/b/")),
        ("s3://bucket/a%20b?region=eu-west-1", S3Place("bucket", "a b/", "", "eu-west-1")),
        ("s3://b?endpoint=http://h:9000", S3Place("b", endpoint="http://h:9000")),
    ],
)
def test_a_place_is_read_from_its_url(url: str, place: S3Place) -> None:
    assert s3_place(url) == place


@pytest.mark.parametrize(
    "url",
    ["s3://", "s3:bucket", "s3:///key", "s3://b?endpoint=h:9000", "s3://b?secret=x", "s3://b#x"],
)
def test_a_url_that_names_no_place_is_refused_with_what_was_expected(url: str) -> None:
    with pytest.raises(StorageError) as refused:
        s3_place(url)
    assert "s3://bucket/prefix" in refused.value.hint


def test_keys_in_a_url_are_refused_and_shown_nowhere() -> None:
    with pytest.raises(StorageError) as refused:
        s3_place("s3://AKIAKEY:verysecret@bucket/prefix")
    assert "verysecret" not in f"{refused.value} {refused.value.hint}"
    place = s3_place("s3://bucket/p", access_key="AKIAKEY", secret_key="verysecret")
    assert "verysecret" not in f"{place} {place!r}"
