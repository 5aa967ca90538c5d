"""The part of WeasyPrint that Parvis uses; the package ships no types."""

from . import urls as urls

class HTML:
    def __init__(
        self,
        *,
        string: str,
        base_url: str | None = None,
        url_fetcher: urls.URLFetcher,
    ) -> None: ...
    def write_pdf(
        self, *, pdf_variant: str | None = None, presentational_hints: bool = False
    ) -> bytes: ...
