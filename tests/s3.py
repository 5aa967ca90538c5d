"""An S3 service on the loopback: moto's server, started once, with buckets of each test's own."""

import contextlib
import itertools
import signal
import sys
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.services import free_port, program, started

ACCESS_KEY: Final = "AKIAPARVISTESTS00000"
SECRET_KEY: Final = "s3-secret-of-the-tests"


@dataclass(frozen=True, slots=True)
class S3:
    """The service that runs at `endpoint`; it takes any key."""

    endpoint: str
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def bucket(self, *, locking: bool = False) -> str:
        """Return the name of a new bucket.

        Args:
            locking: Objects in it can be locked.
        """
        name = f"bucket-{next(self._numbers)}"
        headers = {"x-amz-bucket-object-lock-enabled": "true"} if locking else {}
        urllib.request.urlopen(
            urllib.request.Request(f"{self.endpoint}/{name}", method="PUT", headers=headers)
        ).close()
        return name

    def url(self, bucket: str, prefix: str = "") -> str:
        """Return the URL by which Parvis finds a place in a bucket."""
        return f"s3://{bucket}/{prefix}?endpoint={self.endpoint}"


@contextlib.contextmanager
def start_s3() -> Generator[S3]:
    """Run the service until the block ends."""
    port = free_port()
    moto = program("moto_server", "python3-pip", Path(sys.executable).parent)
    argv = [str(moto), "-H", "127.0.0.1", "-p", str(port)]
    with started(argv, ready="Running on", stop=signal.SIGTERM):
        yield S3(f"http://127.0.0.1:{port}")
