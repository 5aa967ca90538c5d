"""A bucket of S3, or of what speaks like it (MinIO, Ceph, Garage …): objects in and out, streamed.

Needs aiobotocore, which the extra ``parvis[s3]`` brings.
"""

import asyncio
import datetime
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Mapping
from contextlib import AsyncExitStack, contextmanager, suppress
from importlib.util import find_spec
from typing import Any, Final

from parvis.storage.errors import StorageError, StoreUnavailable
from parvis.storage.s3_place import Lock, S3Place

PART: Final = 16 * 1024 * 1024
"""Bytes of an object from which it is sent in parts, and of a part."""

MOST_PARTS: Final = 9_000

REGION: Final = "us-east-1"
"""Where nobody names one; what speaks like S3 takes any."""

_GONE: Final = frozenset({"404", "NoSuchKey", "NotFound"})
_DENIED: Final = frozenset(
    {"401", "403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "Forbidden"}
)
_HINTS: Final[Mapping[str, str]] = {
    "NoSuchBucket": "Create the bucket, or name another one.",
    "InvalidBucketName": "Name the bucket as s3://bucket/prefix.",
    "PermanentRedirect": "Name the bucket's region: s3://bucket/prefix?region=eu-west-1.",
    "301": "Name the bucket's region: s3://bucket/prefix?region=eu-west-1.",
    "RequestTimeTooSkewed": "Set this machine's clock.",
    "InvalidRequest": "A lock needs a bucket that was made with object lock.",
}


class Bucket:
    """Objects by name, below the place's prefix.

    Raises `StoreUnavailable` on a passing fault, and `StorageError` with a hint if something must
    be set right first.
    """

    def __init__(self, place: S3Place) -> None:
        """Begin, without a connection yet. Raises `StorageError` if aiobotocore is missing."""
        if find_spec("aiobotocore") is None:
            raise StorageError(
                f"{place} cannot be reached: aiobotocore is not installed",
                hint="Install parvis[s3].",
            )
        self.place = place
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._opened: Any = None

    async def close(self) -> None:
        """Let go of all connections."""
        await self._stack.aclose()
        self._opened = None

    async def check(self, probe: str) -> None:
        """Return if the bucket is there and can be written: an object called `probe` is."""
        with self._faults():
            client = await self._client()
            await client.head_bucket(Bucket=self.place.bucket)
        await self.put(probe, b"")

    async def size(self, name: str) -> int | None:
        """Return an object's bytes; None if there is no such object."""
        with suppress(_NoSuchObject), self._faults():
            client = await self._client()
            found = await client.head_object(**self._at(name))
            return int(found["ContentLength"])
        return None

    async def put(self, name: str, content: bytes, *, lock: Lock | None = None) -> None:
        """Keep an object; it is durable when this returns."""
        with self._faults():
            client = await self._client()
            await client.put_object(**self._at(name), Body=content, **_locked(lock))

    async def upload(
        self, name: str, pieces: AsyncIterable[bytes], size: int, *, lock: Lock | None = None
    ) -> None:
        """Keep an object that comes in pieces; nothing of it is there if they end early."""
        if size <= PART:
            await self.put(name, b"".join([piece async for piece in pieces]), lock=lock)
            return
        client = await self._client()
        with self._faults():
            begun = await client.create_multipart_upload(**self._at(name), **_locked(lock))
        upload = {**self._at(name), "UploadId": begun["UploadId"]}
        check = {"ChecksumAlgorithm": "SHA256"} if lock is not None else {}
        try:
            done: list[dict[str, Any]] = []
            async for part in _parts(pieces, max(PART, -(-size // MOST_PARTS))):
                number = len(done) + 1
                with self._faults():
                    sent = await client.upload_part(**upload, PartNumber=number, Body=part, **check)
                sums = {key: sent[key] for key in ("ETag", "ChecksumSHA256") if key in sent}
                done.append({"PartNumber": number, **sums})
            with self._faults():
                await client.complete_multipart_upload(**upload, MultipartUpload={"Parts": done})
            if lock is not None:
                await self._insist(name, lock)
        except BaseException:
            with suppress(StorageError), self._faults():
                await client.abort_multipart_upload(**upload)
            raise

    async def read(
        self, name: str, start: int, end: int, piece: int
    ) -> AsyncIterator[bytes] | None:
        """Return an object's bytes from `start` up to and without `end`; None if there is none."""
        with suppress(_NoSuchObject), self._faults():
            client = await self._client()
            asked = f"bytes={start}-{end - 1}"
            answer = await client.get_object(**self._at(name), Range=asked)
            pieces = self._body(answer["Body"], end - start, piece)
            await anext(pieces)
            return pieces
        return None

    async def _insist(self, name: str, lock: Lock) -> None:
        """Lock an object that was sent in parts: not every service does so by itself."""
        if await self.lock_of(name) is None:
            client = await self._client()
            until = datetime.datetime.fromtimestamp(lock.until, datetime.UTC)
            retention = {"Mode": lock.mode, "RetainUntilDate": until}
            with self._faults():
                await client.put_object_retention(**self._at(name), Retention=retention)

    async def lock_of(self, name: str) -> Lock | None:
        """Return what keeps an object from being deleted; None if nothing does."""
        with self._faults():
            client = await self._client()
            found = await client.head_object(**self._at(name))
        until: datetime.datetime | None = found.get("ObjectLockRetainUntilDate")
        return None if until is None else Lock(found["ObjectLockMode"], until.timestamp())

    async def delete(self, name: str) -> None:
        """Forget an object, if it is there."""
        with self._faults():
            client = await self._client()
            await client.delete_object(**self._at(name))

    async def list(self, prefix: str) -> AsyncGenerator[tuple[str, int]]:
        """Yield names, without the prefix, and sizes of the objects below it, in order."""
        async for page in self._pages(prefix):
            for each in page.get("Contents", ()):
                yield each["Key"].removeprefix(self.place.prefix + prefix), int(each["Size"])

    async def folders(self, prefix: str) -> AsyncGenerator[str]:
        """Yield what stands between the prefix and the next slash of names, in order."""
        async for page in self._pages(prefix, Delimiter="/"):
            for each in page.get("CommonPrefixes", ()):
                yield each["Prefix"].removeprefix(self.place.prefix + prefix).rstrip("/")

    def _at(self, name: str) -> dict[str, Any]:
        return {"Bucket": self.place.bucket, "Key": self.place.prefix + name}

    async def _pages(self, prefix: str, **more: str) -> AsyncGenerator[Mapping[str, Any]]:
        where = {"Bucket": self.place.bucket, "Prefix": self.place.prefix + prefix, **more}
        token: dict[str, str] = {}
        while True:
            with self._faults():
                client = await self._client()
                page = await client.list_objects_v2(**where, **token)
            yield page
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    async def _body(self, body: Any, left: int, piece: int) -> AsyncGenerator[bytes]:
        try:
            yield b""  # a generator that has begun is ended by `aclose`, and the answer let go
            while left > 0:
                with self._faults():
                    found: bytes = await body.read(min(piece, left))
                if not found:
                    raise StoreUnavailable(f"{self.place}: an object ended too early")
                left -= len(found)
                yield found
        finally:
            body.close()

    async def _client(self) -> Any:
        async with self._opening:
            if self._opened is None:
                self._opened = await self._stack.enter_async_context(_connect(self.place))
        return self._opened

    @contextmanager
    def _faults(self) -> Generator[None]:
        """Turn errors of the service and of the way to it into the store's."""
        from botocore import exceptions

        try:
            yield
        except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
            raise StorageError(
                f"{self.place}: there are no keys for S3",
                hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or blobs.access_key and"
                " blobs.secret_key.",
            ) from error
        except exceptions.ClientError as error:
            raise self._translated(error.response) from error
        except (exceptions.BotoCoreError, OSError, TimeoutError) as error:
            # Their texts hold addresses, never keys.
            raise StoreUnavailable(
                f"{self.place}: {error}", hint="Is the endpoint right, and can it be reached?"
            ) from error

    def _translated(self, response: Mapping[str, Any]) -> StorageError:
        code = str(response.get("Error", {}).get("Code", ""))
        status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        said = response.get("Error", {}).get("Message", "")
        message = f"{self.place}: {code} {said}".rstrip()
        if code in _GONE:
            return _NoSuchObject(message, hint=_HINTS["NoSuchBucket"])
        if code in _DENIED:
            return StorageError(message, hint="Are the keys right, and may they write here?")
        if code in _HINTS:
            return StorageError(message, hint=_HINTS[code])
        if status >= 500 or code in ("SlowDown", "RequestTimeout", "Throttling"):
            return StoreUnavailable(message)
        return StorageError(message)


class _NoSuchObject(StorageError):
    """There is no such object, or no such bucket: asked about one, S3 does not say which."""


def _locked(lock: Lock | None) -> dict[str, Any]:
    if lock is None:
        return {}
    until = datetime.datetime.fromtimestamp(lock.until, datetime.UTC)
    return {
        "ObjectLockMode": lock.mode,
        "ObjectLockRetainUntilDate": until,
        "ChecksumAlgorithm": "SHA256",  # S3 takes no lock without a checksum
    }


async def _parts(pieces: AsyncIterable[bytes], size: int) -> AsyncGenerator[bytes]:
    gathered = bytearray()
    async for piece in pieces:
        gathered += piece
        while len(gathered) >= size:
            yield bytes(gathered[:size])
            del gathered[:size]
    if gathered:
        yield bytes(gathered)


def _connect(place: S3Place) -> Any:
    from aiobotocore.config import AioConfig
    from aiobotocore.session import get_session

    config = AioConfig(
        connect_timeout=5,
        read_timeout=60,
        max_pool_connections=20,
        retries={"max_attempts": 4, "mode": "standard"},
        # A bucket's name in the host needs DNS that only Amazon has.
        s3={"addressing_style": "path" if place.endpoint else "auto"},
        # Not all that speak like S3 know the newer checksums; the signature covers the content.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return get_session().create_client(
        "s3",
        region_name=place.region or (REGION if place.endpoint else None),
        endpoint_url=place.endpoint or None,
        aws_access_key_id=place.access_key or None,
        aws_secret_access_key=place.secret_key or None,
        config=config,
    )
