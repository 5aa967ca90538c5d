"""Where something is in S3, and how long it is locked there; no driver is needed to say so."""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from parvis.storage.errors import StorageError

Mode = Literal["GOVERNANCE", "COMPLIANCE"]


@dataclass(frozen=True, slots=True)
class Lock:
    """Until when nobody can delete an object: nobody at all, or nobody without a special right."""

    mode: Mode
    until: float


@dataclass(frozen=True, slots=True)
class S3Place:
    """Part of a bucket, and who we are there.

    Attributes:
        prefix: Leads every key; empty, or with a slash at its end.
        endpoint: Address of the service; empty: Amazon's.
        access_key: Empty: found as Amazon's tools find it (``AWS_ACCESS_KEY_ID``, role …).
    """

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    access_key: str = ""
    secret_key: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


def s3_place(url: str, *, access_key: str = "", secret_key: str = "") -> S3Place:
    """Read ``s3://bucket/prefix?endpoint=https://…&region=…``.

    Raises:
        StorageError: Saying what is wrong; without the URL's secrets, if somebody put them there.
    """
    expected = "Expected s3://bucket/prefix?endpoint=https://…&region=…; the last two may be left."
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise StorageError(
            "an s3:// URL carries no keys, since URLs are shown",
            hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or blobs.access_key and"
            " blobs.secret_key.",
        )
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(query.keys() - {"endpoint", "region"})
    if parts.scheme != "s3" or not parts.netloc or unknown or parts.fragment:
        what = f"with unknown {', '.join(unknown)}" if unknown else "that names no bucket"
        raise StorageError(f"an s3:// URL {what}", hint=expected)
    endpoint = query.get("endpoint", "")
    if endpoint and urlsplit(endpoint).scheme not in ("http", "https"):
        raise StorageError(f"the endpoint {endpoint!r} of S3 is no address", hint=expected)
    prefix = unquote(parts.path).strip("/")
    return S3Place(
        bucket=parts.netloc,
        prefix=f"{prefix}/" if prefix else "",
        endpoint=endpoint,
        region=query.get("region", ""),
        access_key=access_key,
        secret_key=secret_key,
    )
