"""How WeasyPrint gets at what a page names."""

from collections.abc import Mapping

class URLFetcher:
    def __init__(self) -> None: ...
    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse: ...

class URLFetcherResponse:
    def __init__(self, url: str, body: bytes, headers: Mapping[str, str] | None = None) -> None: ...
